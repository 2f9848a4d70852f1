import type { Command } from 'commander';
import type { JsonObject, Message } from '@bufbuild/protobuf';
import { wrongUse } from '../failure.ts';
import type { RunCommand } from '../run-command.ts';
import { readSecret } from '../read-file.ts';
import type { Session } from '../session.ts';
import { wholeNumberFrom } from '../arguments.ts';
import { addKeyPlanCommand } from './key-plan.ts';

interface AddOptions {
  readonly keyFile?: string;
  readonly generate?: true;
}

/** The steps of a key's life, and the RPC of each. */
const STEPS = {
  activate: [
    'activateRealmKey',
    'encrypt with this key from now on; the one before is retired and still validates',
  ],
  retire: [
    'retireRealmKey',
    'encrypt no longer with this key; it validates until its last token has run out',
  ],
} as const;

interface DestroyOptions {
  readonly force?: true;
  readonly reason?: string;
}

/** `callpass key …`. */
export function addKeyCommands(program: Command, run: RunCommand): void {
  const key = program.command('key').description('the keys of realms');

  key
    .command('add')
    .description('add a key, in state PENDING')
    .argument('<realm>', 'name of the realm')
    .option('--key-file <file>', "file with the key as typed into the vendor's portal; - for stdin")
    .option('--generate', 'have the service make one; it is shown once')
    .action((realm: string, options: AddOptions, command: Command) =>
      run(command, (session) => add(session, realm, options)),
    );

  key
    .command('list')
    .description('list keys, never the keys themselves')
    .argument('[realm]', 'name of the realm; left out, every realm', '')
    .action((realm: string, _options: unknown, command: Command) =>
      run(command, async (session) => {
        const response = await session.admin.listRealmKeys({ realm });
        session.answer(response, (print, { realmKeys }) => {
          print.table(
            ['REALM', 'VERSION', 'STATE', 'FINGERPRINT', 'ADDED', 'VALIDATES UNTIL'],
            (realmKeys as JsonObject[]).map(({ realm: name, version, state, fingerprint, ...times }) => {
              return [name, version, state, fingerprint, times['createTime'], times['validateUntilTime']];
            }),
          );
        });
      }),
    );

  addKeyPlanCommand(key, run);

  const stepCommand = (name: string, summary: string) =>
    key
      .command(name)
      .description(summary)
      .argument('<realm>', 'name of the realm')
      .argument('<version>', 'version of the key', wholeNumberFrom(1));
  for (const [name, [rpc, summary]] of Object.entries(STEPS)) {
    stepCommand(name, summary).action((realm: string, version: number, _options: unknown, command: Command) =>
      run(command, async (session) => {
        showKey(session, await session.admin[rpc]({ realm, version }));
      }),
    );
  }
  stepCommand('destroy', 'erase a pending or retired key for good; what it encrypted no longer validates')
    .option('--force', 'erase it whatever its state, also while its tokens are valid: when it has leaked')
    .option('--reason <text>', 'why; goes into the ledger')
    .action((realm: string, version: number, options: DestroyOptions, command: Command) =>
      run(command, async (session) => {
        if (options.force && !options.reason) throw wrongUse('--force needs --reason');
        showKey(session, await session.admin.destroyRealmKey({ realm, version, ...options }));
      }),
    );
}

function showKey(session: Session, response: Message): void {
  session.answer(response, (print, { realmKey }) => {
    print.fields((realmKey ?? {}) as JsonObject);
  });
}

async function add(session: Session, realm: string, { keyFile, generate }: AddOptions): Promise<void> {
  if ((keyFile === undefined) === (generate === undefined)) throw wrongUse('give --key-file or --generate');
  const key = keyFile === undefined ? undefined : await readSecret(keyFile, session.terminal.stdin);
  // An empty key would ask for a generated one that nobody expects.
  if (key === '') throw wrongUse(`${keyFile ?? ''} is empty`);
  const response = await session.admin.addRealmKey({ realm, ...(key !== undefined && { key }) });
  session.answer(response, (print, { realmKey, generatedKey }) => {
    print.fields({ ...((realmKey ?? {}) as JsonObject), key: generatedKey });
  });
  if (response.generatedKey !== '') {
    session.note("This key is shown this once. Type it into the vendor's portal, then activate it.", 'warn');
  }
}
