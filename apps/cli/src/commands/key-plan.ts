import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import type { Configuration } from '@callpass/contract';
import { EXIT } from '@callpass/program';
import { Failure, wrongUse } from '../failure.ts';
import type { Page } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import { nextRealmName, planRotation } from '../rotation/plan.ts';
import type { PlannedKey, RealmInUse, RotationPlan, Way } from '../rotation/rotation-plan.ts';
import { MOST_SHOWN, operands } from '../wording.ts';
import type { Session } from '../session.ts';

/** `callpass key plan`. */
export function addKeyPlanCommand(key: Command, run: RunCommand): void {
  key
    .command('plan')
    .description('say step by step how to rotate the key of a realm, both ways; changes nothing')
    .argument('<realm>', 'name of the realm')
    .addOption(new Option('--new-realm <name>', 'name of the second realm; left out, the next that is free'))
    .action((realm: string, { newRealm }: { readonly newRealm?: string }, command: Command) =>
      run(command, async (session) => {
        const { inUse, taken } = await readRealm(session, realm);
        if (newRealm !== undefined && taken.has(newRealm))
          throw wrongUse(`there is a realm ${newRealm} already`);
        const plan = planRotation(inUse, newRealm ?? nextRealmName(realm, taken));
        if (!plan) throw nothingToRotate(realm);
        session.output.answer(plan as unknown as JsonObject, (print) => {
          printPlan(print, plan);
        });
      }),
    );
}

/** As the contract has it where the document says nothing. */
const DEFAULT_SKEW_SECONDS = 30;

async function readRealm({ admin, jsonOf, contract }: Session, name: string) {
  const [{ configuration, revision }, listed] = await Promise.all([
    admin.getConfiguration({}),
    admin.listRealmKeys({ realm: name }),
  ]);
  const realm = configuration?.realms.find((each) => each.name === name);
  if (!configuration || !realm) throw new Failure(EXIT.failed, { message: `there is no realm ${name}` });
  const destinations = configuration.destinations.filter((each) => each.realm === name);
  const inUse: RealmInUse = {
    realm: name,
    configurationRevision: revision?.revision ?? 0,
    cipher: contract.enumNames(contract.Cipher)(realm.cipher),
    tokenLifetimeSeconds: secondsOf(realm.tokenLifetime, 0),
    maxClockSkewSeconds: secondsOf(realm.maxClockSkew, DEFAULT_SKEW_SECONDS),
    keys: listed.realmKeys.map((each) => {
      const { version, state, fingerprint, validateUntilTime } = jsonOf(each);
      return { version, state, fingerprint, ...(validateUntilTime !== undefined && { validateUntilTime }) };
    }) as unknown as PlannedKey[],
    destinations: destinations.map(({ id, account }) => ({ id, account })),
    validators: validatorsOf(configuration, name),
    limitedByRealm: destinations
      .filter(({ limits }) => limits.some(({ per }) => per === contract.LimitScope.REALM))
      .map(({ id }) => id),
  };
  return { inUse, taken: new Set(configuration.realms.map((each) => each.name)) };
}

function validatorsOf({ clients }: Configuration, realm: string): string[] {
  return clients
    .filter(({ grants }) => grants.some(({ realms }) => realms.includes(realm)))
    .map(({ name }) => name);
}

function secondsOf(duration: Duration | undefined, otherwise: number): number {
  return duration ? Number(duration.seconds) + duration.nanos / 1e9 : otherwise;
}

function nothingToRotate(realm: string): Failure {
  const message =
    `no key of ${realm} is active, so there is nothing to rotate: ` +
    `callpass key add --generate ${operands(realm)}, then callpass key activate`;
  return new Failure(EXIT.failed, { message });
}

function printPlan(print: Page, plan: RotationPlan): void {
  print.fields({
    realm: plan.realm,
    cipher: plan.cipher,
    revision: plan.configurationRevision,
    'active key': `version ${plan.activeVersion}`,
    'token lifetime': `${plan.tokenLifetimeSeconds} s; the portal's "Duration to Expire Authentication" must be the same`,
    'clock skew': `${plan.maxClockSkewSeconds} s`,
    'a retired key still validates for': `${plan.validatesAfterRetirementSeconds} s`,
  });
  print.line('');
  print.table(
    ['VERSION', 'STATE', 'FINGERPRINT', 'VALIDATES UNTIL'],
    plan.keys.map((key) => [key.version, key.state, key.fingerprint, key.validateUntilTime]),
  );
  print.line('');
  print.table(
    ['DESTINATION', 'ACCOUNT'],
    plan.destinations.slice(0, MOST_SHOWN).map(({ id, account }) => [id, account]),
  );
  const more = plan.destinations.length - MOST_SHOWN;
  if (more > 0) print.line(`and ${more} more; --output json has them all`);
  if (plan.destinations.length === 0) print.line('no destination uses this realm');
  plan.ways.forEach((way, index) => {
    printWay(print, way, index + 1);
  });
}

function printWay(print: Page, way: Way, number: number): void {
  print.line('');
  print.line(`WAY ${number}: ${way.summary}`, 'good');
  print.line('  check first:');
  for (const check of way.checks) print.line(`  - ${check}`);
  print.line('  refused by the gateway:', 'warn');
  for (const refused of way.refusedByGateway) print.line(`  - ${refused}`);
  way.steps.forEach(({ title, where, notes, commands }, index) => {
    print.line(`  ${index + 1}. [${where}] ${title}`);
    for (const note of notes) print.line(`     ${note}`);
    for (const command of commands) print.line(`       ${command}`);
  });
}
