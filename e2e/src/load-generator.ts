import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { IssueCredentialsRequestSchema } from '@callpass/contract';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

/** Latencies of one kind of answer in ms, from when the call was due to its status; `null` where there was none. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
}

/** Result of calls at a fixed rate. Every call that was due is in exactly one of the counts. */
export interface OpenLoopResult {
  readonly accepted: LatencyFigures;
  /** RESOURCE_EXHAUSTED. */
  readonly refused: LatencyFigures;
  /** Calls with any other status, by its number. */
  readonly others: Readonly<Record<string, number>>;
  readonly expired: number;
  readonly seconds: number;
}

/** Asks for credentials in a process of its own, at rates that no client of gRPC reaches beside a server. */
export interface LoadGenerator {
  /** Calls that come at a fixed rate, whether or not the ones before were answered. */
  atRate(ratePerSecond: number, durationMs: number): Promise<OpenLoopResult>;
  stop(): Promise<void>;
}

const CONNECTIONS = 8;
const TIMEOUT_MS = 5000;

/** Starts the open-loop generator of `tools/bench` for one destination of a server. */
export function startLoadGenerator(address: string, destination: string): LoadGenerator {
  const request = create(IssueCredentialsRequestSchema, { destination });
  const target = {
    address,
    path: '/callpass.v1.CredentialService/IssueCredentials',
    message: Buffer.from(toBinary(IssueCredentialsRequestSchema, request)).toString('base64'),
  };
  const open = startProgram('open-loop-process.ts');
  return {
    atRate: (ratePerSecond, durationMs) =>
      open.ask<OpenLoopResult>({
        target,
        shape: { connections: CONNECTIONS, ratePerSecond, durationMs, timeoutMs: TIMEOUT_MS },
      }),
    stop: () => open.stop(),
  };
}

function startProgram(file: string) {
  const child = spawn('node', ['--conditions=@callpass/source', join(ROOT, 'tools/bench/src/load', file)], {
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const output = outputOf(child, 'load-generator');
  const gone = ended(child).then(() => Promise.reject(new Error(`${file} ended: ${output()}`)));
  // Told to whoever asks; at the end nobody does.
  gone.catch(() => undefined);
  return {
    async ask<T>(order: object): Promise<T> {
      const answer = new Promise<{ result: T } | { error: string }>((resolve) => {
        child.once('message', resolve);
      });
      child.send(order);
      const report = await Promise.race([answer, gone]);
      if ('error' in report) throw new Error(report.error);
      return report.result;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
  };
}
