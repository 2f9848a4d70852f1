import { randomBytes, randomUUID } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  IssueCredentialsResponseSchema,
  TokenKind,
  ValidateCredentialsResponseSchema,
  ValidateTokenResponseSchema,
  Verdict,
  type IssueCredentialsRequest,
  type IssueCredentialsResponse,
  type ValidateCredentialsRequest,
  type ValidateCredentialsResponse,
  type ValidateTokenRequest,
  type ValidateTokenResponse,
} from '@callpass/contract';

/** Settings of an issuer of made-up credentials. */
export interface MadeUpWorld {
  readonly nowMs: () => number;
  readonly tokenLifetimeMs: number;
  readonly realm: string;
  readonly unrestricted: readonly string[];
  readonly callee: string;
  readonly account: string;
}

interface MadeUpToken {
  readonly kind: TokenKind;
  readonly user: string;
  readonly issuanceId: string;
  readonly issueTimeMs: number;
}

/** Issues texts that have the form of tokens but no content, and validates those that it has issued. */
export class MadeUpIssuer {
  readonly #world: MadeUpWorld;
  readonly #tokens = new Map<string, MadeUpToken>();
  readonly #answers = new Map<string, IssueCredentialsResponse>();

  constructor(world: MadeUpWorld) {
    this.#world = world;
  }

  issue(request: IssueCredentialsRequest): IssueCredentialsResponse {
    const known = this.#answers.get(request.requestId);
    if (known) return known;
    const answer = this.#make(request);
    if (request.requestId !== '') this.#answers.set(request.requestId, answer);
    return answer;
  }

  validate({ realm, token, kind, ignoreExpiry }: ValidateTokenRequest): ValidateTokenResponse {
    const issued = realm === this.#world.realm ? this.#tokens.get(token) : undefined;
    if (!issued) {
      const verdict = /^([0-9a-f]{32})+$/i.test(token) ? Verdict.UNDECIPHERABLE : Verdict.MALFORMED;
      return create(ValidateTokenResponseSchema, { verdict });
    }
    return create(ValidateTokenResponseSchema, {
      verdict: this.#verdict(issued, kind, ignoreExpiry),
      user: issued.user,
      issueTime: timestampFromMs(issued.issueTimeMs),
      expireTime: timestampFromMs(issued.issueTimeMs + this.#world.tokenLifetimeMs),
      keyVersion: 1,
    });
  }

  validateSet({
    timeLimited,
    expectedCallee,
    expectedCaller,
  }: ValidateCredentialsRequest): ValidateCredentialsResponse {
    const { realm = '', accountToken = '', fromToken = '', toToken = '' } = timeLimited ?? {};
    const validate = (token: string, kind: TokenKind) =>
      this.validate({ realm, token, kind } as ValidateTokenRequest);
    const account = validate(accountToken, TokenKind.ACCOUNT);
    const from = validate(fromToken, TokenKind.FROM);
    const to = validate(toToken, TokenKind.TO);
    const fault = [account, from, to]
      .map(({ verdict }) => verdict)
      .find((verdict) => verdict !== Verdict.VALID);
    const issuances = new Set(
      [accountToken, fromToken, toToken].map((text) => this.#tokens.get(text)?.issuanceId),
    );
    const together =
      issuances.size === 1 &&
      (expectedCallee === undefined || to.user === `sip:${expectedCallee}`) &&
      (expectedCaller === undefined || from.user === `sip:${expectedCaller}`);
    const verdict = fault ?? (together ? Verdict.VALID : Verdict.MISMATCHED);
    return create(ValidateCredentialsResponseSchema, { verdict, account, from, to });
  }

  #make(request: IssueCredentialsRequest): IssueCredentialsResponse {
    const { nowMs, tokenLifetimeMs, realm, unrestricted, account } = this.#world;
    const callee = request.callee || this.#world.callee;
    const caller = request.caller || account;
    const issueTimeMs = nowMs();
    const issuanceId = randomUUID();
    const common = { issuanceId, callee, caller, issueTime: timestampFromMs(issueTimeMs) };
    if (unrestricted.includes(request.destination)) {
      return create(IssueCredentialsResponseSchema, {
        ...common,
        grant: { case: 'unrestricted', value: {} },
      });
    }
    const token = (kind: TokenKind, user: string) => {
      const text = randomBytes(48).toString('hex').toUpperCase();
      this.#tokens.set(text, { kind, user, issuanceId, issueTimeMs });
      return text;
    };
    return create(IssueCredentialsResponseSchema, {
      ...common,
      grant: {
        case: 'timeLimited',
        value: {
          accountToken: token(TokenKind.ACCOUNT, account),
          fromToken: token(TokenKind.FROM, `sip:${caller}`),
          toToken: token(TokenKind.TO, `sip:${callee}`),
          realm,
        },
      },
      expireTime: timestampFromMs(issueTimeMs + tokenLifetimeMs),
      refreshTime: timestampFromMs(issueTimeMs + (tokenLifetimeMs * 4) / 5),
      keyVersion: 1,
    });
  }

  #verdict({ kind, issueTimeMs }: MadeUpToken, wanted: TokenKind, ignoreExpiry: boolean): Verdict {
    if (wanted !== TokenKind.TOKEN_KIND_UNSPECIFIED && wanted !== kind) return Verdict.WRONG_KIND;
    if (ignoreExpiry) return Verdict.VALID;
    return this.#world.nowMs() < issueTimeMs + this.#world.tokenLifetimeMs ? Verdict.VALID : Verdict.EXPIRED;
  }
}
