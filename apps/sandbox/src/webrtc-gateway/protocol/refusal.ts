/**
 * Why the gateway says no, by the code that the SDK shows or hides (the vendor's REST document as far as the SDK's
 * comments tell it). `httpStatus` goes with the code wherever it is answered.
 */
export const REFUSALS = {
  BAD_BODY: { code: 5, httpStatus: 400, meaning: 'the body is not what this request needs' },
  INTERNAL: { code: 26, httpStatus: 503, meaning: 'the gateway could not find out or has no room' },
  NOT_ENABLED: { code: 35, httpStatus: 403, meaning: 'the CallMe service is not enabled' },
  CHANNEL_GONE: { code: 39, httpStatus: 404, meaning: 'no such subscription or notification channel' },
  CALL_GONE: { code: 42, httpStatus: 404, meaning: 'no such call' },
  INVALID_TOKEN: { code: 46, httpStatus: 403, meaning: 'invalid CallMe token' },
  INVALID_REALM: { code: 64, httpStatus: 403, meaning: 'invalid CallMe realm' },
  TOKEN_EXPIRED: { code: 65, httpStatus: 403, meaning: 'token expired' },
  BAD_CALL: {
    code: 1004,
    httpStatus: 400,
    meaning: 'the call cannot be set up with this session description',
  },
} as const satisfies Record<string, { code: number; httpStatus: number; meaning: string }>;

/** Name of a row of {@link REFUSALS}. */
export type RefusalName = keyof typeof REFUSALS;

/** Error for a request that the gateway refuses. */
export class Refusal extends Error {
  readonly refusal: RefusalName;

  constructor(refusal: RefusalName, options?: ErrorOptions) {
    super(REFUSALS[refusal].meaning, options);
    this.name = 'Refusal';
    this.refusal = refusal;
  }
}
