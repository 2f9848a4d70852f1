import { createHash } from 'node:crypto';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  IssueCredentialsRequestSchema,
  IssueCredentialsResponseSchema,
  Verdict,
  type BatchIssueCredentialsResultSchema,
  type CredentialService,
  type IssueCredentialsRequest,
  type IssueCredentialsResponse,
} from '@callpass/contract';
import { assertValid, type Handlers } from '@callpass/grpc-kit';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { issue, type Idempotency, type IssueDependencies } from '../credentials/issue.ts';
import type { Principal } from '../credentials/principal.ts';
import { validateCredentials, validateToken, type ValidateDependencies } from '../credentials/validate.ts';
import { itemStatus, type OnFault } from '../errors/map-error.ts';
import { issuedToMessage, judgementToMessage, kindFromMessage } from './messages.ts';
import { PRINCIPAL } from './principal-key.ts';

/** What the handlers need: the use cases' dependencies and a place for faults of single batch items. */
export type CredentialDependencies = IssueDependencies & ValidateDependencies & { readonly onFault: OnFault };

/** The handlers of CredentialService: messages in, use cases, messages out. */
export function credentialHandlers(dependencies: CredentialDependencies): Handlers<typeof CredentialService> {
  return {
    issueCredentials: (request, call) => issueOne(dependencies, call.state.require(PRINCIPAL), request),

    async batchIssueCredentials({ requests }, call) {
      const principal = call.state.require(PRINCIPAL);
      const results = requests.map(
        async (request): Promise<MessageInitShape<typeof BatchIssueCredentialsResultSchema>> => {
          try {
            // The batch's own rules leave the items out, so that an invalid one does not fail the others.
            assertValid(IssueCredentialsRequestSchema, request);
            return { result: { case: 'response', value: await issueOne(dependencies, principal, request) } };
          } catch (error) {
            const status = itemStatus(error, call.methodName, dependencies.onFault);
            return { result: { case: 'status', value: status } };
          }
        },
      );
      return { results: await Promise.all(results) };
    },

    async validateToken(request, call) {
      return judgementToMessage(
        await validateToken(dependencies, call.state.require(PRINCIPAL), {
          realm: request.realm,
          token: request.token,
          kind: kindFromMessage(request.kind),
          requireIssuedHere: request.requireIssuedHere,
        }),
      );
    },

    async validateCredentials(request, call) {
      const { realm = '', accountToken = '', fromToken = '', toToken = '' } = request.timeLimited ?? {};
      const judgement = await validateCredentials(dependencies, call.state.require(PRINCIPAL), {
        realm,
        tokens: { accountToken, fromToken, toToken },
        expectedCallee: request.expectedCallee,
        expectedCaller: request.expectedCaller,
        requireIssuedHere: request.requireIssuedHere,
      });
      return {
        verdict: Verdict[judgement.verdict],
        account: judgementToMessage(judgement.account),
        from: judgementToMessage(judgement.from),
        to: judgementToMessage(judgement.to),
      };
    },
  };
}

async function issueOne(
  dependencies: IssueDependencies,
  principal: Principal,
  request: IssueCredentialsRequest,
): Promise<IssueCredentialsResponse> {
  let message: IssueCredentialsResponse | undefined;
  const idempotency: Idempotency | undefined =
    request.requestId === ''
      ? undefined
      : {
          // A UUID may be written in either case.
          requestId: request.requestId.toLowerCase(),
          bodyHash: createHash('sha256')
            .update(toBinary(IssueCredentialsRequestSchema, { ...request, requestId: '' }))
            .digest(),
          encode: (issued) => toBinary(IssueCredentialsResponseSchema, (message = issuedToMessage(issued))),
        };
  const outcome = await issue(dependencies, principal, request, idempotency);
  if (outcome.kind === 'answeredBefore') return fromBinary(IssueCredentialsResponseSchema, outcome.answer);
  return message ?? issuedToMessage(outcome.issued);
}
