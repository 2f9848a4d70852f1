import { type Command, Option } from 'commander';
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type { FreezeEntry, IssuedSummary, SummarizeEntriesRequestSchema } from '@callpass/contract';
import { parseSinceMs, timestampOf, wholeNumberFrom } from '../arguments.ts';
import { nextCommands, type IncidentScope } from '../incident/next-commands.ts';
import { textOf, type Page } from '../output.ts';
import { valueOrStdin } from '../read-file.ts';
import { resultOf } from '../result-of.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import { MOST_SHOWN } from '../wording.ts';

type Issued = NonNullable<MessageInitShape<typeof SummarizeEntriesRequestSchema>['issued']>;

interface Options {
  readonly since?: number;
}

/** `callpass incident …`: what was issued, to whom, what of it lives, and what to do next. */
export function addIncidentCommands(program: Command, run: RunCommand): void {
  const incident = program
    .command('incident')
    .description('what was issued with a key, by a client or for a visitor, and what to do next');
  const command = (name: string, description: string) =>
    incident
      .command(name)
      .description(description)
      .addOption(new Option('--since <time>', 'only what was issued since').argParser(parseSinceMs));

  command('key', 'a key of a realm has leaked')
    .argument('<realm>', 'name of the realm')
    .argument('<version>', 'version of the key', wholeNumberFrom(1))
    .action((realm: string, version: number, options: Options, own: Command) =>
      run(own, (session) => report(session, { case: 'key', value: { realm, version } }, options)),
    );
  command('client', 'an identity of a client has leaked, or the client misbehaves')
    .argument('<name>', 'name of the client')
    .action((value: string, options: Options, own: Command) =>
      run(own, (session) => report(session, { case: 'client', value }, options)),
    );
  for (const [name, field] of [
    ['subject', 'subject'],
    ['subject-hash', 'subjectHash'],
  ] as const) {
    command(
      name,
      field === 'subject' ? 'a visitor misbehaves' : 'the same, by the hash that the ledger shows',
    )
      .argument('<value>', 'the visitor; - to read it from stdin, where no history keeps it')
      .action((value: string, options: Options, own: Command) =>
        run(own, async (session) => {
          const given = await valueOrStdin(value, session.terminal.stdin);
          await report(session, { case: field, value: given }, options);
        }),
      );
  }
}

async function report(session: Session, issued: Issued, { since }: Options): Promise<void> {
  const signal = session.terminal.untilInterrupted();
  const request = { issued, ...(since !== undefined && { startTime: timestampOf(since) }) };
  const summary = await resultOf(
    session,
    session.ledger.summarizeEntries(request, { ...session.patiently, signal }),
    (part) => (part.case === 'summary' ? part.value : undefined),
  );
  const scope = scopeOf(issued, summary);
  session.answer(summary, (print, json) => {
    printSummary(print, session, { scope, summary, json });
  });
}

function scopeOf(issued: Issued, { subjectHash }: IssuedSummary): IncidentScope {
  switch (issued.case) {
    case 'key': {
      const { realm = '', version = 0 } = issued.value;
      return { kind: 'key', realm, version };
    }
    case 'client':
      return { kind: 'client', client: issued.value };
    case 'subject':
    case 'subjectHash':
    case undefined:
      return { kind: 'subject', subjectHash };
  }
}

const TITLES = {
  key: ({ realm, version }) => `key ${version} of ${realm}`,
  client: ({ client }) => `client ${client}`,
  subject: ({ subjectHash }) => `visitor ${subjectHash}`,
} satisfies { [K in IncidentScope['kind']]: (scope: Extract<IncidentScope, { kind: K }>) => string };

function printSummary(
  print: Page,
  session: Session,
  { scope, summary, json }: { scope: IncidentScope; summary: IssuedSummary; json: JsonObject },
): void {
  const { issuedCount, aliveCount, freezes } = summary;
  const keys = (json['realmKeys'] as JsonObject[]).map(({ version, state }) => ({
    version: Number(version),
    state: textOf(state),
  }));
  const title = (TITLES[scope.kind] as (scope: IncidentScope) => string)(scope);
  print.line(`INCIDENT: ${title}`, 'bad');
  print.fields({
    'as of': json['time'],
    issued: `${issuedCount} credentials${between(json)}`,
    alive:
      aliveCount === 0n ? 'none' : `${aliveCount}; the last one dies at ${textOf(json['lastExpireTime'])}`,
    'state of the key': scope.kind === 'key' ? stateOf(keys, scope.version) : undefined,
    frozen: freezes.length === 0 ? 'nothing' : undefined,
  });
  for (const freeze of freezes) print.line(`frozen: ${textOfFreeze(session, freeze)}`, 'warn');
  const groups = json['groups'] as JsonObject[];
  if (groups.length > 0) print.line('');
  print.table(
    ['CLIENT', 'DESTINATION', 'REALM', 'KEY', 'ISSUED', 'ALIVE', 'LAST ISSUED', 'LAST DIES'],
    groups
      .slice(0, MOST_SHOWN)
      .map((group) => [
        ...[group['client'], group['destination'], group['realm'], group['keyVersion']],
        ...[group['issuedCount'], group['aliveCount'], group['lastIssueTime'], group['lastExpireTime']],
      ]),
  );
  const more = groups.length + Number(summary.omittedGroupCount) - MOST_SHOWN;
  if (more > 0) print.line(`and ${more} more; --output json has them`);
  const frozen = freezes.some((freeze) => isOf(freeze, scope));
  const commands = nextCommands(scope, { frozen, keys });
  print.line('');
  print.line(commands.length > 0 ? 'next:' : 'nothing is left to do here');
  for (const command of commands) print.line(`  ${command}`);
}

function between({ firstIssueTime, lastIssueTime }: JsonObject): string {
  if (firstIssueTime === undefined) return '';
  return `, ${textOf(firstIssueTime)} to ${textOf(lastIssueTime)}`;
}

function stateOf(keys: readonly { version: number; state: string }[], wanted: number): string {
  return keys.find(({ version }) => version === wanted)?.state ?? 'the realm has no such key';
}

function textOfFreeze({ jsonOf }: Session, freeze: FreezeEntry): string {
  const { scope, reason, freezeTime, untilTime, frozenBy } = jsonOf(freeze);
  const [kind, name] = Object.entries((scope ?? {}) as JsonObject)[0] ?? [];
  const until = untilTime === undefined ? '' : ` until ${textOf(untilTime)}`;
  return `${kind} ${textOf(name)} since ${textOf(freezeTime)}${until} by ${textOf(frozenBy)}: ${textOf(reason)}`;
}

/** Tests that a freeze is of what the incident is about, and not only of a part of it. */
function isOf({ scope }: FreezeEntry, incident: IncidentScope): boolean {
  const frozen = scope?.scope;
  switch (incident.kind) {
    case 'key':
      return frozen?.case === 'realm' && frozen.value === incident.realm;
    case 'client':
      return frozen?.case === 'client' && frozen.value === incident.client;
    case 'subject':
      return frozen?.case === 'subjectHash' && frozen.value === incident.subjectHash;
  }
}
