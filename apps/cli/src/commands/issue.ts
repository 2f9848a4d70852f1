import type { Command } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import type { RunCommand } from '../run-command.ts';
import { valueOrStdin } from '../read-file.ts';

interface IssueOptions {
  readonly subject?: string;
  readonly callee?: string;
  readonly caller?: string;
  readonly requestId?: string;
}

/** `callpass issue`. */
export function addIssueCommand(program: Command, run: RunCommand): void {
  program
    .command('issue')
    .description('issue the credentials of one call')
    .argument('<destination>', 'id of the destination')
    .option('--subject <name>', 'who the visitor is; - to read it from stdin')
    .option('--callee <address>', 'who is called, user@domain; left out, the first of the destination')
    .option(
      '--caller <address>',
      'who the call comes from, user@domain; left out, the account of the destination',
    )
    .option('--request-id <uuid>', 'makes the request safe to repeat: the same id gets the same answer')
    .action((destination: string, options: IssueOptions, command: Command) =>
      run(command, async (session) => {
        const { callee = '', caller = '', requestId = '' } = options;
        const subject = await valueOrStdin(options.subject ?? '', session.terminal.stdin);
        const response = await session.credentials.issueCredentials({
          destination,
          subject,
          callee,
          caller,
          requestId,
        });
        session.answer(response, (print, { timeLimited, unrestricted, ...rest }) => {
          const { issuanceId, callee: called, caller: calling, ...times } = rest;
          print.fields({
            issuanceId,
            callee: called,
            caller: calling,
            ...(timeLimited as JsonObject | undefined),
            credentials: unrestricted === undefined ? undefined : 'none: the call is unrestricted',
            ...(unrestricted === undefined ? times : { issueTime: times['issueTime'] }),
          });
        });
      }),
    );
}
