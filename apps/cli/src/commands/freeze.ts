import { Argument, type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { RunCommand } from '../run-command.ts';
import { valueOrStdin } from '../read-file.ts';
import type { Session } from '../session.ts';
import { parseTimeMs, timestampOf } from '../arguments.ts';

/** What can be frozen, and its field in FreezeScope. */
const SCOPES = {
  realm: 'realm',
  destination: 'destination',
  client: 'client',
  subject: 'subject',
  'subject-hash': 'subjectHash',
} as const;

type Scope = keyof typeof SCOPES;

/** `callpass freeze`, `unfreeze` and `freezes`: the stop button. */
export function addFreezeCommands(program: Command, run: RunCommand): void {
  scopeCommand(program, 'freeze')
    .description('stop issuing for, and refuse tokens of, a realm, destination, client or subject')
    .requiredOption('--reason <text>', 'why; goes into the ledger')
    .addOption(
      new Option('--until <time>', 'until when; left out, until it is lifted').argParser(parseTimeMs),
    )
    .action((scope: Scope, value: string, options: { reason: string; until?: number }, command: Command) =>
      run(command, async (session) => {
        const { reason, until } = options;
        const response = await session.admin.freeze({
          scope: await scopeOf(session, scope, value),
          reason,
          ...(until !== undefined && { until: timestampOf(until) }),
        });
        session.answer(response, (print, { freeze }) => {
          print.fields(rowOf((freeze ?? {}) as JsonObject));
        });
      }),
    );

  scopeCommand(program, 'unfreeze')
    .description('lift a freeze')
    .action((scope: Scope, value: string, _options: unknown, command: Command) =>
      run(command, async (session) => {
        const response = await session.admin.unfreeze({ scope: await scopeOf(session, scope, value) });
        session.answer(response, (print) => {
          print.line('lifted', 'good');
        });
      }),
    );

  program
    .command('freezes')
    .description('list the freezes in force, newest first')
    .action((_options: unknown, command: Command) =>
      run(command, async (session) => {
        const response = await session.admin.listFreezes({});
        session.answer(response, (print, { freezes }) => {
          print.table(
            ['SCOPE', 'NAME', 'REASON', 'SINCE', 'UNTIL', 'BY'],
            (freezes as JsonObject[]).map((freeze) => Object.values(rowOf(freeze))),
          );
        });
      }),
    );
}

function scopeCommand(program: Command, name: string): Command {
  return program
    .command(name)
    .addArgument(new Argument('<scope>', 'what kind of thing').choices(Object.keys(SCOPES)))
    .argument('<value>', 'its name; - to read it from stdin, where no history keeps it');
}

async function scopeOf({ terminal }: Session, scope: Scope, value: string) {
  return {
    scope: { case: SCOPES[scope], value: await valueOrStdin(value, terminal.stdin) },
  };
}

function rowOf({ scope, reason, freezeTime, untilTime, frozenBy }: JsonObject) {
  const [field, name] = Object.entries((scope ?? {}) as JsonObject)[0] ?? [];
  const kind = Object.entries(SCOPES).find(([, each]) => each === field)?.[0];
  return { scope: kind, name, reason, since: freezeTime, until: untilTime, by: frozenBy };
}
