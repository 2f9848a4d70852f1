import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  type MessageInitShape,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { anyUnpack, type Duration, type Timestamp } from '@bufbuild/protobuf/wkt';
import {
  AdminService,
  type BatchIssueCredentialsResponse,
  CredentialService,
  LedgerService,
} from '@callpass/contract';
import { createClient, methodPath } from '@callpass/grpc-kit';
import { BadRequestSchema } from '@callpass/rpc-protos/gen/google/rpc/error_details_pb.js';
import { postgresServer, type PostgresServer, type TestDatabase } from '@callpass/testkit/postgres-server';
import { Client as GrpcClient, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf } from './testing/refusal.ts';
import { DOCUMENT, startTestServer, type TestServer } from './testing/test-server.ts';

type Init = MessageInitShape<DescMessage>;

/** A field of a request, at any depth. */
interface Place {
  readonly method: DescMethod;
  readonly field: DescField;
  /** As a refusal names it. */
  readonly path: string;
  /** The request that has this value there and nothing else. */
  readonly withValue: (value: unknown) => Init;
}

const SERVICES = [CredentialService, AdminService, LedgerService];
const PLACES = SERVICES.flatMap(({ methods }) =>
  methods.flatMap((method: DescMethod) => placesIn(method, method.input, '', (init) => init)),
);

function placesIn(
  method: DescMethod,
  message: DescMessage,
  prefix: string,
  inRequest: (init: Init) => Init,
): Place[] {
  return message.fields.flatMap((field) => {
    const withValue = (value: unknown) => {
      const inField = field.fieldKind === 'list' ? [value] : value;
      return inRequest(
        field.oneof
          ? { [field.oneof.localName]: { case: field.localName, value: inField } }
          : { [field.localName]: inField },
      );
    };
    const path = `${prefix}${field.name}${field.fieldKind === 'list' ? '[0]' : ''}`;
    if (field.message === undefined || field.message.typeName.startsWith('google.protobuf.')) {
      return [{ method, field, path, withValue }];
    }
    // Each request of a batch is validated on its own.
    const isItem = isBatch(method) && message === method.input;
    return placesIn(method, field.message, isItem ? '' : `${path}.`, withValue);
  });
}

function isBatch({ name }: DescMethod): boolean {
  return name.startsWith('Batch');
}

const isOf = (typeName: string) => (place: Place) => place.field.message?.typeName === typeName;
/** Tokens of any text are answered with a verdict. */
const TOKENS = ['token', 'account_token', 'from_token', 'to_token'];
const isToken = ({ field }: Place) => TOKENS.includes(field.name);
const STRINGS = PLACES.filter(({ field }) => field.scalar === ScalarType.STRING);
const TEXTS = STRINGS.filter((place) => !isToken(place));
const DURATIONS = PLACES.filter(isOf('google.protobuf.Duration'));
const TIMES = PLACES.filter(isOf('google.protobuf.Timestamp'));
const NUMBERS = PLACES.filter(({ field }) =>
  [ScalarType.UINT32, ScalarType.UINT64].includes(field.scalar as ScalarType),
);

const duration = (seconds: bigint, nanos: number) => ({ seconds, nanos }) as Duration;
const time = (seconds: bigint) => ({ seconds, nanos: 0 }) as Timestamp;

it('finds the fields of requests', () => {
  expect(TEXTS.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      'subject',
      'reason',
      'scope.realm',
      'configuration.clients[0].identities[0].jwt.issuer',
    ]),
  );
  expect(DURATIONS.length).toBeGreaterThan(2);
  expect(TIMES.length).toBeGreaterThan(4);
});

describe.each(['SQLite', 'PostgreSQL'])('a request on %s', (database) => {
  let postgres: PostgresServer | undefined;
  let own: TestDatabase | undefined;
  let server: TestServer;
  let calls: Map<string, (init: Init, options: object) => Promise<unknown>>;

  beforeAll(async () => {
    if (database === 'PostgreSQL') {
      postgres = await postgresServer();
      own = await postgres.freshDatabase();
    }
    server = await startTestServer(own ? { environment: { CALLPASS_STORE_URL: own.url } } : {});
    await server.configure(DOCUMENT);
    calls = new Map(
      SERVICES.flatMap((service) => {
        const client = createClient(service, server.connection) as unknown as Record<
          string,
          (init: Init, options: object) => Promise<unknown> & AsyncIterable<unknown>
        >;
        return service.methods.map((method: DescMethod) => [
          methodPath(method),
          async (init: Init, options: object) => {
            const answer = client[method.localName]!(init, options);
            if (method.methodKind === 'unary') return answer;
            for await (const one of answer) return one;
            return undefined;
          },
        ]);
      }),
    );
  }, 120_000);
  afterAll(async () => {
    await server.stop();
    await own?.remove();
    await postgres?.remove();
  });

  /** The reason and the fields of the refusal that a value gets, if it gets one. */
  async function refusalTo({ method, withValue }: Place, value: unknown) {
    const call = calls.get(methodPath(method))!(withValue(value), { timeoutMs: 10_000 });
    if (!isBatch(method)) {
      const granted = await call.then(
        () => true,
        () => false,
      );
      return granted ? { reason: undefined, fields: [] } : refusalOf(call);
    }
    const { results } = (await call) as BatchIssueCredentialsResponse;
    const result = results[0]?.result;
    const details = result?.case === 'status' ? result.value.details : [];
    const violations = details.flatMap((any) => anyUnpack(any, BadRequestSchema)?.fieldViolations ?? []);
    const reason = violations.length > 0 ? 'REQUEST_INVALID' : undefined;
    return { reason, fields: violations.map(({ field }) => field) };
  }

  /** The places and values that are not refused with REQUEST_INVALID naming the field. */
  async function accepted(places: readonly Place[], values: readonly unknown[]) {
    const found: string[] = [];
    for (const place of places) {
      for (const value of values) {
        const { reason, fields } = await refusalTo(place, value);
        if (reason === 'REQUEST_INVALID' && fields.includes(place.path)) continue;
        found.push(`${place.method.name}: ${place.path}: ${reason ?? 'granted'}`);
      }
    }
    return found;
  }

  it('is refused for a control character in any text field', async () => {
    expect(await accepted(TEXTS, ['\0', '\u001f', 'a\nb', 'a\u007f', '\u0085'])).toEqual([]);
  }, 120_000);

  it('is refused for any text field that is too long', async () => {
    expect(await accepted(STRINGS, ['x'.repeat(5000)])).toEqual([]);
  }, 120_000);

  it('is never refused for the characters of a token: it gets a verdict', async () => {
    const tokens = STRINGS.filter(isToken);
    expect(await accepted(tokens, ['\0', '\u001f'])).toHaveLength(2 * tokens.length);
    expect(await server.credentials.validateToken({ realm: 'ecb.example', token: '\0' })).toMatchObject({
      verdict: 4,
    });
  });

  it('is refused for half of a surrogate pair in any text field', async () => {
    const client = new GrpcClient(server.address, credentials.createInsecure());
    const same = (bytes: Buffer) => bytes;
    for (const { method, withValue, path } of STRINGS) {
      // Three letters on the wire, to be replaced by what CESU-8 and WTF-8 make of half of a pair.
      const bytes = Buffer.from(toBinary(method.input, create(method.input, withValue('~?~'))));
      bytes.set([0xed, 0xa0, 0x80], bytes.indexOf('~?~'));
      const error = await new Promise<ServiceError | null>((resolve) => {
        const done = (failure: ServiceError | null) => {
          resolve(failure);
        };
        if (method.methodKind === 'unary') {
          client.makeUnaryRequest(methodPath(method), same, same, bytes, new Metadata(), done);
        } else {
          client
            .makeServerStreamRequest(methodPath(method), same, same, bytes, new Metadata())
            .on('error', (failure) => {
              done(failure as ServiceError);
            })
            .on('data', () => {
              done(null);
            });
        }
      });
      expect([method.name, path, status[error?.code ?? 0]]).toEqual([method.name, path, 'INVALID_ARGUMENT']);
      const [details] = error?.metadata.get('grpc-status-details-bin') ?? [];
      expect(String(details)).toContain('REQUEST_INVALID');
    }
    client.close();
  }, 120_000);

  it('is refused for fractions of a second where the contract says whole seconds', async () => {
    const fractions = [
      duration(1n, 500_000_000),
      duration(1n, 1),
      duration(5n, -1),
      duration(-1n, -500_000_000),
    ];
    const finer = ({ field }: Place) => field.name === 'max_clock_skew';
    const whole = DURATIONS.filter((place) => !finer(place));
    expect(whole.map(({ field }) => field.name)).toEqual([
      'token_lifetime',
      'window',
      'token_lifetime',
      'window',
      'token_lifetime',
      'window',
    ]);
    expect(await accepted(whole, fractions)).toEqual([]);
    expect(await accepted(DURATIONS, [duration(315_576_000_001n, 0), duration(-(2n ** 63n), 0)])).toEqual([]);
    expect(await accepted(whole, [duration(60n, 0)])).toHaveLength(whole.length);
  });

  it('is refused for a time that is none of the calendar', async () => {
    const times = [-62_135_596_801n, 253_402_300_800n, 2n ** 62n, -(2n ** 62n)].map(time);
    expect(await accepted(TIMES, times)).toEqual([]);
  });

  it('with the largest of numbers is no fault of the service', async () => {
    for (const place of NUMBERS) {
      const largest = place.field.scalar === ScalarType.UINT32 ? 2 ** 32 - 1 : 2n ** 64n - 1n;
      const { reason } = await refusalTo(place, largest);
      expect([undefined, 'REQUEST_INVALID', 'REVISION_UNKNOWN']).toContain(reason);
    }
  });
});
