import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fromBinary, type DescMethod } from '@bufbuild/protobuf';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { FRAME, frame, RequestFrames } from '@callpass/bench';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { ErrorInfoSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { StatusSchema } from '@callpass/rpc-protos/gen/google/rpc/status_pb.js';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { randomMessage } from './messages.ts';
import type { Random } from './random.ts';

/** Secret that a peer presents, and that nobody may print. */
export const PRESENTED = 'canary-that-a-peer-presents';

/** One attempt of a peer: sends something, and gives what an answer should not have been, if there was such an answer. */
export type Attempt = (random: Random) => Promise<string | undefined>;

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const SETTINGS = frame({ type: FRAME.settings, payload: Buffer.alloc(0) });
const METHODS: readonly DescMethod[] = [
  CredentialService,
  AdminService,
  LedgerService,
  Health,
  ServerReflection,
].flatMap(({ methods }) => methods as readonly DescMethod[]);
const ANSWER_WITHIN_MS = 2_000;
/** The time that a peer waits for an answer to bytes that may have none. */
const LINGER_MS = 30;

/** Sends bytes on a connection of its own and reads what comes, for a moment. */
async function sendRaw(address: string, bytes: Buffer): Promise<Buffer> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port) });
  const read: Buffer[] = [];
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => undefined).on('data', (chunk) => read.push(chunk));
  socket.write(bytes);
  await Promise.race([closed, pause(LINGER_MS)]);
  socket.destroy();
  return Buffer.concat(read);
}

/** Peer of the server that sends frames against the protocol. */
export function frames(address: string): Attempt {
  const request = new RequestFrames({
    address,
    path: '/callpass.v1.CredentialService/IssueCredentials',
    message: Buffer.from([0x0a, 0x01, 0x64]),
  });
  const anyFrame = (random: Random) =>
    frame({
      type: random.pick([...Object.values(FRAME), 2, 5, 10, 255]),
      flags: random.below(256),
      stream: random.pick([0, 1, 2, 3, 5, 2 ** 31 - 1, 2 ** 31 + 1]),
      payload: random.bytes(random.pick([0, 1, 4, 6, 8, 9, 100])),
    });
  return async (random) => {
    const count = 1 + random.below(20);
    const parts = Array.from({ length: count }, (_, index) =>
      random.chance(0.5) ? anyFrame(random) : request.on(2 * index + 1),
    );
    const valid = Buffer.concat([PREFACE, SETTINGS, ...parts]);
    await sendRaw(address, random.chance(0.5) ? valid : random.mutate(valid));
    return undefined;
  };
}

const HEADER_NAMES = [
  'grpc-timeout',
  'grpc-encoding',
  'authorization',
  'traceparent',
  'tracestate',
  'baggage',
  'content-type',
  'a-bin',
  'grpc-trace-bin',
  'grpc-tags-bin',
  'x-other',
  'user-agent',
];
const HEADER_VALUES = [
  '',
  ',',
  ',,,,',
  'AA,AA',
  'identity',
  'gzip',
  '1S',
  '0n',
  '99999999H',
  '-1m',
  `Bearer ${PRESENTED}`,
  'Bearer a.b.c',
  'Bearer eyJhbGciOiJub25lIn0.e30.',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-0000000000000000-ff',
  'a=b,'.repeat(300),
  'application/grpc+json',
  'text/html',
  'é\u00ff',
  'v'.repeat(9000),
];

/** Calls of every RPC with changed headers and messages, on a connection that is opened again when it is lost. */
export class Calls {
  readonly #address: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#address = address;
  }

  /** Calls a method with a message that was valid before it was changed. */
  readonly messages: Attempt = async (random) => {
    const method = random.pick(METHODS);
    const message = randomMessage(random, method.input);
    const changed = random.chance(0.7) ? random.mutate(message) : message;
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(changed.length, 1);
    const body = Buffer.concat([prefix, changed]);
    const stranger = random.chance(0.3) ? { authorization: `Bearer ${PRESENTED}` } : {};
    return this.#call(method, stranger, random.chance(0.9) ? body : random.mutate(body));
  };

  /** Calls a method with headers that it does not expect. */
  readonly headers: Attempt = async (random) => {
    const names = Array.from({ length: 1 + random.below(5) }, () => random.pick(HEADER_NAMES));
    const headers = Object.fromEntries(
      names.map((name) => [
        name,
        Array.from({ length: 1 + random.below(3) }, () => random.pick(HEADER_VALUES)),
      ]),
    );
    // Node's client sends one of these only.
    for (const name of ['content-type', 'authorization', 'user-agent'])
      if (headers[name]) headers[name] = [random.pick(headers[name])];
    return this.#call(random.pick(METHODS), headers, Buffer.alloc(5));
  };

  close(): void {
    this.#session?.destroy();
  }

  #open(): ClientHttp2Session {
    if (this.#session === undefined || this.#session.destroyed || this.#session.closed) {
      this.#session = connectHttp2(`http://${this.#address}`);
      this.#session.on('error', () => undefined);
    }
    return this.#session;
  }

  async #call(method: DescMethod, headers: OutgoingHttpHeaders, body: Buffer): Promise<string | undefined> {
    const path = `/${method.parent.typeName}/${method.name}`;
    const stream = this.#open().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${ANSWER_WITHIN_MS / 4}m`,
      ...headers,
    });
    const received: Record<string, string> = {};
    const keep = (head: object) => Object.assign(received, head);
    stream
      .on('response', keep)
      .on('trailers', keep)
      .on('error', () => undefined);
    stream.resume().end(body);
    const answered = new Promise<boolean>((resolve) => {
      stream.once('end', () => resolve(true)).once('close', () => resolve(true));
    });
    // A stream such as TailEntries goes on until its time is over, or for ever without a time limit.
    const isAnswered = await Promise.race([answered, pause(ANSWER_WITHIN_MS, false)]);
    stream.close();
    return isAnswered ? faultOf(path, received) : undefined;
  }
}

/** A status without a reason of the service, or one that blames it. */
function faultOf(path: string, received: Readonly<Record<string, string>>): string | undefined {
  const status = received['grpc-status'];
  if (status === undefined || status === '0') return undefined;
  const bytes = Buffer.from(received['grpc-status-details-bin'] ?? '', 'base64');
  const [info] = fromBinary(StatusSchema, bytes).details.flatMap(
    (any) => anyUnpack(any, ErrorInfoSchema) ?? [],
  );
  const said = `${path}: ${status} ${info?.reason ?? 'without a reason'}: ${received['grpc-message']}`;
  return info === undefined || ['2', '13'].includes(status) ? said : undefined;
}

const REQUESTS = [
  'POST /v1/destinations/d/credentials HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}',
  'POST /v1/destinations/d/credentials HTTP/1.1\r\nHost: edge\r\nOrigin: https://www.example.org\r\nCookie: callpass=x.y\r\nIdempotency-Key: 1\r\nContent-Length: 0\r\n\r\n',
  'POST /v1/destinations/d/credentials HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n',
  'OPTIONS /v1/destinations/d/credentials HTTP/1.1\r\nHost: edge\r\nOrigin: https://www.example.org\r\nAccess-Control-Request-Method: POST\r\n\r\n',
  'GET /callparameters?destination=d HTTP/1.1\r\nHost: edge\r\nX-Forwarded-For: [::1]:1, 1.2.3.4\r\n\r\n',
  'GET /actg/token?identifier=d HTTP/1.1\r\nHost: edge\r\n\r\n',
  'GET /v1/authorize HTTP/1.1\r\nHost: edge\r\nX-Original-URI: /v1/destinations/d\r\n\r\n',
  'GET /readyz HTTP/1.1\r\nHost: edge\r\n\r\nGET /openapi.json HTTP/1.1\r\nHost: edge\r\n\r\n',
];

/** Peer of the edge that sends changed HTTP/1.1. */
export function http(address: string): Attempt {
  return async (random) => {
    const sent = random.mutate(Buffer.from(random.pick(REQUESTS).replace('x.y', `${PRESENTED}.y`), 'latin1'));
    const answer = (await sendRaw(address, sent)).toString('latin1');
    const fault = /HTTP\/1.1 500[^]*/.exec(answer)?.[0];
    return fault && `${JSON.stringify(sent.toString('latin1'))} was answered with ${fault}`;
  };
}
