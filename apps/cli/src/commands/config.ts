import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { ConfigurationDocument } from '@callpass/config-document';
import { EXIT } from '@callpass/program';
import { Failure, failureOf, wrongUse } from '../failure.ts';
import { type Page, textOf, type Tone } from '../output.ts';
import { lineOf } from '../read-file.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import { parseSinceMs, wholeNumberFrom } from '../arguments.ts';
import { addConfigReplayCommand, replayDocument } from './config-replay.ts';
import { addConfigTryCommand } from './config-try.ts';
import { readDocument, withLines } from './configuration-file.ts';

interface ApplyOptions {
  readonly file: string;
  readonly dryRun?: true;
  readonly force?: true;
  readonly expectedRevision?: number;
  /** Milliseconds since the epoch. */
  readonly replay?: number;
}

/** `callpass config …`. */
export function addConfigCommands(program: Command, run: RunCommand): void {
  const config = program.command('config').description('the configuration: realms, destinations, clients');

  config
    .command('apply')
    .description('replace the configuration as a whole')
    .requiredOption('-f, --file <file>', 'the document, YAML or JSON; - for stdin')
    .option('--dry-run', 'check it and show the changes, but apply nothing')
    .addOption(
      new Option(
        '--replay <since>',
        'first say what would have been otherwise since then, and ask; see config replay',
      ).argParser(parseSinceMs),
    )
    .option('--force', 'also where a realm is removed whose tokens are still valid')
    .addOption(
      new Option(
        '--expected-revision <n>',
        'refuse if another revision is in force; left out, the present one',
      ).argParser(wholeNumberFrom(0)),
    )
    .action((options: ApplyOptions, command: Command) => run(command, (session) => apply(session, options)));

  config
    .command('get')
    .description('show the configuration as a document')
    .addOption(
      new Option('--revision <n>', 'an earlier one')
        .argParser(wholeNumberFrom(1))
        .default(0, 'the one in force'),
    )
    .action((options: { readonly revision: number }, command: Command) =>
      run(command, async (session) => {
        const response = await session.admin.getConfiguration(options);
        const { formatConfigurationDocument } = await import('@callpass/config-document');
        session.answer(response, (print, { revision }) => {
          const { revision: number = 0, applyTime, appliedBy } = (revision ?? {}) as JsonObject;
          const by = applyTime === undefined ? '' : `, applied ${textOf(applyTime)} by ${textOf(appliedBy)}`;
          session.note(`revision ${textOf(number)}${by}`);
          if (response.configuration) print.raw(formatConfigurationDocument(response.configuration));
        });
      }),
    );

  config
    .command('history')
    .description('list the revisions, newest first')
    .addOption(new Option('--limit <n>', 'at most so many').argParser(wholeNumberFrom(1)).default(50))
    .action(({ limit }: { readonly limit: number }, command: Command) =>
      run(command, async (session) => {
        const page = await session.admin.listConfigurationRevisions({ pageSize: Math.min(limit, MAX_PAGE) });
        while (page.revisions.length < limit && page.nextPageToken !== '') {
          const pageSize = Math.min(limit - page.revisions.length, MAX_PAGE);
          const next = await session.admin.listConfigurationRevisions({
            pageSize,
            pageToken: page.nextPageToken,
          });
          page.revisions.push(...next.revisions);
          page.nextPageToken = next.nextPageToken;
        }
        session.answer(page, (print, { revisions }) => {
          const rows = revisions as JsonObject[];
          print.table(
            ['REVISION', 'APPLIED', 'BY'],
            rows.map(({ revision, applyTime, appliedBy }) => [revision, applyTime, appliedBy]),
          );
        });
        if (page.nextPageToken !== '') session.note('there are more; see --limit');
      }),
    );

  addConfigTryCommand(config, run);
  addConfigReplayCommand(config, run);
}

/** The most that a page of revisions may hold. */
const MAX_PAGE = 500;

async function apply(session: Session, options: ApplyOptions): Promise<void> {
  const document = await readDocument(session, options.file);
  const { dryRun = false, force = false, expectedRevision = await currentRevision(session) } = options;
  const { configuration, empty: allowEmpty } = document;
  if (options.replay !== undefined) await replayFirst(session, { ...options, document });
  const response = await session.admin
    .applyConfiguration({ configuration, expectedRevision, dryRun, force, allowEmpty })
    .catch(async (error: unknown) => {
      throw withLines(await failureOf(error), {
        document,
        file: options.file,
        doing: 'applied',
      });
    });
  session.answer(response, (print, { changes }) => {
    for (const change of changes as JsonObject[]) printChange(print, change);
  });
  for (const warning of response.warnings) session.note(`warning: ${warning}`, 'warn');
  session.note(outcome(response.revision, { dryRun, unchanged: response.revision === expectedRevision }));
}

/** Shows what the document would have changed, and goes on with `yes` only. */
async function replayFirst(
  session: Session,
  { file, dryRun, replay: since, document }: ApplyOptions & { readonly document: ConfigurationDocument },
): Promise<void> {
  if (session.output.format === 'json')
    throw wrongUse('--replay shows a report and asks: with --output json, run config replay by itself');
  if (file === '-' && !dryRun) throw wrongUse('--replay asks on stdin: give the document as a file');
  const signal = session.terminal.untilInterrupted();
  await replayDocument(session, { file, document, since, signal });
  if (dryRun) return;
  session.note('apply it? Only yes does:');
  if ((await lineOf(session.terminal.stdin, signal)) !== 'yes')
    throw new Failure(EXIT.failed, { message: 'not applied: the answer was not yes' });
}

async function currentRevision({ admin }: Session): Promise<number> {
  const { revisions } = await admin.listConfigurationRevisions({ pageSize: 1 });
  return revisions[0]?.revision ?? 0;
}

const CHANGES: Readonly<Record<string, readonly [sign: string, tone: Tone]>> = {
  ADDED: ['+', 'good'],
  CHANGED: ['~', 'warn'],
  REMOVED: ['-', 'bad'],
};

function printChange(print: Page, { kind, path, before, after }: JsonObject): void {
  const [sign, tone] = CHANGES[textOf(kind)] ?? ['?', 'warn'];
  const values = [before, after]
    .map(textOf)
    .filter((value) => value !== '')
    .join(' -> ');
  print.line(`${sign} ${textOf(path)}${values === '' ? '' : `: ${values}`}`, tone);
}

function outcome(revision: number, { dryRun, unchanged }: { dryRun: boolean; unchanged: boolean }): string {
  if (dryRun) return `dry run: nothing is applied, revision ${revision} stays in force`;
  return unchanged
    ? `nothing changes, revision ${revision} stays in force`
    : `revision ${revision} is in force`;
}
