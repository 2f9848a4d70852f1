import type { Fault, GatewayStep, NoAnswer, Step } from '../call/fault.ts';
import type { Problem } from '../call/problem.ts';
import type { StepRow } from '../call/steps.ts';

/** A fault in technical words, for the developer's panel. */
export interface Diagnosis {
  /** Step that was refused or failed, with its code or reason. */
  readonly cause: string;
  /** Next step for the developer. */
  readonly next: string;
  /** Page of the documentation, with its section. */
  readonly page?: string;
}

/** Name of each step and the party that takes it. */
export const STEP_NAMES: Readonly<Record<Step, { readonly name: string; readonly party: string }>> = {
  microphone: { name: 'Microphone', party: 'browser' },
  credentials: { name: 'Credentials', party: 'edge' },
  subscription: { name: 'Subscription', party: 'gateway' },
  websocket: { name: 'WebSocket', party: 'gateway' },
  call: { name: 'Start of the call', party: 'gateway' },
  audio: { name: 'Answer and audio', party: 'gateway' },
};

const REFUSED_CALL = 'docs/guides/refused-call.md';

const CODES: ReadonlyMap<number, { readonly meaning: string; readonly next: string }> = new Map([
  [5, { meaning: 'invalid request body', next: 'Compare the version of the SDK with that of the gateway.' }],
  [
    26,
    {
      meaning: 'internal fault of the gateway, or no capacity',
      next: 'Check that the gateway reaches Callpass. In the sandbox: POST {gateway}/sandbox/processes/server/start.',
    },
  ],
  [
    35,
    {
      meaning: 'the CallMe service is not enabled',
      next: 'Enable CallMe for the callee in the vendor’s portal. The sandbox also answers 35 for tokens that were frozen: callpass freezes lists them.',
    },
  ],
  [39, { meaning: 'the subscription has ended', next: 'Call again. The SDK then makes a new subscription.' }],
  [
    46,
    {
      meaning: 'invalid CallMe token',
      next: 'Run callpass explain on the token. If it finds no fault, compare key, cipher and lifetime with the vendor’s portal. For an unrestricted call: allow unrestricted calls in the portal.',
    },
  ],
  [
    64,
    {
      meaning: 'invalid CallMe realm',
      next: 'Compare the realm’s name in the configuration with the one in the vendor’s portal, letter by letter.',
    },
  ],
  [
    65,
    {
      meaning: 'the token has expired',
      next: 'Ask for credentials at the click. Then compare the realm’s tokenLifetime with the portal, and both clocks.',
    },
  ],
  [
    1004,
    {
      meaning: 'the session description was not accepted',
      next: 'Check that the browser offers audio: chrome://webrtc-internals shows the offer.',
    },
  ],
]);

const CHECK_LOG = 'Look for the trace id in the log of the service and of the edge.';

/** Next steps for the reasons that can refuse a request for credentials. docs/errors.md has all reasons. */
const REASONS: ReadonlyMap<string | undefined, string> = new Map([
  ['REQUEST_INVALID', 'Correct the fields that the answer names in violations.'],
  ['CLIENT_UNKNOWN', 'Compare the edge’s certificate or token with identities in the configuration.'],
  [
    'CLIENT_NOT_GRANTED',
    'Check the destination’s id, and that the edge’s client has the role ISSUER for it.',
  ],
  ['CALLEE_NOT_ALLOWED', 'Add the address to the destination’s callees, if it may be called.'],
  ['CALLER_NOT_ALLOWED', 'Add the address to the destination’s callers, if it may also be called.'],
  ['SUBJECT_REQUIRED', 'Send the visitor’s subject, or remove requireSubject from the destination.'],
  ['DESTINATION_DISABLED', 'Set enabled: true for the destination and apply the configuration.'],
  ['DESTINATION_CLOSED', 'Wait until opensAt, or change the destination’s hours.'],
  ['FROZEN', 'Run callpass freezes to see who stopped it and why, and callpass unfreeze to end it.'],
  ['LIMIT_EXCEEDED', 'Wait for Retry-After, or raise the destination’s limits.'],
  ['TOO_MANY_REQUESTS', 'Wait for Retry-After, or raise the limits of the edge.'],
  ['KEY_NOT_ACTIVE', 'Add a key and activate it: callpass key add, callpass key activate.'],
  ['REQUEST_ID_REUSED', 'Use a new Idempotency-Key for each new request.'],
  ['LEDGER_UNAVAILABLE', 'Check the service’s database: callpass health.'],
  ['STORE_UNAVAILABLE', 'Check the service’s database: callpass health.'],
  ['LIMITER_UNAVAILABLE', 'Check the store of the limits: callpass health.'],
  ['CLOCK_UNTRUSTED', 'Check the clock of the service’s machine: callpass doctor.'],
  ['SNAPSHOT_STALE', 'Check the service’s database and key-encryption key: callpass health.'],
  ['OVERLOADED', 'Wait for Retry-After, then call again.'],
  ['INTERNAL', CHECK_LOG],
  ['EDGE_FAULT', CHECK_LOG],
  ['SERVICE_FAULT', CHECK_LOG],
  ['SERVICE_TIMEOUT', 'Check the load of the service, and the network between edge and service.'],
  ['SERVICE_UNREACHABLE', 'Start the service, or correct the edge’s service.address.'],
  ['DESTINATION_UNRESTRICTED', 'Ask POST /v1/destinations/{id}/credentials instead.'],
  ['HUMAN_CHECK_REQUIRED', 'Have the page send the answer of the check for humans.'],
  ['ORIGIN_NOT_ALLOWED', 'Add the page’s origin to the edge’s origins; in the sandbox: --allow-origin.'],
]);

const NO_ANSWER: Readonly<Record<NoAnswer, string>> = {
  unreachable: 'no answer: the connection failed',
  timeout: 'no answer within the time limit',
  offline: 'the browser is offline',
};

const GO_ONLINE = 'Connect to the network, then call again.';

/** Explains a fault. */
export function diagnosisOf(fault: Fault): Diagnosis {
  switch (fault.at) {
    case 'page':
      return {
        cause: 'The page could not load its settings from /sandbox/config.json.',
        next: 'Check that the sandbox runs, then reload the page.',
      };
    case 'microphone':
      return fault.cause === 'denied'
        ? {
            cause: 'Browser: getUserMedia failed with NotAllowedError.',
            next: 'Allow the microphone for this origin. Outside localhost the page needs HTTPS.',
          }
        : {
            cause: 'Browser: getUserMedia found no usable microphone.',
            next: 'Connect a microphone, or end the program that uses it.',
          };
    case 'credentials':
      return fault.cause === 'refused' ? edgeRefusal(fault.problem) : edgeSilence(fault.cause);
    case 'subscription':
    case 'websocket':
    case 'call':
    case 'audio':
      return fault.cause === 'refused'
        ? gatewayRefusal(fault.at, fault.code)
        : gatewaySilence(fault.at, fault.cause);
  }
}

/** A row of the list of steps, such as "refused: code 35". `fault` is that of the call, where it failed. */
export function outcomeOf({ status }: StepRow, fault: Fault | undefined): string {
  if (status !== 'failed' || fault === undefined) return OUTCOMES[status];
  if (fault.at === 'page') return OUTCOMES.failed;
  if (fault.at === 'microphone') return fault.cause === 'denied' ? 'denied' : 'not found';
  if (fault.cause !== 'refused') return SHORT_CAUSES[fault.cause];
  return fault.at === 'credentials' ? `refused: ${named(fault.problem)}` : `refused: code ${fault.code}`;
}

const OUTCOMES: Readonly<Record<StepRow['status'], string>> = {
  pending: 'not reached',
  running: 'in progress',
  done: 'done',
  failed: 'failed',
  stopped: 'cancelled',
};

const SHORT_CAUSES = {
  unreachable: 'no answer',
  timeout: 'timed out',
  offline: 'offline',
  unusable: 'unusable answer',
  'no-sdk': 'SDK not loaded',
  lost: 'connection lost',
} as const;

function edgeRefusal(problem: Problem): Diagnosis {
  const { reason, title } = problem;
  return {
    cause: `The edge refused the credentials: ${named(problem)}${title === undefined ? '' : `, ${title}`}.`,
    next: REASONS.get(reason) ?? CHECK_LOG,
    page: reason === undefined ? 'docs/errors.md' : `docs/errors.md#${reason.toLowerCase()}`,
  };
}

function named({ status, reason }: Problem): string {
  return reason === undefined ? String(status) : `${status} ${reason}`;
}

function edgeSilence(cause: NoAnswer | 'unusable'): Diagnosis {
  if (cause === 'unusable') {
    return {
      cause: 'The edge answered 200, but the answer is not a complete grant. No call was placed.',
      next: 'Check what lies between page and edge, such as a proxy that changes answers.',
    };
  }
  return {
    cause: `Edge: ${NO_ANSWER[cause]}.`,
    next:
      cause === 'offline'
        ? GO_ONLINE
        : 'Check that the edge runs and that it allows the page’s origin. In the sandbox: POST {gateway}/sandbox/processes/edge/start.',
  };
}

/** Request of each step to the gateway. */
const ASKED: Readonly<Record<GatewayStep, string>> = {
  subscription: 'the subscription (POST …/subscription)',
  websocket: 'the WebSocket for notifications',
  call: 'the start of the call (POST …/callMe)',
  audio: 'the call before it was answered',
};

function gatewayRefusal(step: GatewayStep, code: number): Diagnosis {
  const known = CODES.get(code);
  return {
    cause: `The gateway refused ${ASKED[step]} with code ${code}${known ? `: ${known.meaning}` : ''}.`,
    next: known?.next ?? 'Look the code up in the REST documentation of the vendor.',
    page: REFUSED_CALL,
  };
}

function gatewaySilence(step: GatewayStep, cause: NoAnswer | 'no-sdk' | 'lost'): Diagnosis {
  switch (cause) {
    case 'no-sdk':
      return {
        cause: 'The SDK (callme-sdk.js) was not loaded.',
        next: 'Check the console for a wrong integrity hash or a violation of the content security policy.',
      };
    case 'lost':
      return {
        cause: 'The audio connection failed (iceConnectionState failed).',
        next: 'Check the network, firewalls for UDP, and the ICE servers in the SDK’s configuration.',
      };
    case 'offline':
      return {
        cause: `Gateway, ${STEP_NAMES[step].name.toLowerCase()}: ${NO_ANSWER.offline}.`,
        next: GO_ONLINE,
      };
    case 'unreachable':
    case 'timeout':
      return {
        cause: `The gateway did not answer ${ASKED[step]}: ${cause === 'timeout' ? 'time limit passed' : 'the connection failed'}.`,
        next:
          step === 'websocket'
            ? 'Check that the gateway’s WebSocket port is open, that proxies let upgrades through, and connect-src of the content security policy.'
            : 'Check that the gateway runs and can be reached from the browser, and connect-src of the content security policy.',
        page: REFUSED_CALL,
      };
  }
}
