import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Gateway } from '../gateway.ts';
import { Refusal, REFUSALS, type RefusalName } from '../protocol/refusal.ts';
import type { Party, Subscription } from '../protocol/subscriptions.ts';
import {
  CALL_START_BODY,
  CALL_STEP_BODY,
  type CallStartBody,
  type CallStepBody,
  SUBSCRIBE_BODY,
  type SubscribeBody,
} from './schemas.ts';

const BASE = '/rest/version/1/anonymous/:account';

const QUERY = {
  type: 'object',
  properties: { tokenrealm: { type: 'string', minLength: 1, maxLength: 128 } },
};

declare module 'fastify' {
  interface FastifyContextConfig {
    exchange?: Exchange;
  }
}

/** The REST side of the gateway, as the SDK drives it (subscription, callMe, call sessions). */
export function addRest(app: FastifyInstance, gateway: Gateway): void {
  app.setErrorHandler((error, request, reply) => {
    void refuse(reply, request.routeOptions.config.exchange ?? 'call', refusalOf(error));
  });
  app.setNotFoundHandler((_request, reply) => refuse(reply, 'call', 'CALL_GONE'));

  const route = (exchange: Exchange, body?: object) => ({
    config: { exchange },
    schema: { querystring: QUERY, ...(body && { body }) },
  });

  app.post(`${BASE}/subscription`, route('subscribe', SUBSCRIBE_BODY), async (request) => {
    const { expires } = (request.body as SubscribeBody).subscribeRequest;
    const party = partyOf(request);
    return subscribed(await gateway.subscribe(party, expires * 1000), expires);
  });
  app.put(`${BASE}/subscription/:id`, route('subscription', SUBSCRIBE_BODY), async (request) => {
    const { expires } = (request.body as SubscribeBody).subscribeRequest;
    return subscribed(gateway.renew(partyOf(request), idOf(request), expires * 1000), expires);
  });
  app.delete(`${BASE}/subscription/:id`, route('subscription'), async (request) => {
    gateway.unsubscribe(partyOf(request), idOf(request));
    return { subscribeResponse: { statusCode: 0 } };
  });

  app.post(`${BASE}/callMe`, route('call', CALL_START_BODY), async (request) => {
    const start = (request.body as CallStartBody).callMeRequest;
    return callMeResponse({ sessionData: await gateway.startCall(partyOf(request), start) });
  });
  app.put(`${BASE}/callMe/callSessions/:id`, route('call', CALL_STEP_BODY), async (request) => {
    const step = (request.body as CallStepBody).callMeRequest;
    const [party, id] = [partyOf(request), idOf(request)];
    if (step.type === 'startCallUpdate') await gateway.update(party, id, step.sdp);
    // Nothing was offered to the client, so there is nothing that it could answer.
    else if (step.type === 'respondCallUpdate') throw new Refusal('BAD_CALL');
    // Either is a sign of life; nobody reads the headers.
    else gateway.audit(party, id);
    return callMeResponse({});
  });
  app.delete(`${BASE}/callMe/callSessions/:id`, route('call'), async (request) => {
    gateway.endCall(partyOf(request), idOf(request));
    return callMeResponse({});
  });
}

function partyOf({ params, query }: FastifyRequest): Party {
  return {
    account: (params as { account: string }).account,
    realm: (query as { tokenrealm?: string }).tokenrealm,
  };
}

function idOf({ params }: FastifyRequest): string {
  return (params as { id: string }).id;
}

function subscribed({ account, id, channelId }: Subscription, expires: number) {
  return {
    subscribeResponse: {
      statusCode: 0,
      subscription: `${BASE.replace(':account', encodeURIComponent(account))}/subscription/${id}`,
      subscriptionParams: {
        expires,
        service: ['callMe'],
        notificationType: 'WebSocket',
        notificationChannel: `/websocket/${channelId}`,
      },
    },
  };
}

function callMeResponse(more: object) {
  return { callMeResponse: { statusCode: 0, ...more } };
}

function refusalOf(error: unknown): RefusalName {
  if (error instanceof Refusal) return error.refusal;
  const status = (error as { statusCode?: number }).statusCode ?? 500;
  return status < 500 ? 'BAD_BODY' : 'INTERNAL';
}

async function refuse(reply: FastifyReply, exchange: Exchange, refusal: RefusalName): Promise<void> {
  await reply.code(REFUSALS[refusal].httpStatus).send(errorBody(exchange, refusal));
}

/** Which request is refused: the SDK reads another shape from each, and breaks on shapes it does not know. */
type Exchange = 'subscribe' | 'subscription' | 'call';

/** The body of a refusal as the SDK reads it. */
function errorBody(exchange: Exchange, refusal: RefusalName): object {
  const { code, httpStatus } = REFUSALS[refusal];
  if (exchange === 'call') return { callControlResponse: { statusCode: code } };
  if (exchange === 'subscribe' && httpStatus === 403) return { authorizationResponse: { statusCode: code } };
  return { subscribeResponse: { statusCode: code } };
}
