import { type Command, Option } from 'commander';
import { wrongUse } from './failure.ts';
import type { OutputFormat } from './output.ts';
import { parseDurationMs } from './arguments.ts';

/** Options of every command. */
export interface GlobalOptions {
  readonly address: string;
  readonly tls?: true;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly plaintextEncryptedBy?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly timeout: number;
  /** `true` if `timeout` was given, not the default. */
  readonly timeoutGiven: boolean;
  readonly output: OutputFormat;
}

const DEFAULT_ADDRESS = '127.0.0.1:50051';

/** The one table of them. Environment variables count where the option is not given. */
const GLOBAL_OPTIONS: readonly Option[] = [
  new Option('--address <target>', 'where the service is').env('CALLPASS_ADDRESS').default(DEFAULT_ADDRESS),
  new Option('--tls', "encrypt, trusting the system's authorities (implied by --ca and --cert)"),
  new Option('--ca <file>', 'authorities that the certificate of the service is checked against').env(
    'CALLPASS_CA',
  ),
  new Option('--cert <file>', 'certificate to present, together with --key').env('CALLPASS_CERT'),
  new Option('--key <file>', 'private key of --cert').env('CALLPASS_KEY'),
  new Option(
    '--plaintext-encrypted-by <name>',
    'what encrypts instead of TLS, such as the mesh; allows plain text to any address',
  ).env('CALLPASS_PLAINTEXT_ENCRYPTED_BY'),
  new Option('--token-file <file>', 'file with the bearer token to present').env('CALLPASS_TOKEN_FILE'),
  new Option('--token <token>', 'the token itself; others see it in the list of processes').env(
    'CALLPASS_TOKEN',
  ),
  new Option('--timeout <time>', 'time limit of each request, such as 10s or 500ms')
    .argParser(parseDurationMs)
    .default(10_000, '10s'),
  new Option('--output <format>', 'text for people, json for scripts')
    .choices(['text', 'json'])
    .default('text'),
];

/** Adds them to the program; they may stand before and behind the command. */
export function addGlobalOptions(program: Command): void {
  for (const option of GLOBAL_OPTIONS) program.addOption(option);
}

/** Reads them at a command. Throws a Failure of use where two contradict each other. */
export function globalOptionsOf(command: Command): GlobalOptions {
  const options: Record<string, unknown> = { ...command.optsWithGlobals() };
  const given = (name: string) => command.getOptionValueSourceWithGlobals(name) === 'cli';
  if (options['address'] === '' && given('address')) throw wrongUse('--address is empty; give host:port');
  for (const [name, value] of Object.entries(options)) if (value === '') delete options[name];
  if (options['token'] !== undefined && options['tokenFile'] !== undefined) {
    if (given('token') === given('tokenFile')) throw wrongUse('give --token or --token-file, not both');
    delete options[given('token') ? 'tokenFile' : 'token'];
  }
  if ((options['cert'] === undefined) !== (options['key'] === undefined)) {
    throw wrongUse('--cert and --key go together');
  }
  return { address: DEFAULT_ADDRESS, ...options, timeoutGiven: given('timeout') } as unknown as GlobalOptions;
}
