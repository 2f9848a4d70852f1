import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metrics } from '@opentelemetry/api';
import { expect, it } from '@jest/globals';
import { startTelemetry } from './start-telemetry.ts';

interface Exported {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly histogram?: {
          readonly aggregationTemporality: number;
          readonly dataPoints: readonly unknown[];
        };
      }[];
    }[];
  }[];
}

// A second start in one process measures too, so both kinds are started in turn.
it.each([
  ['cumulative', 2],
  ['delta', 1],
])('a collector that wants %s points of histograms gets them', async (preference, temporality) => {
  const bodies: Exported[] = [];
  const collector = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      bodies.push(JSON.parse(body) as Exported);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: preference,
    OTEL_METRICS_EXPORTER: 'otlp',
    OTEL_TRACES_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
  });
  const telemetry = await startTelemetry({ name: 'test', version: '0' });
  const meter = metrics.getMeter('scope');
  meter.createHistogram('d').record(1, Object.freeze({ method: 'a' }));
  meter.createCounter('c').add(1);
  await telemetry.stop();
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  const exported = bodies.flatMap(({ resourceMetrics }) =>
    resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all }) => all)),
  );
  expect(exported.find(({ name }) => name === 'd')?.histogram).toMatchObject({
    aggregationTemporality: temporality,
    dataPoints: [{ count: 1, sum: 1, min: 1, max: 1 }],
  });
  expect(exported.some(({ name }) => name === 'c')).toBe(true);
});
