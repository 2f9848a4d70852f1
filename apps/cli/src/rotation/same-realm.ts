import { KEY_LENGTHS, type PlanBase, type Way } from './rotation-plan.ts';
import { operands } from '../wording.ts';

/** The new key in the same realm: quick, for every account, and the calls of a window are lost. */
export function sameRealm(base: PlanBase): Way {
  const { realm, cipher, keys, activeVersion, nextVersion, tokenLifetimeSeconds } = base;
  const waitSeconds = base.validatesAfterRetirementSeconds;
  const pending = keys.find(({ version }) => version === nextVersion);
  const [destination] = base.destinations;
  return {
    name: 'same-realm',
    summary: 'a new key in the same realm: quick and for every account, but calls of a window are refused',
    checks: [
      'choose it where the old key may be known to others: step 3 ends it at the gateway at once',
      'choose a quiet hour: everything that is refused is refused between step 3 and the end of step 4, or was issued before',
    ],
    refusedByGateway: [
      `tokens of version ${activeVersion} that were issued before step 3 and not used for a call by then; they are ${tokenLifetimeSeconds} s old at most`,
      `every token issued between step 3 (the portal has the new key) and 2 s after step 4 (every instance encrypts with it): it is of version ${activeVersion}, which the gateway no longer knows, and no later step makes it good`,
      `with step 4 before step 3: every token issued between the two, until the portal has the new key, since it is of version ${nextVersion}`,
      'this service takes all of them for VALID, since it knows both keys: here validate does not speak for the gateway',
    ],
    steps: [
      {
        title: `have version ${nextVersion} of the key ready; it encrypts nothing yet`,
        where: 'callpass',
        notes: pending
          ? [`done: version ${nextVersion}, fingerprint ${pending.fingerprint}, is PENDING`]
          : [
              'the key is shown this once; --key-file FILE takes one that was made elsewhere',
              `it has ${KEY_LENGTHS[cipher]} characters, as ${cipher} needs`,
            ],
        commands: pending ? [] : [`callpass key add --generate ${operands(realm)}`],
      },
      {
        title: 'have the command of step 4 typed and ready, so that the window is short',
        where: 'callpass',
        notes: ['until step 4 is done, typing the old key back into the portal undoes everything'],
        commands: [`callpass key list ${operands(realm)}`],
      },
      {
        title: `type the new key into the authentication schema ${realm} and save: the window opens`,
        where: 'portal',
        notes: ['the gateway decrypts tokens of the new key only, from now on'],
        commands: [],
      },
      {
        title: 'encrypt with the new key: the window closes within 2 s',
        where: 'callpass',
        notes: [`version ${activeVersion} becomes RETIRED and validates here for ${waitSeconds} s more`],
        commands: [`callpass key activate ${operands(realm, nextVersion)}`],
      },
      {
        title: 'place a call, to see that portal and service have the same key',
        where: 'callpass',
        notes: ['code 46 at the gateway: the keys differ'],
        commands: destination ? [`callpass issue ${operands(destination.id)}`] : [],
      },
      {
        title: `wait ${waitSeconds} s until the last token of version ${activeVersion} has run out`,
        where: 'wait',
        notes: ['token lifetime and clock skew together'],
        commands: [],
        waitSeconds,
      },
      {
        title: 'erase the old key',
        where: 'callpass',
        notes: [],
        commands: [`callpass key destroy ${operands(realm, activeVersion)}`],
      },
    ],
  };
}
