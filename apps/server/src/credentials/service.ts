import { fromBinary, toBinary, type DescMessage, type MessageShape } from '@bufbuild/protobuf';
import {
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
  ValidateCredentialsRequestSchema,
  ValidateTokenRequestSchema,
  Verdict,
  type CredentialService,
  type IssueCredentialsRequest,
  type ValidateCredentialsRequest,
  type ValidateTokenRequest,
} from '@callpass/contract';
import { EncodedMessage, type Handlers, type ServerCall } from '@callpass/grpc-kit';
import type { ShedCause } from '@callpass/telemetry';
import { PRINCIPAL } from '../access/identify.ts';
import type { Admission } from '../admission/admission.ts';
import type { StatusParts } from '../errors/map-error.ts';
import type { Caller } from '../errors/refusal-records.ts';
import type { LoadClass } from '../methods.ts';
import { BatchReads } from './batch-reads.ts';
import { decideEach, toResult, type BatchItems } from './decide-each.ts';
import { encryptTogether } from './encrypt.ts';
import { encodeBatch, encodeIssued } from './encode-issued.ts';
import { checkIssuing, type CheckIssuingDependencies } from './check-issuing.ts';
import { issue, type Idempotency, type IssueDependencies, type IssueOutcome } from './issue.ts';
import { kindFromMessage, verificationToMessage } from './messages.ts';
import { validateCredentials, validateToken, type ValidateDependencies } from './validate.ts';

/** Dependencies of the handlers: those of the use cases and what single batch items get their status with. */
export type CredentialDependencies = IssueDependencies &
  ValidateDependencies &
  CheckIssuingDependencies &
  StatusParts & {
    /** Counts a request that is refused for load. */
    readonly onShed: (loadClass: LoadClass, cause: ShedCause) => void;
    readonly admission: Pick<Admission, 'retryAfterMs'>;
  };

/** The handlers of CredentialService: messages in, use cases, messages out. */
export function credentialHandlers(dependencies: CredentialDependencies): Handlers<typeof CredentialService> {
  const batchReads = new BatchReads({
    store: dependencies.store,
    onShed: () => dependencies.onShed('VALIDATE', 'queue'),
    retryAfterMs: () => dependencies.admission.retryAfterMs('VALIDATE'),
  });
  const validateEach = async <D extends DescMessage, A>(
    items: BatchItems<D>,
    validate: (within: ValidateDependencies, caller: Caller, request: MessageShape<D>) => Promise<A>,
  ) => {
    const caller = callerOf(items.call);
    const outcomes = await batchReads.within(caller.principal.client, (store) => {
      const within = { ...dependencies, store };
      return decideEach(items, (request) => validate(within, caller, request));
    });
    return { results: outcomes.map(toResult) };
  };
  return {
    issueCredentials: (request, call) => issueOne(dependencies, callerOf(call), request),

    async batchIssueCredentials({ requests }, call) {
      const caller = callerOf(call);
      const together = { ...dependencies, encrypt: encryptTogether() };
      const items = { schema: IssueCredentialsRequestSchema, requests, parts: dependencies, call };
      const outcomes = await decideEach(items, (request) =>
        issueOne(together, caller, request).then(({ bytes }) => bytes),
      );
      return new EncodedMessage(encodeBatch(outcomes));
    },

    checkIssuing: async (_request, call) => {
      checkIssuing(dependencies, call.state.require(PRINCIPAL));
      return {};
    },

    validateToken: (request, call) => validateOne(dependencies, callerOf(call), request),
    validateCredentials: (request, call) => validateSet(dependencies, callerOf(call), request),

    batchValidateTokens: ({ requests }, call) =>
      validateEach({ schema: ValidateTokenRequestSchema, requests, parts: dependencies, call }, validateOne),
    batchValidateCredentials: ({ requests }, call) =>
      validateEach(
        { schema: ValidateCredentialsRequestSchema, requests, parts: dependencies, call },
        validateSet,
      ),
  };
}

/** The client of a call, as the interceptors have recognised it, and the call. */
export const callerOf = (call: ServerCall): Caller => ({ principal: call.state.require(PRINCIPAL), call });

/** The encoded `IssueCredentialsResponse`: the very bytes that a repeated request id gets again. */
function issueOne(
  dependencies: IssueDependencies,
  caller: Caller,
  request: IssueCredentialsRequest,
): Promise<EncodedMessage> {
  return issue(dependencies, caller, request, idempotencyOf(request, caller, dependencies)).then(
    encodeOutcome,
  );
}

async function validateOne(
  dependencies: ValidateDependencies,
  caller: Caller,
  request: ValidateTokenRequest,
) {
  const verification = await validateToken(dependencies, caller, {
    realm: request.realm,
    token: request.token,
    kind: kindFromMessage(request.kind),
    requireIssuedHere: request.requireIssuedHere,
    ignoreExpiry: request.ignoreExpiry,
  });
  return verificationToMessage(verification, isStale(dependencies));
}

async function validateSet(
  dependencies: ValidateDependencies,
  caller: Caller,
  request: ValidateCredentialsRequest,
) {
  const { realm = '', accountToken = '', fromToken = '', toToken = '' } = request.timeLimited ?? {};
  const verification = await validateCredentials(dependencies, caller, {
    realm,
    tokens: { accountToken, fromToken, toToken },
    expectedCallee: request.expectedCallee,
    expectedCaller: request.expectedCaller,
    requireIssuedHere: request.requireIssuedHere,
  });
  const stale = isStale(dependencies);
  return {
    verdict: Verdict[verification.verdict],
    account: verificationToMessage(verification.account, stale),
    from: verificationToMessage(verification.from, stale),
    to: verificationToMessage(verification.to, stale),
    stale,
  };
}

const isStale = ({ state }: Pick<ValidateDependencies, 'state'>) => state.staleness !== undefined;

function encodeOutcome(outcome: IssueOutcome): EncodedMessage {
  return new EncodedMessage(
    outcome.kind === 'answeredBefore' ? outcome.answer : encodeIssued(outcome.issued),
  );
}

function idempotencyOf(
  request: IssueCredentialsRequest,
  { principal: { client } }: Caller,
  { keyedHash }: Pick<IssueDependencies, 'keyedHash'>,
): Idempotency | undefined {
  if (request.requestId === '') return undefined;
  // A UUID may be written in either case.
  const requestId = request.requestId.toLowerCase();
  const body = toBinary(IssueCredentialsRequestSchema, { ...request, requestId: '' });
  return {
    requestId,
    bodyHash: keyedHash.request({ client, requestId, body }),
    // A copy of its own: what goes to the store's thread is sent with the whole buffer that it is a piece of.
    encode: (issued) => new Uint8Array(encodeIssued(issued)),
    keyOf: (answer) => {
      const { grant, keyVersion: version } = fromBinary(IssueCredentialsResponseSchema, answer);
      return grant.case === 'timeLimited' ? { realm: grant.value.realm, version } : undefined;
    },
  };
}
