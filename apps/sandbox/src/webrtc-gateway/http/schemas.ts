/** Bodies as JSON schemas. What is not named here is let through: clients may send more than the gateway needs. */

const MAX_TOKEN = 4096;
const MAX_SDP = 200_000;
/** The SDK asks for an hour. */
export const DEFAULT_EXPIRES_SECONDS = 3600;

const wrapped = (name: string, schema: object) => ({
  type: 'object',
  required: [name],
  properties: { [name]: schema },
});

const sdp = { type: 'string', minLength: 1, maxLength: MAX_SDP };

export const SUBSCRIBE_BODY = wrapped('subscribeRequest', {
  type: 'object',
  required: ['service', 'notificationType'],
  properties: {
    expires: { type: 'integer', minimum: 1, maximum: 86_400, default: DEFAULT_EXPIRES_SECONDS },
    service: { type: 'array', contains: { const: 'callMe' }, maxItems: 16 },
    notificationType: { const: 'WebSocket' },
  },
});

/** Body that matches {@link SUBSCRIBE_BODY}. */
export interface SubscribeBody {
  readonly subscribeRequest: { readonly expires: number };
}

export const CALL_START_BODY = wrapped('callMeRequest', {
  type: 'object',
  required: ['type', 'from', 'to', 'sdp', 'notifyChannelId'],
  properties: {
    type: { const: 'callStart' },
    from: { type: 'string', minLength: 1, maxLength: MAX_TOKEN },
    to: { type: 'string', minLength: 1, maxLength: MAX_TOKEN },
    sdp,
    notifyChannelId: { type: 'string', minLength: 1, maxLength: 128 },
  },
});

/** Body that matches {@link CALL_START_BODY}. */
export interface CallStartBody {
  readonly callMeRequest: {
    readonly from: string;
    readonly to: string;
    readonly sdp: string;
    readonly notifyChannelId: string;
  };
}

const one = (type: string, required: string[] = [], properties: object = {}) => ({
  type: 'object',
  required: ['type', ...required],
  properties: { type: { const: type }, ...properties },
});

export const CALL_STEP_BODY = wrapped('callMeRequest', {
  oneOf: [
    one('audit'),
    one('startCallUpdate', ['sdp'], { sdp }),
    one('respondCallUpdate', ['sdp'], { sdp }),
    one('sendCustomHeaders', ['customParameters'], { customParameters: { type: 'array', maxItems: 100 } }),
  ],
});

/** Body that matches {@link CALL_STEP_BODY}. */
export interface CallStepBody {
  readonly callMeRequest:
    | { readonly type: 'audit' | 'sendCustomHeaders' }
    | { readonly type: 'startCallUpdate' | 'respondCallUpdate'; readonly sdp: string };
}
