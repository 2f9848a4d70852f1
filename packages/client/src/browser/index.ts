/** Credentials of one call: the arguments of the SDK's `makeAnonymous`, and their times on the visitor's clock. */
export interface CallCredentials {
  readonly callee: string;
  /** Three tokens and their realm, or `{}` for an unrestricted call. */
  readonly credentials: Readonly<Record<string, string>>;
  readonly callOptions: { readonly from: string };
  /** Id of the issue, for support. */
  readonly issuanceId: string | undefined;
  /** Time of the answer, in ms since the epoch. */
  readonly issuedAtMs: number;
  /** From then on new credentials are needed for another call; undefined for an unrestricted one. */
  readonly refreshAtMs: number | undefined;
  /** Until then a call may be started. */
  readonly expiresAtMs: number | undefined;
}

/** Facts of a refusal by the edge, from its `application/problem+json` and `Retry-After`. */
export interface Refusal {
  /** HTTP status. */
  readonly status: number;
  /** Reason, of which docs/errors.md has a section each. Undefined if the answer came from something before the edge. */
  readonly reason?: string;
  /** Text for people. */
  readonly title?: string;
  /** Next opening of the destination, in ms since the epoch. */
  readonly opensAtMs?: number;
  /** Time to wait before asking again, in ms. */
  readonly retryAfterMs?: number;
  /** Trace id of the request, for support. */
  readonly traceId?: string;
}

/** Error of a request that the edge has refused. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.title ?? `refused with status ${refusal.status}`);
    this.refusal = refusal;
  }
}

/** Error of an answer with status 200 that is none of the edge. No call may be placed with it. */
export class UnusableAnswerError extends Error {
  override readonly name = 'UnusableAnswerError';
}

/** Options of {@link fetchCredentials}. */
export interface FetchCredentialsOptions {
  /** Address of the edge, such as `https://edge.example`; `''` for the page's own origin. */
  readonly url: string;
  readonly destination: string;
  /** Gives the request up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time limit in ms, after which the promise rejects with a `TimeoutError`. Default: 15,000, longer than the edge's own. */
  readonly timeoutMs?: number | undefined;
  /** Further headers, such as `traceparent`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Body of the request, such as `{ callee }`. */
  readonly body?: Readonly<Record<string, unknown>> | undefined;
  /** Replacement of the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
}

/**
 * Requests the credentials of one call from the edge, with the visitor's cookie. Ask at the click, after the microphone.
 *
 * Rejects with {@link RefusedError}, {@link UnusableAnswerError}, the reason of an aborted signal, or what `fetch` rejects
 * with. Never call without credentials after a rejection: that would be an unrestricted call.
 *
 * @example
 * ```ts
 * const { callee, credentials, callOptions } = await fetchCredentials({ url: 'https://edge.example', destination: 'support' });
 * const callId = client.call.makeAnonymous(callee, credentials, { ...callOptions, audio: true });
 * ```
 */
export async function fetchCredentials(options: FetchCredentialsOptions): Promise<CallCredentials> {
  const {
    url,
    destination,
    signal,
    timeoutMs = 15_000,
    headers,
    body = {},
    fetch = globalThis.fetch,
  } = options;
  const limit = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`${url}/v1/destinations/${encodeURIComponent(destination)}/credentials`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    credentials: 'include',
    cache: 'no-store',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  });
  const answer: unknown = await response.json().catch((error: unknown) => {
    if (signal?.aborted || limit.aborted) throw error;
  });
  const time = response.headers;
  if (!response.ok) throw new RefusedError(readRefusal(response.status, answer, time.get('retry-after')));
  return readCredentials(answer, time.get('date'));
}

/** Credentials that are kept until they have to be renewed. */
export interface CredentialKeeper {
  /** Gives those of the last call to the same destination until their refresh time, or requests new ones. */
  get(destination: string, signal?: AbortSignal): Promise<CallCredentials>;
  /** Forgets them, for example after the gateway has refused a call. */
  forget(): void;
}

/**
 * Keeps credentials for further calls, in memory only, and renews them before they expire.
 *
 * @example
 * ```ts
 * const keeper = keepCredentials((destination, signal) => fetchCredentials({ url, destination, signal }));
 * const { callee, credentials, callOptions } = await keeper.get('support');
 * ```
 */
export function keepCredentials(
  request: (destination: string, signal?: AbortSignal) => Promise<CallCredentials>,
  nowMs: () => number = Date.now,
): CredentialKeeper {
  let kept: { destination: string; value: CallCredentials } | undefined;
  return {
    async get(destination, signal) {
      if (kept?.destination !== destination || !((kept.value.refreshAtMs ?? 0) > nowMs())) {
        kept = undefined;
        kept = { destination, value: await request(destination, signal) };
      }
      return kept.value;
    },
    forget() {
      kept = undefined;
    },
  };
}

function readCredentials(answer: unknown, date: string | null): CallCredentials {
  const { callee, credentials, callOptions, issuanceId, refreshAt, expiresAt } = record(answer);
  const tokens = record(credentials);
  const { from } = record(callOptions);
  if (!isText(callee) || !isText(from)) throw new UnusableAnswerError('the answer names no call');
  const complete = ['accountToken', 'fromToken', 'toToken', 'realm'].every((name) => isText(tokens[name]));
  if (Object.keys(tokens).length > 0 && !complete) throw new UnusableAnswerError('the answer misses a token');
  const issuedAtMs = Date.now();
  // The visitor's clock may be wrong; the header is accurate to a second.
  const aheadMs = issuedAtMs - msOf(date, issuedAtMs);
  const time = (value: unknown) => {
    const ms = msOf(value, NaN);
    return ms >= 0 ? ms + (Math.abs(aheadMs) > 2_000 ? aheadMs : 0) : undefined;
  };
  return {
    callee,
    credentials: tokens as Readonly<Record<string, string>>,
    callOptions: { from },
    issuanceId: isText(issuanceId) ? issuanceId : undefined,
    issuedAtMs,
    refreshAtMs: time(refreshAt),
    expiresAtMs: time(expiresAt),
  };
}

function readRefusal(status: number, answer: unknown, retryAfter: string | null): Refusal {
  const { reason, title, opensAt, traceId } = isRecord(answer) ? answer : {};
  const opensAtMs = msOf(opensAt, NaN);
  const retryAfterMs = Number(retryAfter ?? NaN) * 1_000;
  return {
    status,
    ...(isText(reason) && { reason }),
    ...(isText(title) && { title }),
    ...(isText(traceId) && { traceId }),
    ...(opensAtMs >= 0 && { opensAtMs }),
    ...(retryAfterMs >= 0 && { retryAfterMs }),
  };
}

function msOf(value: unknown, otherwise: number): number {
  const ms = isText(value) ? Date.parse(value) : NaN;
  return Number.isNaN(ms) ? otherwise : ms;
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new UnusableAnswerError('the answer is not an object');
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
