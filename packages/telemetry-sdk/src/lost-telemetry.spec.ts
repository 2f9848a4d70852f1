import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLog } from '@callpass/program/log';
import { trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkTelemetry } from './check-telemetry.ts';
import { startTelemetry } from './start-telemetry.ts';
import type { Telemetry } from './telemetry.ts';

/** A collector of logs that keeps what it gets; one of traces and metrics that takes requests and answers none. */
let received: string[];
let collector: Server;
let telemetry: Telemetry;
let lines: string[];
const before = { ...process.env };

beforeAll(async () => {
  received = [];
  lines = [];
  collector = createServer((request, response) => {
    if (request.url !== '/v1/logs') return;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push(body);
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => void collector.listen(0, '127.0.0.1', resolve));
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'nonsense',
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TIMEOUT: '200',
    OTEL_METRICS_EXPORTER: 'otlp,prometheus',
    OTEL_METRIC_EXPORT_INTERVAL: '100',
    OTEL_METRIC_EXPORT_TIMEOUT: '100',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_BLRP_SCHEDULE_DELAY: '50',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  });
  telemetry = await startTelemetry({ name: 'test', version: '0' });
  telemetry.follow({
    info: () => undefined,
    warn: (fields, message) => void lines.push(`${message} ${JSON.stringify(fields)}`),
  });
});
afterAll(async () => {
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  await telemetry.stop();
  process.env = before;
});

/** Resolves with the metrics as soon as this is in them. */
async function metricsWith(pattern: RegExp): Promise<string> {
  for (;;) {
    const text = (await telemetry.metricsText?.()) ?? '';
    if (pattern.test(text)) return text;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a collector that takes requests and does not answer', () => {
  it('is in the metrics for Prometheus though metrics are what it does not take, and in the log', async () => {
    trace.getTracer('test').startSpan('x').end();
    await metricsWith(/^callpass_telemetry_lost_total\{.*"traces".*"export_failed".*\} 1$/m);
    const text = await metricsWith(/^callpass_telemetry_exports_failed_total\{.*"metrics"\} [1-9]/m);
    expect(text).toMatch(/^callpass_telemetry_delivered\{.*"metrics"\} 0$/m);
    expect(lines.filter((line) => line.includes('v1/metrics'))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('v1/traces'))).toHaveLength(1);
    expect(lines[0]).toMatch(/^OTEL_EXPORTER_OTLP_PROTOCOL .*"http\/protobuf, http\/json, grpc"/);
  });

  it('is a problem for the doctor, who says what is right too', async () => {
    const findings = await checkTelemetry(300);
    expect(findings.map(({ state, finding }) => [state, finding.split(' ')[0]])).toEqual([
      ['warning', 'OTEL_EXPORTER_OTLP_PROTOCOL'],
      ['problem', 'traces'],
      ['problem', 'metrics'],
      ['ok', 'logs'],
    ]);
  });

  it('lines of the log go to a collector as records, with level, message and fields', async () => {
    createLog({ level: 'info' }).warn({ store: 'x', traceId: 'abc' }, 'cannot follow');
    while (!received.some((body) => body.includes('cannot follow')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    const body = JSON.parse(received.find((text) => text.includes('cannot follow')) ?? '') as Body;
    const [record] = body.resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap(({ logRecords }) =>
        logRecords.filter((one) => one.body.stringValue === 'cannot follow'),
      ),
    );
    expect(record).toMatchObject({ severityNumber: 13, severityText: 'WARN' });
    expect(record?.attributes).toContainEqual({ key: 'store', value: { stringValue: 'x' } });
    expect(record?.attributes).toContainEqual({ key: 'traceId', value: { stringValue: 'abc' } });
  });
});

interface Body {
  readonly resourceLogs: readonly {
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly body: { readonly stringValue: string };
        readonly attributes: readonly unknown[];
      }[];
    }[];
  }[];
}
