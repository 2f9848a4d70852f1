import { type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { EnumName, TokenKind } from '@callpass/contract';
import { keyOfChoice } from '../arguments.ts';
import { EXIT } from '@callpass/program';
import { textOf } from '../output.ts';
import type { RunCommand } from '../run-command.ts';
import { valueOrStdin } from '../read-file.ts';
import type { Session } from '../session.ts';

type Kind = EnumName<typeof TokenKind>;

/** Values of --kind. */
const KINDS: Readonly<Record<Kind, string>> = { ACCOUNT: 'account', FROM: 'from', TO: 'to' };

const STALE =
  'The server cannot read the newest state of its store: the verdict may miss a freeze or a destroyed key.';

interface TokenOptions {
  readonly realm: string;
  readonly kind?: Kind;
  readonly requireIssuedHere?: true;
}

/** `callpass validate` and `callpass explain`. */
export function addTokenCommands(program: Command, run: RunCommand): void {
  tokenCommand(program, 'validate')
    .description('verify a token; ends with 1 unless it is VALID')
    .option('--require-issued-here', 'demand that this service issued exactly this token')
    .action((token: string, options: TokenOptions, command: Command) =>
      run(command, async (session) => {
        const { requireIssuedHere = false } = options;
        const request = { ...(await requestOf(session, token, options)), requireIssuedHere };
        const response = await session.credentials.validateToken(request);
        const valid = response.verdict === session.contract.Verdict.VALID;
        session.answer(response, (print, { verdict, ...rest }) => {
          print.line(verdict as string, valid ? 'good' : 'bad');
          print.fields(known(rest));
        });
        if (response.stale) session.note(STALE, 'warn');
        return valid ? EXIT.done : EXIT.failed;
      }),
    );

  tokenCommand(program, 'explain')
    .description('say in words what is wrong with a token')
    .action((token: string, options: TokenOptions, command: Command) =>
      run(command, async (session) => {
        const response = await session.admin.explainToken(await requestOf(session, token, options));
        session.answer(response, (print, { summary, findings }) => {
          const { verdict, ...rest } = (summary ?? {}) as JsonObject;
          print.line(textOf(verdict), verdict === 'VALID' ? 'good' : 'bad');
          print.fields(known(rest));
          for (const { code, text } of findings as JsonObject[])
            print.line(`${textOf(code)}: ${textOf(text)}`);
        });
      }),
    );
}

function tokenCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .argument('<token>', 'the text of the token, or - to read it from stdin, where no history keeps it')
    .requiredOption('--realm <name>', 'the realm it is meant for')
    .addOption(
      new Option('--kind <kind>', 'what it is meant to be: account, from or to').argParser(parseKind),
    );
}

function parseKind(text: string): Kind {
  return keyOfChoice(KINDS, text.toLowerCase());
}

async function requestOf({ contract, terminal }: Session, token: string, { realm, kind }: TokenOptions) {
  return {
    realm,
    token: await valueOrStdin(token, terminal.stdin),
    kind: contract.TokenKind[kind ?? 'TOKEN_KIND_UNSPECIFIED'],
  };
}

/** A token that could not be decrypted has no key; a verdict that is not stale needs no word about it. */
function known({ keyVersion, stale, ...rest }: JsonObject): JsonObject {
  return {
    ...rest,
    ...(keyVersion === 0 ? {} : { keyVersion: keyVersion ?? null }),
    ...(stale === true && { stale }),
  };
}
