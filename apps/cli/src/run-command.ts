import type { Command } from 'commander';
import type { ExitCode } from '@callpass/program';
import type { Output } from './output.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** Does the work of a command; the command is done unless the work says otherwise. */
export interface RunCommand {
  /** In a session with the service. */
  (command: Command, work: (session: Session) => Promise<ExitCode | void>): Promise<void>;
  /** Without the service. */
  offline(
    command: Command,
    work: (at: { terminal: Terminal; output: Output }) => Promise<ExitCode | void>,
  ): Promise<void>;
}
