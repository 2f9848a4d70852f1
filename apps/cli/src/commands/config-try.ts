import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { parseTimeMs, timestampOf } from '../arguments.ts';
import { EXIT, type ExitCode } from '@callpass/program';
import { failureOf } from '../failure.ts';
import { type Page, textOf } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import { valueOrStdin } from '../read-file.ts';
import type { Session } from '../session.ts';
import { readDocument, withLines } from './configuration-file.ts';

interface TryOptions {
  readonly at?: number;
  readonly subject?: string;
  readonly callee?: string;
  readonly caller?: string;
  readonly client?: string;
  readonly file?: string;
}

/** `callpass config try`. */
export function addConfigTryCommand(config: Command, run: RunCommand): void {
  config
    .command('try')
    .description('say what would happen to a request and by which rule; issues, counts and records nothing')
    .argument('<destination>', 'id of the destination')
    .addOption(new Option('--at <time>', 'when it would be asked; left out, now').argParser(parseTimeMs))
    .option('--subject <name>', 'who the visitor is; - to read it from stdin')
    .option('--callee <address>', 'who would be called; left out, the first of the destination')
    .option('--caller <address>', 'who the call would come from; left out, the account of the destination')
    .option('--client <name>', 'the client that would ask; left out, no grant is asked for')
    .option('-f, --file <file>', 'a document to try instead of the configuration in force; - for stdin')
    .action((destination: string, options: TryOptions, command: Command) =>
      run(command, (session) => tryIssue(session, destination, options)),
    );
}

async function tryIssue(session: Session, destination: string, options: TryOptions): Promise<ExitCode> {
  const { at, callee = '', caller = '', client = '', file } = options;
  const document = file === undefined ? undefined : await readDocument(session, file);
  const response = await session.admin
    .tryIssue({
      destination,
      subject: await valueOrStdin(options.subject ?? '', session.terminal.stdin),
      callee,
      caller,
      client,
      ...(at !== undefined && { time: timestampOf(at) }),
      ...(document && { configuration: document.configuration }),
    })
    .catch(async (error: unknown) => {
      const failure = await failureOf(error);
      throw document && file !== undefined ? withLines(failure, { document, file, doing: 'tried' }) : failure;
    });
  session.answer(response, printTried);
  return response.allowed ? EXIT.done : EXIT.failed;
}

function printTried(print: Page, { allowed, text, limits, openTime, ...rest }: JsonObject): void {
  print.line(
    `${allowed === true ? 'allowed' : 'refused'}: ${textOf(text)}`,
    allowed === true ? 'good' : 'bad',
  );
  const { reason, rule, callee, caller } = rest;
  print.fields({ reason, rule, callee, caller, opens: openTime });
  const rows = (limits as JsonObject[]).map(({ name, taken, max, window, shadow }) => [
    name,
    taken ?? '?',
    max,
    window,
    shadow === true ? 'shadow' : 'enforced',
  ]);
  if (rows.length > 0) print.table(['LIMIT', 'TAKEN', 'MAX', 'WINDOW', ''], rows);
}
