import { type Command, Option } from 'commander';
import type { ConfigurationDocument } from '@callpass/config-document';
import { parseSinceMs, timestampOf } from '../arguments.ts';
import { failureOf } from '../failure.ts';
import { printReplay } from '../replay/print-replay.ts';
import { resultOf } from '../result-of.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import { readDocument, withLines } from './configuration-file.ts';

interface ReplayOptions {
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly since?: number | undefined;
  readonly destination?: string;
  readonly timeZone?: string;
}

/** `callpass config replay`. */
export function addConfigReplayCommand(config: Command, run: RunCommand): void {
  config
    .command('replay')
    .description(
      'say what would have been otherwise, had a document been in force; changes and records nothing',
    )
    .requiredOption('-f, --file <file>', 'the document to replay, YAML or JSON; - for stdin')
    .addOption(
      new Option(
        '--since <time>',
        'only requests since, as a time or an age such as 7d; left out, all that the ledger holds',
      ).argParser(parseSinceMs),
    )
    .option('--destination <id>', 'report on this one only; limits count the others all the same')
    .option('--time-zone <name>', 'zone of the hours; left out, the one of all opening hours, or UTC')
    .action((options: ReplayOptions, command: Command) =>
      run(command, async (session) => {
        const document = await readDocument(session, options.file);
        const signal = session.terminal.untilInterrupted();
        await replayDocument(session, { ...options, document, signal });
      }),
    );
}

/** Replays a document on the service and shows the report. */
export async function replayDocument(
  session: Session,
  asked: ReplayOptions & { readonly document: ConfigurationDocument; readonly signal: AbortSignal },
): Promise<void> {
  const { document, file, since, destination = '', timeZone = '', signal } = asked;
  const request = {
    configuration: document.configuration,
    ...(since !== undefined && { since: timestampOf(since) }),
    ...{ destination, timeZone },
  };
  const stream = session.admin.replayConfiguration(request, { ...session.patiently, signal });
  const report = await resultOf(session, stream, (part) =>
    part.case === 'report' ? part.value : undefined,
  ).catch(async (error: unknown) => {
    throw withLines(await failureOf(error), { document, file, doing: 'replayed' });
  });
  session.answer(report, (print) => {
    printReplay(print, session, report);
  });
}
