import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { wholeNumberFrom } from '../arguments.ts';
import { EXIT, type ExitCode } from '@callpass/program';
import { Failure, wrongUse } from '../failure.ts';
import type { ExportedChain } from '@callpass/ledger';
import { type Output, type Page, textOf } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

interface VerifyOptions {
  readonly file?: string;
  readonly writer?: string;
  readonly first: number;
  readonly last: number;
}

/** `callpass ledger verify`, of the service's own ledger or of an export. */
export function addVerifyCommand(ledger: Command, run: RunCommand): void {
  const place = (flags: string, description: string, otherwise: string) =>
    new Option(flags, description).argParser(wholeNumberFrom(1)).default(0, otherwise);
  ledger
    .command('verify')
    .description('recompute the hash chains; ends with 1 unless they are intact')
    .option('-f, --file <file>', 'an export, verified here and without the service; - for stdin')
    .option('--writer <id>', 'only this chain')
    .addOption(place('--first <n>', 'from this place on', 'the beginning of what is kept'))
    .addOption(place('--last <n>', 'up to this place', 'the end'))
    .action((options: VerifyOptions, command: Command) => {
      const { file, writer, first, last } = options;
      if (file === undefined) return run(command, (session) => verifyService(session, options));
      return run.offline(command, ({ terminal, output }) => {
        if (writer !== undefined || first !== 0 || last !== 0)
          throw wrongUse('--file is verified as a whole: leave --writer, --first and --last out');
        return verifyFile(file, { terminal, output });
      });
    });
}

async function verifyService(
  session: Session,
  { writer = '', first, last }: VerifyOptions,
): Promise<ExitCode> {
  const request = { writerId: writer, firstSequence: BigInt(first), lastSequence: BigInt(last) };
  const response = await session.ledger.verifyLedger(request, session.patiently);
  if (writer !== '' && response.chains.length === 0)
    throw new Failure(EXIT.failed, { message: `there is no chain ${writer}` });
  session.answer(response, (print, json) => {
    printOutcome(print, json);
  });
  return response.intact ? EXIT.done : EXIT.failed;
}

async function verifyFile(
  file: string,
  { terminal, output }: { terminal: Terminal; output: Output },
): Promise<ExitCode> {
  const { readExport } = await import('../ledger/read-export.ts');
  const found = await readExport(file, terminal.stdin);
  const { fault, entryCount, chains } = found;
  const { sequence, ...rest } = fault ?? {};
  // Of the shape of the service's own answer, so that both can be compared.
  const json: JsonObject = {
    intact: fault === undefined,
    entryCount: String(entryCount),
    faults: fault ? [{ ...rest, ...(sequence !== undefined && { sequence: String(sequence) }) }] : [],
    chains: chains.map(chainJson),
  };
  output.answer(json, (print) => {
    printOutcome(print, json, file);
  });
  return fault ? EXIT.failed : EXIT.done;
}

function chainJson({
  writerId,
  firstSequence,
  lastSequence,
  lastHash,
  anchorHash,
}: ExportedChain): JsonObject {
  return {
    writerId,
    firstSequence: String(firstSequence),
    lastSequence: String(lastSequence),
    lastHash: Buffer.from(lastHash, 'hex').toString('base64'),
    anchorHash: Buffer.from(anchorHash, 'hex').toString('base64'),
  };
}

function printOutcome(print: Page, { intact, entryCount, faults, chains }: JsonObject, file?: string): void {
  print.line(
    `${intact === true ? 'intact' : 'NOT INTACT'}, ${textOf(entryCount)} entries`,
    intact === true ? 'good' : 'bad',
  );
  for (const { writerId, sequence, text, line } of faults as JsonObject[]) {
    const place = line === undefined ? '' : `${file ?? ''}:${textOf(line)}: `;
    const chain = writerId === undefined ? '' : `chain ${textOf(writerId)}, entry ${textOf(sequence)}: `;
    print.line(`${place}${chain}${textOf(text)}`);
  }
  if (intact !== true) return;
  print.table(
    ['CHAIN', 'FIRST', 'LAST', 'HASH OF THE LAST'],
    (chains as JsonObject[]).map(({ writerId, firstSequence, lastSequence, lastHash }) => {
      const hash = Buffer.from(textOf(lastHash), 'base64').toString('hex');
      return [writerId, firstSequence, lastSequence, hash];
    }),
  );
}
