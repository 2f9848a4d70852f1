import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { wholeNumberFrom } from '../arguments.ts';
import { EXIT, type ExitCode } from '@callpass/program';
import { Failure, wrongUse } from '../failure.ts';
import type { ExportedChain, ExportVerification } from '@callpass/ledger';
import { type Output, type Page, textOf } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

interface VerifyOptions {
  readonly file?: string;
  readonly anchor?: string;
  readonly service?: true;
  readonly writer?: string;
  readonly first: number;
  readonly last: number;
}

/** Limits of a verification from inside, said wherever nothing that was kept elsewhere was looked at. */
const NOT_FOUND_FROM_INSIDE =
  'A store that was put back as a whole to an earlier state holds too: compare with an anchor that was kept elsewhere (callpass ledger anchor, callpass ledger verify --anchor FILE)';
const NOT_FOUND_IN_FILE =
  'A file that was made up anew as a whole is self-consistent too: verify it with --service, or with --anchor FILE';

/** `callpass ledger verify`, of the service's own ledger or of an export. */
export function addVerifyCommand(ledger: Command, run: RunCommand): void {
  const place = (flags: string, description: string, otherwise: string) =>
    new Option(flags, description).argParser(wholeNumberFrom(1)).default(0, otherwise);
  ledger
    .command('verify')
    .description('recompute the hash chains; ends with 1 unless they hold')
    .option('-f, --file <file>', 'an export, verified here and without the service; - for stdin')
    .option('--anchor <file>', 'compare with what callpass ledger anchor printed before')
    .option('--service', 'with --file: have the service prove that it is an export of its ledger')
    .option('--writer <id>', 'only this chain')
    .addOption(place('--first <n>', 'from this place on', 'the beginning of what is kept'))
    .addOption(place('--last <n>', 'up to this place', 'the end'))
    .action((options: VerifyOptions, command: Command) => {
      const { file, anchor, service } = options;
      if (service || file === undefined)
        return run(command, (session) => {
          assertTogether(options);
          return file === undefined
            ? verifyService(session, options)
            : verifyFile(file, { ...session, anchorFile: anchor, session });
        });
      return run.offline(command, (at) => {
        assertTogether(options);
        return verifyFile(file, { ...at, anchorFile: anchor });
      });
    });
}

function assertTogether({ file, anchor, service, writer, first, last }: VerifyOptions): void {
  const part = writer !== undefined || first !== 0 || last !== 0;
  if (part && (file !== undefined || anchor !== undefined))
    throw wrongUse('a file and an anchor concern the whole: leave --writer, --first and --last out');
  if (service && file === undefined) throw wrongUse('--service is for an export: give --file too');
}

async function verifyService(
  session: Session,
  { anchor: anchorFile, writer = '', first, last }: VerifyOptions,
): Promise<ExitCode> {
  const request = { writerId: writer, firstSequence: BigInt(first), lastSequence: BigInt(last) };
  if (anchorFile === undefined) {
    const response = await session.ledger.verifyLedger(request, session.patiently);
    if (writer !== '' && response.chains.length === 0)
      throw new Failure(EXIT.failed, { message: `there is no chain ${writer}` });
    session.answer(response, (print, json) => {
      printOutcome(print, json, { verdict: json['intact'] === true ? 'intact' : 'NOT INTACT' });
    });
    if (response.intact) session.note(NOT_FOUND_FROM_INSIDE);
    return response.intact ? EXIT.done : EXIT.failed;
  }
  const { readAnchors, timeOf } = await import('../ledger/anchor-file.ts');
  const anchors = await readAnchors(anchorFile, session.terminal.stdin);
  let response = await session.ledger.verifyLedger({ anchor: anchors[0] }, session.patiently);
  for (const anchor of anchors.slice(1)) {
    if (response.intact) response = await session.ledger.verifyLedger({ anchor }, session.patiently);
  }
  const against = `as ${anchors.length === 1 ? 'the anchor' : 'the anchors'} of ${anchors.map(timeOf).join(', ')} says`;
  session.answer(response, (print, json) => {
    printOutcome(print, json, {
      verdict: json['intact'] === true ? 'intact' : 'NOT INTACT',
      ...(json['intact'] === true && { against }),
    });
  });
  return response.intact ? EXIT.done : EXIT.failed;
}

/** Surroundings of the verification of a file: with a service that proves it, or without. */
interface FilePlace {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly anchorFile: string | undefined;
  readonly session?: Session;
}

async function verifyFile(
  file: string,
  { terminal, output, anchorFile, session }: FilePlace,
): Promise<ExitCode> {
  const { readExport } = await import('../ledger/read-export.ts');
  const { readAnchors, anchorOf } = await import('../ledger/anchor-file.ts');
  const [message, ...more] = anchorFile === undefined ? [] : await readAnchors(anchorFile, terminal.stdin);
  if (more.length > 0) throw wrongUse('a file is compared with one anchor: give a file that holds just one');
  const anchor = message && anchorOf(message);
  const found = await readExport(file, terminal.stdin, anchor);
  const proved = session && found.fault === undefined ? await askService(session, found) : undefined;
  const faults = [found.fault, ...found.differences, ...(proved?.faults ?? [])].filter(
    (fault) => fault !== undefined,
  );
  const proven =
    proved !== undefined ? found.entryCount : anchor ? provenEntries(found.chains, anchor.chains) : 0;
  const sound = faults.length === 0;
  const intact = sound && (proved !== undefined || (anchor !== undefined && proven === found.entryCount));
  // Of the shape of the service's own answer, so that both can be compared.
  const json: JsonObject = {
    intact,
    selfConsistent: found.fault === undefined,
    entryCount: String(found.entryCount),
    provenEntryCount: String(sound ? proven : 0),
    faults: faults.map(({ sequence, ...rest }) => {
      return { ...rest, ...(sequence !== undefined && { sequence: String(sequence) }) };
    }),
    chains: found.chains.map(chainJson),
  };
  output.answer(json, (print) => {
    printOutcome(print, json, {
      verdict: intact ? 'intact' : sound ? 'self-consistent' : 'NOT INTACT',
      file,
      ...(sound && proved && { against: 'as the service proves' }),
      ...(sound && anchor && { against: `of which ${proven} as the anchor of ${anchor.time} says` }),
    });
  });
  if (sound && !intact) output.note(NOT_FOUND_IN_FILE);
  return sound ? EXIT.done : EXIT.failed;
}

/** Entries of an export that the heads of an anchor vouch for. */
function provenEntries(chains: readonly ExportedChain[], anchored: readonly ExportedChain[]): number {
  const lastOf = new Map(anchored.map(({ writerId, lastSequence }) => [writerId, lastSequence]));
  return chains.reduce((sum, { writerId, firstSequence, lastSequence }) => {
    return sum + Math.max(0, Math.min(lastOf.get(writerId) ?? 0, lastSequence) - firstSequence + 1);
  }, 0);
}

/** Has the service prove the header of an export, and that its ledger still has what is in it. */
async function askService(
  session: Session,
  { anchor }: ExportVerification,
): Promise<{ faults: readonly { writerId: string; sequence: number; text: string }[] }> {
  if (anchor === undefined)
    throw new Failure(EXIT.failed, {
      message: 'the export is of a version without a proof of its heads: compare it with --anchor FILE',
    });
  const { messageOf } = await import('../ledger/anchor-file.ts');
  const { faults } = await session.ledger.verifyLedger({ anchor: messageOf(anchor) }, session.patiently);
  return { faults: faults.map((fault) => ({ ...fault, sequence: Number(fault.sequence) })) };
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

function printOutcome(
  print: Page,
  { entryCount, faults, chains }: JsonObject,
  { verdict, against, file = '' }: { verdict: string; against?: string; file?: string },
): void {
  const holds = verdict !== 'NOT INTACT';
  const how = against === undefined ? '' : `, ${against}`;
  print.line(`${verdict}, ${textOf(entryCount)} entries${how}`, holds ? 'good' : 'bad');
  for (const { writerId, sequence, text, line } of faults as JsonObject[]) {
    const place = line === undefined ? '' : `${file}:${textOf(line)}: `;
    const chain =
      writerId === undefined || writerId === ''
        ? ''
        : `chain ${textOf(writerId)}, entry ${textOf(sequence)}: `;
    print.line(`${place}${chain}${textOf(text)}`);
  }
  if (!holds) return;
  print.table(
    ['CHAIN', 'FIRST', 'LAST', 'HASH OF THE LAST'],
    (chains as JsonObject[]).map(({ writerId, firstSequence, lastSequence, lastHash }) => {
      const hash = Buffer.from(textOf(lastHash), 'base64').toString('hex');
      return [writerId, firstSequence, lastSequence, hash];
    }),
  );
}
