import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { LoadGenerator } from './generator.ts';
import type { LoadResult } from './generate-load.ts';
import { grpcMessage } from './http2-frames.ts';

/**
 * `h2load` of nghttp2, run anew for each round. It is not asked to run in: it then mixes the bytes of answers before and
 * after, and those are what shows that no call was refused.
 */
export function startH2load(): LoadGenerator {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-h2load-'));
  const body = join(folder, 'request.bin');
  return {
    name: 'h2load',
    async run(address, { path, message, tls }, { connections, concurrency, durationMs }) {
      if (tls !== undefined) throw new Error('h2load presents no client certificate');
      writeFileSync(body, grpcMessage(message));
      const { stdout } = await promisify(execFile)('h2load', [
        `--duration=${durationMs}ms`,
        `--clients=${connections}`,
        `--max-concurrent-streams=${concurrency}`,
        `--data=${body}`,
        '--header=content-type: application/grpc',
        '--header=te: trailers',
        // Windows that are never the limit, as our own generator has them.
        '--window-bits=30',
        '--connection-window-bits=30',
        `http://${address}${path}`,
      ]);
      return readH2loadOutput(stdout);
    },
    cpuSeconds: () => NaN,
    stop: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

/** Reads the summary that h2load prints. Throws when it is not the one of version 1.x. */
export function readH2loadOutput(output: string): LoadResult {
  const figure = (pattern: RegExp) => {
    const text = pattern.exec(output)?.[1];
    if (text === undefined) throw new Error(`h2load printed something else than expected:\n${output}`);
    return Number(text);
  };
  const done = figure(/^requests:.* (\d+) done/m);
  return {
    perSecond: figure(/^finished in [^,]+, ([\d.]+) req\/s/m),
    ok: figure(/^requests:.* (\d+) succeeded/m),
    failed: figure(/^requests:.* (\d+) failed/m),
    responseBytes: figure(/^traffic:.*\((\d+)\) data/m),
    cutOff: figure(/^requests:.* (\d+) started/m) - done,
  };
}
