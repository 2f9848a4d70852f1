import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@callpass/testkit/free-port';
import { parse } from 'yaml';
import { ended, ENVIRONMENT, outputOf, ROOT } from './processes.ts';

/** One series of an answer: its labels and its newest value. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

/** Prometheus server with the rules of deploy/prometheus. */
export interface PrometheusServer {
  query(expression: string): Promise<readonly Sample[]>;
  /** Every name of a series that it has seen. */
  names(): Promise<ReadonlySet<string>>;
  stop(): Promise<void>;
}

/** Intervals of deploy/prometheus/prometheus.yaml. */
export const SHIPPED_INTERVALS = (
  parse(readFileSync(join(ROOT, 'deploy/prometheus/prometheus.yaml'), 'utf8')) as { global: object }
).global;

/** Starts Debian's Prometheus on the loopback with its data in a folder of its own. */
export async function startPrometheus(
  targets: readonly string[],
  intervals: object = { scrape_interval: '1s', evaluation_interval: '1s' },
): Promise<PrometheusServer> {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-prometheus-'));
  mkdirSync(join(folder, 'data'));
  for (const name of ['rules.yaml', 'alerts.yaml']) {
    copyFileSync(join(ROOT, 'deploy/prometheus', name), join(folder, name));
  }
  const configuration = {
    global: intervals,
    rule_files: ['rules.yaml', 'alerts.yaml'],
    scrape_configs: [{ job_name: 'callpass-server', static_configs: [{ targets }] }],
  };
  writeFileSync(join(folder, 'prometheus.yaml'), JSON.stringify(configuration));
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yaml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--log.level=warn',
    ],
    { env: ENVIRONMENT, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const output = outputOf(child, 'prometheus');
  const ask = async <T>(path: string): Promise<T> => {
    if (child.exitCode !== null) throw new Error(`Prometheus ended: ${output()}`);
    const response = await fetch(`http://${address}/api/v1/${path}`);
    const { data, error } = (await response.json()) as { data: T; error?: string };
    if (error !== undefined) throw new Error(`${path}: ${error}`);
    return data;
  };
  await untilReady(`http://${address}/-/ready`, () => child.exitCode === null);
  return {
    query: async (expression) =>
      (await ask<{ result: Sample[] }>(`query?query=${encodeURIComponent(expression)}`)).result,
    names: async () => new Set(await ask<string[]>('label/__name__/values')),
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
      rmSync(folder, { recursive: true });
    },
  };
}

async function untilReady(url: string, lives: () => boolean): Promise<void> {
  const giveUp = performance.now() + 60_000;
  while (lives() && performance.now() < giveUp) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('Prometheus did not get ready');
}
