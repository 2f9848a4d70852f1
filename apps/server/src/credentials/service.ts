import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
  Verdict,
  type CredentialService,
  type IssueCredentialsRequest,
} from '@callpass/contract';
import { assertValid, EncodedMessage, type Handlers, type ServerCall } from '@callpass/grpc-kit';
import { SPAN_BATCH_ITEM, withSpan } from '@callpass/telemetry';
import { PRINCIPAL } from '../access/identify.ts';
import { itemStatus, type StatusParts } from '../errors/map-error.ts';
import type { Caller } from '../errors/refusal-records.ts';
import { encryptTogether } from './encrypt.ts';
import { encodeBatch, encodeIssued, type EncodedResult } from './encode-issued.ts';
import { checkIssuing, type CheckIssuingDependencies } from './check-issuing.ts';
import { issue, type Idempotency, type IssueDependencies, type IssueOutcome } from './issue.ts';
import { kindFromMessage, verificationToMessage } from './messages.ts';
import { validateCredentials, validateToken, type ValidateDependencies } from './validate.ts';

/** Dependencies of the handlers: those of the use cases and what single batch items get their status with. */
export type CredentialDependencies = IssueDependencies &
  ValidateDependencies &
  CheckIssuingDependencies &
  StatusParts;

/** The handlers of CredentialService: messages in, use cases, messages out. */
export function credentialHandlers(dependencies: CredentialDependencies): Handlers<typeof CredentialService> {
  const isStale = () => dependencies.state.staleness !== undefined;
  return {
    issueCredentials: (request, call) => issueOne(dependencies, callerOf(call), request),

    async batchIssueCredentials({ requests }, call) {
      const caller = callerOf(call);
      const together = { ...dependencies, encrypt: encryptTogether() };
      const results = requests.map(async (request): Promise<EncodedResult> => {
        try {
          const { bytes: response } = await withSpan(SPAN_BATCH_ITEM, () => {
            // The batch's own rules leave the items out, so that an invalid one does not fail the others.
            assertValid(IssueCredentialsRequestSchema, request);
            return issueOne(together, caller, request);
          });
          return { response };
        } catch (error) {
          return { status: itemStatus(error, call.methodName, dependencies) };
        }
      });
      return new EncodedMessage(encodeBatch(await Promise.all(results)));
    },

    checkIssuing: async (_request, call) => {
      checkIssuing(dependencies, call.state.require(PRINCIPAL));
      return {};
    },

    async validateToken(request, call) {
      const verification = await validateToken(dependencies, callerOf(call), {
        realm: request.realm,
        token: request.token,
        kind: kindFromMessage(request.kind),
        requireIssuedHere: request.requireIssuedHere,
        ignoreExpiry: request.ignoreExpiry,
      });
      return verificationToMessage(verification, isStale());
    },

    async validateCredentials(request, call) {
      const { realm = '', accountToken = '', fromToken = '', toToken = '' } = request.timeLimited ?? {};
      const verification = await validateCredentials(dependencies, callerOf(call), {
        realm,
        tokens: { accountToken, fromToken, toToken },
        expectedCallee: request.expectedCallee,
        expectedCaller: request.expectedCaller,
        requireIssuedHere: request.requireIssuedHere,
      });
      const stale = isStale();
      return {
        verdict: Verdict[verification.verdict],
        account: verificationToMessage(verification.account, stale),
        from: verificationToMessage(verification.from, stale),
        to: verificationToMessage(verification.to, stale),
        stale,
      };
    },
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
