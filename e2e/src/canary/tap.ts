import { fromBinary, type DescMessage, type DescMethod } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { Client, Metadata, type ServiceError } from '@grpc/grpc-js';
import { keep, plant, plantTokensIn } from './keep.ts';

// Jest runs this before each file of tests. Of what clients in the tests send and are told, secrets are planted and texts of
// errors kept, whoever wrote the test.

/** The fields of the contract that hold a secret, and what it is. */
const SECRETS: Readonly<Record<string, string>> = {
  'callpass.v1.IssueCredentialsRequest.subject': 'visitor',
  'callpass.v1.TryIssueRequest.subject': 'visitor',
  'callpass.v1.FreezeScope.subject': 'visitor',
  'callpass.v1.SummarizeEntriesRequest.subject': 'visitor',
  'callpass.v1.TimeLimitedCredentials.account_token': 'issued token',
  'callpass.v1.TimeLimitedCredentials.from_token': 'issued token',
  'callpass.v1.TimeLimitedCredentials.to_token': 'issued token',
  'callpass.v1.ValidateTokenRequest.token': 'presented token',
  'callpass.v1.ExplainTokenRequest.token': 'presented token',
  'callpass.v1.AddRealmKeyRequest.key': 'realm key',
  'callpass.v1.AddRealmKeyResponse.generated_key': 'realm key',
};

const METHODS = new Map<string, DescMethod>(
  [CredentialService, AdminService, LedgerService].flatMap(({ typeName, methods }) =>
    methods.map((method) => [`/${typeName}/${method.name}`, method] as const),
  ),
);

function plantFields(message: ReflectMessage): void {
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const what = SECRETS[`${message.desc.typeName}.${field.name}`];
    if (what !== undefined && field.fieldKind === 'scalar') plant(what, message.get(field) as string);
    else if (field.fieldKind === 'message') plantFields(message.get(field));
    else if (field.fieldKind === 'list' && field.listKind === 'message')
      for (const item of message.get(field)) plantFields(item as ReflectMessage);
  }
}

function plantSecrets(desc: DescMessage | undefined, bytes: unknown): void {
  if (desc !== undefined && bytes instanceof Uint8Array) plantFields(reflect(desc, fromBinary(desc, bytes)));
}

const told = new Set<string>();

function keepError(path: string, { code, details, metadata }: ServiceError): void {
  const trailer = Object.values(metadata?.toJSON() ?? {}).flat();
  const text = `${path} ${code} ${details} ${trailer.map((value) => Buffer.from(value).toString('latin1')).join(' ')}\n`;
  // A service that is away says the same to everybody.
  if (told.has(text)) return;
  told.add(text);
  keep('errors-of-calls.txt', text);
}

type MakeUnaryRequest = (this: Client, ...args: unknown[]) => unknown;
type Answered = (error: ServiceError | null, bytes?: unknown) => void;

// eslint-disable-next-line @typescript-eslint/unbound-method -- it is called on the client that it is asked of
const makeUnaryRequest = Client.prototype.makeUnaryRequest as MakeUnaryRequest;
Client.prototype.makeUnaryRequest = function (this: Client, ...args: unknown[]) {
  const [path, , , request, metadata] = args as [string, ...unknown[]];
  const method = METHODS.get(path);
  plantSecrets(method?.input, request);
  if (metadata instanceof Metadata) {
    const [bearer = ''] = metadata.get('authorization');
    plant('bearer token', String(bearer).replace(/^Bearer +/i, ''));
  }
  const answered = args.at(-1) as Answered;
  return makeUnaryRequest.call(this, ...args.slice(0, -1), (error: ServiceError | null, bytes?: unknown) => {
    if (error) keepError(path, error);
    else plantSecrets(method?.output, bytes);
    answered(error, bytes);
  });
} as typeof Client.prototype.makeUnaryRequest;

const { fetch } = globalThis;
globalThis.fetch = async (...args) => {
  const response = await fetch(...args);
  const type = response.headers.get('content-type') ?? '';
  const { pathname } = new URL(response.url);
  // A body that is not a whole text, such as a stream of events, is not waited for.
  if (!/json|text\/plain/.test(type)) return response;
  const body = await response
    .clone()
    .text()
    .catch(() => '');
  if (!response.ok) keep('errors-of-http.txt', `${response.status} ${body}\n`);
  else if (pathname.endsWith('/metrics')) keep('scrapes.txt', body);
  else if (/^\/sandbox\/(traces\/|telemetry$)/.test(pathname)) keep('sandbox-telemetry.txt', `${body}\n`);
  else plantTokensIn(body);
  return response;
};
