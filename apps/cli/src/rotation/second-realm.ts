import { KEY_LENGTHS, type PlanBase, type Step, type Way } from './rotation-plan.ts';
import { listed, operands } from '../wording.ts';

/** The new key under a second realm name: no call is lost, where the portal lets the accounts use both. */
export function secondRealm(base: PlanBase, newRealm: string): Way {
  const { realm, accounts, destinations } = base;
  return {
    name: 'second-realm',
    summary: `the new key in a second realm, ${newRealm}: no call is lost, but it asks more of the portal`,
    checks: [
      `the portal can pin an account to one realm ("Token Realm: Any | one realm"): each of these must be on "Any": ${listed(accounts)}`,
      `an account that is pinned to ${realm} is refused with tokens of ${newRealm}, and the other way round (code 64): set it to "Any" before step 5, or take the other way`,
      `the old key is good at the gateway until ${realm} is removed from the portal: where it may be known to others, take the other way`,
      `nobody else may encrypt for ${realm}: only these destinations are changed: ${listed(destinations.map(({ id }) => id))}`,
    ],
    refusedByGateway: [
      'none, if every account is on "Any": the gateway knows both realms from step 3 on',
      `of an account that is pinned to ${realm}: every token issued from step 5 on`,
    ],
    steps: [...preparation(base, newRealm), ...changeOver(base, newRealm), ...removal(base, newRealm)],
  };
}

const APPLY = ['callpass config apply -f callpass.yaml --dry-run', 'callpass config apply -f callpass.yaml'];

function preparation(base: PlanBase, newRealm: string): Step[] {
  const { realm, cipher, tokenLifetimeSeconds, maxClockSkewSeconds, validators } = base;
  const grants = `name ${newRealm} beside ${realm} in the VALIDATOR grants of ${listed(validators)}`;
  return [
    {
      title: `configure ${newRealm}; nothing uses it yet`,
      where: 'callpass',
      notes: [
        `add a realm ${newRealm} with the cipher ${cipher}, tokenLifetime ${tokenLifetimeSeconds}s and maxClockSkew ${maxClockSkewSeconds}s of ${realm}, and leave ${realm} as it is`,
        ...(validators.length > 0 ? [grants] : []),
      ],
      commands: ['callpass config get > callpass.yaml', ...APPLY],
    },
    {
      title: `make the key of ${newRealm}`,
      where: 'callpass',
      notes: [
        'the key is shown this once; --key-file FILE takes one that was made elsewhere',
        `it has ${KEY_LENGTHS[cipher]} characters, as ${cipher} needs`,
      ],
      commands: [`callpass key add --generate ${operands(newRealm)}`],
    },
    {
      title: `make a second authentication schema ${newRealm} with this key`,
      where: 'portal',
      notes: [
        `the same cipher, and ${tokenLifetimeSeconds} as "Duration to Expire Authentication (sec)"`,
        `leave the schema ${realm} as it is`,
      ],
      commands: [],
    },
    {
      title: 'make the key active, once the portal has it',
      where: 'callpass',
      notes: ['still nothing is encrypted with it'],
      commands: [`callpass key activate ${operands(newRealm, 1)}`],
    },
  ];
}

function changeOver({ realm, destinations, limitedByRealm }: PlanBase, newRealm: string): Step[] {
  const limits = `limits per REALM begin anew: ${listed(limitedByRealm)}`;
  const [destination] = destinations;
  return [
    {
      title: `let the destinations use ${newRealm}`,
      where: 'callpass',
      notes: [
        `write realm: ${newRealm} at ${listed(destinations.map(({ id }) => id))}; at one of them first, if you like`,
        `tokens of ${realm} stay good, here and at the gateway, until they run out`,
        `a freeze of the realm ${realm} does not hold for ${newRealm}`,
        ...(limitedByRealm.length > 0 ? [limits] : []),
      ],
      commands: APPLY,
    },
    {
      title: 'place a call, to see that portal and service have the same key',
      where: 'callpass',
      notes: ['code 46 at the gateway: the keys differ; 64: the account is pinned'],
      commands: destination ? [`callpass issue ${operands(destination.id)}`] : [],
    },
  ];
}

function removal(base: PlanBase, newRealm: string): Step[] {
  const { realm, activeVersion, validatesAfterRetirementSeconds: waitSeconds } = base;
  return [
    {
      title: `wait ${waitSeconds} s until the last token of ${realm} has run out`,
      where: 'wait',
      notes: ['token lifetime and clock skew together'],
      commands: [],
      waitSeconds,
    },
    {
      title: `remove the schema ${realm}`,
      where: 'portal',
      notes: [`only now may an account be pinned to ${newRealm}`],
      commands: [],
    },
    {
      title: `retire the key of ${realm}`,
      where: 'callpass',
      notes: [],
      commands: [`callpass key retire ${operands(realm, activeVersion)}`],
    },
    {
      title: `wait ${waitSeconds} s more: a retired key cannot be erased before`,
      where: 'wait',
      notes: [],
      commands: [],
      waitSeconds,
    },
    {
      title: `erase the key, and take ${realm} out of the document`,
      where: 'callpass',
      notes: [],
      commands: [`callpass key destroy ${operands(realm, activeVersion)}`, ...APPLY],
    },
  ];
}
