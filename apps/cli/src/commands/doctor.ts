import type { Command } from 'commander';
import type { JsonObject } from '@bufbuild/protobuf';
import { EXIT, type ExitCode } from '../exit-code.ts';
import type { Finding } from '../doctor/finding.ts';
import type { Page, Tone } from '../output.ts';
import type { RunCommand } from '../run-command.ts';

const TONES: Record<Finding['state'], Tone | undefined> = {
  ok: 'good',
  warning: 'warn',
  problem: 'bad',
  skipped: undefined,
};

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
        session.output.answer({ findings: findings as unknown as JsonObject[] }, (print) => {
          printFindings(print, findings);
        });
        return exitCodeOf(findings);
      }),
    );
}

function printFindings(print: Page, findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { check, state, finding, advice } of findings) {
    print.line(`${state.padEnd(7)}  ${check.padEnd(width)}  ${finding}`, TONES[state]);
    if (advice !== '') print.line(`${' '.repeat(width + 11)}-> ${advice}`);
  }
}

function exitCodeOf(findings: readonly Finding[]): ExitCode {
  const problems = findings.filter(({ state }) => state === 'problem');
  if (problems.some(({ check }) => check === 'connection')) return EXIT.unreachable;
  return problems.length > 0 ? EXIT.refused : EXIT.done;
}
