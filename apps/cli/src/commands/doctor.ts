import type { Command } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { EXIT, printFindings, type ExitCode, type Finding } from '@callpass/program';
import { visible } from '../output.ts';
import type { RunCommand } from '../run-command.ts';

/** `callpass doctor`. */
export function addDoctorCommand(program: Command, run: RunCommand): void {
  program
    .command('doctor')
    .description('look at the service, its certificate, clock and keys, and say what to do; changes nothing')
    .option(
      '--settings <file>',
      "the server's settings, on its machine: look at its settings, store, limiter and disk too",
    )
    .action((options: { settings?: string }, command: Command) =>
      run(command, async (session) => {
        // Only now: other commands need neither.
        const [{ examineLocally }, { examineService }] = await Promise.all([
          import('../doctor/local.ts'),
          import('../doctor/remote.ts'),
        ]);
        const local = options.settings === undefined ? [] : await examineLocally(options.settings);
        const findings = [...local, ...(await examineService(session))];
        session.output.answer({ findings: findings as unknown as JsonObject[] }, () => {
          const { stdout, noColor } = session.terminal;
          stdout.write(printFindings(findings.map(withVisibleText), stdout.isTTY === true && !noColor));
        });
        return exitCodeOf(findings);
      }),
    );
}

/** A finding holds names that come from the service, which must not steer the terminal. */
function withVisibleText({ check, state, finding, advice }: Finding): Finding {
  const clean = (text: string) => text.split('\n').map(visible).join('\n');
  return { check: clean(check), state, finding: clean(finding), advice: clean(advice) };
}

function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const problems = findings.filter(({ state }) => state === 'problem');
  if (problems.some(({ check }) => check === 'connection')) return EXIT.unreachable;
  return problems.length > 0 ? EXIT.failed : EXIT.done;
}
