import { type Command, Option } from 'commander';
import type { JsonObject, MessageInitShape } from '@bufbuild/protobuf';
import type {
  EnumName,
  LedgerEntry,
  LedgerEntry_Kind,
  ListEntriesRequestSchema,
  MessageFields,
} from '@callpass/contract';
import { keyOfChoice, parseSinceMs, parseTimeMs, timestampOf, wholeNumberFrom } from '../arguments.ts';
import { EXIT, type ExitCode } from '@callpass/program';
import { Failure } from '../failure.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';

/** Values of --kind, for each kind of entry of the contract. */
const KINDS: Readonly<Record<EnumName<typeof LedgerEntry_Kind>, string>> = {
  ISSUED: 'issued',
  REFUSED: 'refused',
  CONFIGURATION_APPLIED: 'configuration-applied',
  KEY_STATE_CHANGED: 'key-state-changed',
  FROZEN: 'frozen',
  UNFROZEN: 'unfrozen',
  ENTRIES_REMOVED: 'entries-removed',
};

interface FilterOptions {
  readonly destination?: string;
  readonly client?: string;
}

interface ListOptions extends FilterOptions {
  readonly since?: number;
  readonly until?: number;
  readonly kind?: string;
  readonly issuanceId?: string;
  readonly traceId?: string;
  readonly limit: number;
}

/** The most that a page of entries may hold. */
const MAX_PAGE = 1000;

/** `callpass ledger list` and `tail`. */
export function addEntryCommands(ledger: Command, run: RunCommand): void {
  filtered(ledger.command('list'))
    .description('list entries, oldest first')
    .addOption(new Option('--since <time>', 'not before').argParser(parseSinceMs))
    .addOption(new Option('--until <time>', 'before').argParser(parseTimeMs))
    .addOption(new Option('--kind <kind>', 'only of this kind').choices(Object.values(KINDS)))
    .option('--issuance-id <id>', 'only of this issue')
    .option('--trace-id <id>', 'only of this trace')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(wholeNumberFrom(1)).default(100))
    .action((options: ListOptions, command: Command) => run(command, (session) => list(session, options)));

  filtered(ledger.command('tail'))
    .description(
      'show entries as they are written, until Ctrl-C, also over restarts of the service; with --output json one JSON object a line',
    )
    .action((options: FilterOptions, command: Command) => run(command, (session) => tail(session, options)));
}

function filtered(command: Command): Command {
  return command
    .option('--destination <id>', 'only of this destination')
    .option('--client <name>', 'only of this client');
}

async function list(session: Session, { since, until, kind, limit, ...names }: ListOptions): Promise<void> {
  const filter: MessageInitShape<typeof ListEntriesRequestSchema> = {
    ...names,
    ...(since !== undefined && { startTime: timestampOf(since) }),
    ...(until !== undefined && { endTime: timestampOf(until) }),
    ...(kind !== undefined && { kind: session.contract.LedgerEntry_Kind[keyOfChoice(KINDS, kind)] }),
  };
  const page = await session.ledger.listEntries({ ...filter, pageSize: Math.min(limit, MAX_PAGE) });
  while (page.entries.length < limit && page.nextPageToken !== '') {
    const pageSize = Math.min(limit - page.entries.length, MAX_PAGE);
    const next = await session.ledger.listEntries({ ...filter, pageSize, pageToken: page.nextPageToken });
    for (const entry of next.entries) page.entries.push(entry);
    page.nextPageToken = next.nextPageToken;
  }
  session.answer(page, (print, { entries }) => {
    print.table(
      COLUMNS.map(([, heading]) => heading),
      (entries as JsonObject[]).map(rowOf),
    );
  });
  if (page.nextPageToken !== '') session.note('there are more; see --since and --limit');
}

async function tail(session: Session, { destination = '', client = '' }: FilterOptions): Promise<ExitCode> {
  const { ledger, output } = session;
  const signal = session.terminal.untilInterrupted();
  const onInterrupted = (error: Error | undefined) => {
    session.note(`${error?.message ?? `${session.address} has ended the stream`}; going on from there`);
  };
  try {
    for await (const message of ledger.followEntries({ destination, client }, { signal, onInterrupted })) {
      const entry = session.jsonOf(message);
      output.item(entry, (print) => {
        print.row(rowOf(entry), WIDTHS);
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  if (signal.aborted) return EXIT.done;
  throw new Failure(EXIT.unreachable, { message: `${session.address} has ended the stream of entries` });
}

/** Heading of each field of an entry, in the order of the columns. Those with an empty one are shown by `--output json` only. */
const HEADINGS: Readonly<Record<keyof MessageFields<LedgerEntry>, string>> = {
  time: 'TIME',
  kind: 'KIND',
  client: 'CLIENT',
  destination: 'DESTINATION',
  realm: 'REALM',
  keyVersion: 'KEY',
  callee: 'CALLEE',
  reason: 'REASON',
  rule: 'RULE',
  issuanceId: 'ISSUANCE',
  traceId: 'TRACE',
  writerId: 'CHAIN',
  sequence: 'SEQUENCE',
  caller: '',
  subjectHash: '',
  configurationRevision: '',
  expireTime: '',
  tokenFingerprints: '',
  version: '',
  changeNumber: '',
  changeHash: '',
  previousHash: '',
  hash: '',
};

const COLUMNS = Object.entries(HEADINGS).filter(([, heading]) => heading !== '');

/** Of the columns of a tail, which does not know what will come. */
const WIDTHS = [24, 17, 16, 16];

function rowOf(entry: JsonObject): unknown[] {
  const shown: JsonObject = { ...entry, keyVersion: entry['keyVersion'] || '' };
  return COLUMNS.map(([field]) => shown[field]);
}
