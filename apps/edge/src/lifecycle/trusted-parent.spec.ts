import { create, toBinary } from '@bufbuild/protobuf';
import { CredentialService, IssueCredentialsResponseSchema } from '@callpass/contract';
import { startOtlpReceiver, type OtlpReceiver } from '@callpass/otlp-receiver';
import { createLog } from '@callpass/program/log';
import { startTelemetry, type Telemetry } from '@callpass/telemetry-sdk';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { loadEdgeSettings } from '../settings/load.ts';
import { startEdge, type RunningEdge } from './start-edge.ts';

/** The service: grants every issue, and keeps the `traceparent` of each. */
const received: string[] = [];
const service = new Server();
let receiver: OtlpReceiver;
let telemetry: Telemetry;
let address: string;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
  Object.assign(process.env, {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0',
  });
  telemetry = await startTelemetry({ name: 'test', version: '0' });
  const answer = Buffer.from(
    toBinary(
      IssueCredentialsResponseSchema,
      create(IssueCredentialsResponseSchema, { grant: { case: 'unrestricted', value: {} } }),
    ),
  );
  const path = `/${CredentialService.typeName}/${CredentialService.method.issueCredentials.name}`;
  const asIs = (value: Buffer) => value;
  const codec = { requestSerialize: asIs, requestDeserialize: asIs };
  service.addService(
    {
      issue: {
        ...{ path, requestStream: false, responseStream: false },
        ...{ ...codec, responseSerialize: asIs, responseDeserialize: asIs },
      },
    },
    {
      issue: (call: { metadata: { get(key: string): unknown[] } }, done: (e: null, a: Buffer) => void) => {
        received.push(String(call.metadata.get('traceparent')[0]));
        done(null, answer);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    service.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  address = `127.0.0.1:${port}`;
});
const edges: RunningEdge[] = [];
afterAll(async () => {
  await Promise.all(edges.map((edge) => edge.stop()));
  service.forceShutdown();
  await telemetry.stop();
  await receiver.close();
});

async function start(environment: Record<string, string>): Promise<RunningEdge> {
  const settings = loadEdgeSettings({
    environment: {
      CALLPASS_EDGE_LISTEN_ADDRESS: '127.0.0.1:0',
      CALLPASS_EDGE_SERVICE_ADDRESS: address,
      CALLPASS_EDGE_LOG_LEVEL: 'silent',
      ...environment,
    },
  });
  const edge = await startEdge(settings, createLog(settings.log));
  edges.push(edge);
  return edge;
}

/** Issues as a browser whose `traceparent` has these flags. Gives the trace id and flags that the service got. */
async function issueWith(edge: RunningEdge, traceId: string, flags: string): Promise<string[]> {
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-${flags}` };
  const answer = await fetch(`${edge.address}/v1/destinations/lobby/credentials`, {
    method: 'POST',
    headers,
  });
  expect(answer.status).toBe(200);
  const [, id = '', , got = ''] = String(received.at(-1)).split('-');
  return [id, got];
}

it('the decision in a browser’s traceparent is passed on only where the setting says so', async () => {
  const trustingOf = (whom: string) => start({ CALLPASS_EDGE_TELEMETRY_TRUST_TRACEPARENT_OF: whom });
  const [byDefault, ofNobody, trusting] = [
    await start({}),
    await trustingOf('nobody'),
    await trustingOf('everybody'),
  ];
  const [one, two, three, four] = ['1', '2', '3', '4'].map((digit) => digit.repeat(32)) as [
    string,
    string,
    string,
    string,
  ];
  // What is not recorded may share a call, so its trace ends at the edge.
  expect(await issueWith(byDefault, one, '01')).not.toContain('01');
  expect(await issueWith(ofNobody, four, '01')).not.toContain('01');
  expect(await issueWith(trusting, two, '01')).toEqual([two, '01']);
  expect(await issueWith(trusting, three, '00')).not.toContain('01');
  await receiver.waitFor((all) => all.spans().some(({ traceId }) => traceId === two), 10_000);
  expect(new Set(receiver.spans().map(({ traceId }) => traceId))).toEqual(new Set([two]));
  // Recorded or not, the browser is told its own trace.
  for (const [edge, traceId] of [
    [byDefault, one],
    [ofNobody, four],
    [trusting, two],
  ] as const) {
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, 'content-type': 'application/json' };
    const url = `${edge.address}/v1/destinations/lobby/credentials`;
    const problem = await fetch(url, { method: 'POST', headers, body: '{' });
    expect(await problem.json()).toMatchObject({ status: 400, traceId });
  }
});
