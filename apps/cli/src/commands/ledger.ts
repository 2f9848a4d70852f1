import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { EXIT } from '@callpass/program';
import { parseTimeMs, timestampOf } from '../arguments.ts';
import { Failure, wrongUse } from '../failure.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import { addEntryCommands } from './ledger-entries.ts';
import { addVerifyCommand } from './ledger-verify.ts';

/** `callpass ledger …`. */
export function addLedgerCommands(program: Command, run: RunCommand): void {
  const ledger = program.command('ledger').description('the record of what was issued, refused and changed');
  addEntryCommands(ledger, run);
  addVerifyCommand(ledger, run);

  ledger
    .command('anchor')
    .description(
      'print the heads of all chains on one line of JSON, to be kept elsewhere: verify --anchor compares with it',
    )
    .action((_options: unknown, command: Command) =>
      run(command, async (session) => {
        const { anchor } = await session.ledger.getAnchor({}, session.patiently);
        if (anchor === undefined) throw new Failure(EXIT.failed, { message: 'the service gave no anchor' });
        session.output.item(session.jsonOf(anchor), (print) => {
          print.raw(`${JSON.stringify(session.jsonOf(anchor))}\n`);
        });
      }),
    );

  ledger
    .command('export')
    .description('write every entry to a file that verifies without the service')
    .requiredOption('-o, --out <file>', 'the file; it is there once it is complete')
    .action(({ out }: { readonly out: string }, command: Command) =>
      run(command, (session) => exportTo(session, out)),
    );

  ledger
    .command('remove')
    .description('remove the oldest entries for good; what is kept still verifies')
    .addOption(
      new Option('--before <time>', 'entries before this time').argParser(parseTimeMs).makeOptionMandatory(),
    )
    .option('--yes', 'do it')
    .action((options: { readonly before: number; readonly yes?: true }, command: Command) =>
      run(command, async (session) => {
        if (!options.yes)
          throw wrongUse('this removes entries for good: export them first, then repeat it with --yes');
        const request = { beforeTime: timestampOf(options.before) };
        const response = await session.ledger.removeEntries(request, session.patiently);
        session.answer(response, (print) => {
          print.line(`${response.entryCount} entries are removed`);
        });
      }),
    );
}

async function exportTo(session: Session, file: string): Promise<void> {
  if (file === '-') throw wrongUse('an export needs a file: it is complete or not there at all');
  const [{ writeExport }, { writeWholeFile }] = await Promise.all([
    import('../ledger/write-export.ts'),
    import('../ledger/whole-file.ts'),
  ]);
  const { ledger, patiently, output, terminal } = session;
  const signal = terminal.untilInterrupted();
  const onProgress = (written: number, of: number) => output.progress(`${written} of ${of} entries`);
  const summary = await writeWholeFile(file, (write) =>
    writeExport({ ledger, patiently, signal, write, onProgress }),
  ).finally(() => output.progress(''));
  output.answer({ file, ...summary } as unknown as JsonObject, (print) => {
    print.fields({ file, entries: summary.entryCount, sha256: summary.sha256 });
  });
}
