import { REFUSALS, type RefusalName } from '../protocol/refusal.ts';

/** Which request is refused: the SDK reads another shape from each, and breaks on shapes it does not know. */
export type Exchange = 'subscribe' | 'subscription' | 'call';

/** The body of a refusal as the SDK reads it. */
export function errorBody(exchange: Exchange, refusal: RefusalName): object {
  const { code, httpStatus } = REFUSALS[refusal];
  if (exchange === 'call') return { callControlResponse: { statusCode: code } };
  if (exchange === 'subscribe' && httpStatus === 403) return { authorizationResponse: { statusCode: code } };
  return { subscribeResponse: { statusCode: code } };
}
