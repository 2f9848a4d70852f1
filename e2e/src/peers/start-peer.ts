import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { ended, ENVIRONMENT, outputOf } from '../processes.ts';

/** A peer of a server, in a process of its own. */
export interface Peer<Outcome> {
  readonly child: ChildProcess;
  /** The last that it has told. */
  readonly outcome: Partial<Outcome>;
  /** Resolves when it has done what it was started for. */
  readonly done: Promise<Outcome>;
  stop(): Promise<void>;
}

/** Starts one of the programs beside this file. */
export function startPeer<Outcome>(
  program: 'attack' | 'flood' | 'probe' | 'reset' | 'tail',
  args: readonly unknown[],
): Peer<Outcome> {
  const child = spawn('node', [join(import.meta.dirname, `${program}.ts`), ...args.map(String)], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = outputOf(child, program);
  const peer = { outcome: {} as Partial<Outcome> };
  const done = new Promise<Outcome>((resolve, reject) => {
    child.on('message', (message: Outcome & { done?: boolean }) => {
      peer.outcome = message;
      if (message.done) resolve(message);
    });
    child.once('exit', () => reject(new Error(`${program} ended before it was done: ${output()}`)));
  });
  // Not to be done is no fault of a peer that is stopped.
  done.catch(() => undefined);
  return {
    child,
    done,
    get outcome() {
      return peer.outcome;
    },
    async stop() {
      // Also for a process that is stopped by SIGSTOP.
      child.kill('SIGKILL');
      await ended(child);
    },
  };
}
