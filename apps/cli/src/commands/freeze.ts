import { Argument, type Command, Option } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { FreezeScope } from '@callpass/contract';
import type { RunCommand } from '../run-command.ts';
import { valueOrStdin } from '../read-file.ts';
import type { Session } from '../session.ts';
import { keyOfChoice, parseTimeMs, timestampOf } from '../arguments.ts';

type Scope = NonNullable<FreezeScope['scope']['case']>;

/** Names on the command line of what can be frozen, for each field of FreezeScope. */
const SCOPES: Readonly<Record<Scope, string>> = {
  realm: 'realm',
  destination: 'destination',
  client: 'client',
  subject: 'subject',
  subjectHash: 'subject-hash',
};

/** Adds `callpass freeze`, `unfreeze` and `freezes`. */
export function addFreezeCommands(program: Command, run: RunCommand): void {
  scopeCommand(program, 'freeze')
    .description('stop issuing for, and refuse tokens of, a realm, destination, client or subject')
    .requiredOption('--reason <text>', 'why; goes into the ledger')
    .addOption(
      new Option('--until <time>', 'until when; left out, until it is lifted').argParser(parseTimeMs),
    )
    .action((scope: string, value: string, options: { reason: string; until?: number }, command: Command) =>
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
    .action((scope: string, value: string, _options: unknown, command: Command) =>
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
    .addArgument(new Argument('<scope>', 'what kind of thing').choices(Object.values(SCOPES)))
    .argument('<value>', 'its name; - to read it from stdin, where no history keeps it');
}

async function scopeOf({ terminal }: Session, name: string, value: string) {
  return {
    scope: { case: keyOfChoice(SCOPES, name), value: await valueOrStdin(value, terminal.stdin) },
  };
}

function rowOf({ scope, reason, freezeTime, untilTime, frozenBy }: JsonObject) {
  const [field, name] = Object.entries((scope ?? {}) as JsonObject)[0] ?? [];
  return { scope: SCOPES[field as Scope], name, reason, since: freezeTime, until: untilTime, by: frozenBy };
}
