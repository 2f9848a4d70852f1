import { constants } from 'node:http2';
import type { DescService } from '@bufbuild/protobuf';
import {
  type CallScreen,
  checkHead,
  methodPath,
  type MethodsTable,
  type PreparedRefusal,
  prepareRefusal,
} from '@callpass/grpc-kit';
import type { ProblemLink, Reason } from '@callpass/contract';
import type { RequestFault } from '@callpass/telemetry';
import { refusalToError } from '../errors/map-error.ts';
import { Refusal } from '../errors/refusal.ts';
import type { LoadClass, MethodRow, RequestSize } from '../methods.ts';
import type { CallBound, CallBounds, CallTracker } from './call-tracker.ts';

/** Headers of one call, those of HTTP/2 and of a service mesh among them. */
const MAX_HEADERS = 64;
/** Values of binary headers of one call. Trace context, baggage and a mesh use at most four. */
const MAX_BINARY_VALUES = 16;

const KIB = 1024;

const REASON_OF: Readonly<Record<RequestFault, Reason>> = {
  not_grpc: 'REQUEST_INVALID',
  headers_too_large: 'REQUEST_TOO_LARGE',
  message_too_large: 'REQUEST_TOO_LARGE',
  timeout_invalid: 'REQUEST_INVALID',
  compressed: 'COMPRESSION_UNSUPPORTED',
  method_unknown: 'METHOD_UNKNOWN',
  body_invalid: 'REQUEST_INVALID',
};

const violation = (field: string, description: string) => ({ violations: [{ field, description }] });

/** Details that only one of these faults has. */
const DETAILS: Partial<Record<RequestFault, ConstructorParameters<typeof Refusal>[1]>> = {
  not_grpc: violation(
    'content-type',
    'must be application/grpc in a POST request: use a gRPC client, or the edge for HTTP',
  ),
  timeout_invalid: violation('grpc-timeout', 'must be up to 8 digits and one of the units H, M, S, m, u, n'),
  body_invalid: violation('body', 'must be the whole message of the RPC, once, with its length before it'),
};

/** HTTP status of the refusals of what is no call of gRPC; 200 otherwise. */
const HTTP_STATUS: Partial<Record<RequestFault, number>> = {
  not_grpc: constants.HTTP_STATUS_UNSUPPORTED_MEDIA_TYPE,
};

const RETRY_AFTER_MS = 1000;

/** Parts of a screen. */
export interface ScreenParts {
  readonly tracker: Pick<CallTracker, 'follow' | 'takesBack' | 'read' | 'begin'>;
  /** Services that are registered on the server. */
  readonly services: readonly DescService[];
  readonly methods: MethodsTable<MethodRow>;
  /** All headers of a call as HTTP/2 counts them. */
  readonly maxHeaderBytes: number;
  /** Message of an RPC that takes a configuration. */
  readonly maxMessageBytes: number;
  /** Decides on a call that is in order: the refusal for load, or undefined. */
  readonly admit: (path: string) => PreparedRefusal | undefined;
  /** Links of `google.rpc.Help`. */
  readonly linkTo: ProblemLink;
  readonly onRejected: (fault: RequestFault) => void;
  readonly onShed: (loadClass: LoadClass, bound: CallBound) => void;
}

/**
 * Screens each call before grpc-js creates it, so that a peer that nobody knows yet can take little memory: bounds its headers,
 * its message by RPC, and the calls that one connection and one peer hold open. Every refusal has a reason and is counted.
 */
export function createCallScreen(parts: ScreenParts): CallScreen {
  const { tracker, methods, admit, linkTo, onRejected, onShed } = parts;
  const bounds = {
    maxBytes: parts.maxHeaderBytes,
    maxHeaders: MAX_HEADERS,
    maxBinaryValues: MAX_BINARY_VALUES,
  };
  const maxBytes: Readonly<Record<RequestSize, number>> = {
    SMALL: 32 * KIB,
    // 256 KiB of body, and headers with a path of up to 64 KiB, which Envoy gives twice.
    HTTP_REQUEST: 448 * KIB,
    BATCH: 1024 * KIB,
    DOCUMENT: parts.maxMessageBytes,
  };
  const refusals = new Map<RequestFault, PreparedRefusal>();
  const rejection = (fault: RequestFault): PreparedRefusal => {
    onRejected(fault);
    let refusal = refusals.get(fault);
    if (refusal === undefined) {
      refusal = prepareRefusal(
        refusalToError(new Refusal(REASON_OF[fault], DETAILS[fault]), linkTo),
        HTTP_STATUS[fault],
      );
      refusals.set(fault, refusal);
    }
    return refusal;
  };
  const overloaded = prepareRefusal(
    refusalToError(new Refusal('OVERLOADED', { retryAfterMs: RETRY_AFTER_MS }), linkTo),
  );

  // Once for each RPC, since every call pays for what is made here.
  const rpcs = new Map(
    parts.services.flatMap((service) =>
      service.methods.map((method): [string, CallBounds] => {
        const { load, request = 'SMALL', stays = false } = methods.row(method);
        const onBound = (reached: CallBound) => {
          onShed(load, reached);
          return overloaded;
        };
        const single = method.methodKind === 'unary' || method.methodKind === 'server_streaming';
        const maxMessageBytes = maxBytes[request];
        return [methodPath(method), { maxMessageBytes, single, stays, onFault: rejection, onBound }];
      }),
    ),
  );

  const judge: CallScreen['judge'] = (head, stream) => {
    const size = checkHead(head, bounds);
    tracker.read(stream, typeof size === 'number' ? size : bounds.maxBytes);
    if (typeof size === 'string') return rejection(size);
    const rpc = rpcs.get(head.path);
    if (rpc === undefined) return rejection('method_unknown');
    const refusal = admit(head.path);
    if (refusal !== undefined) return refusal;
    const reached = tracker.begin(stream, size, rpc);
    return reached === undefined ? undefined : rpc.onBound(reached);
  };
  return {
    waits(stream) {
      tracker.follow(stream);
      return tracker.takesBack(stream);
    },
    judge,
  };
}
