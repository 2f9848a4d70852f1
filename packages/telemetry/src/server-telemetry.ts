import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { createCallTelemetry, type CallTelemetryOptions } from './call-telemetry.ts';
import { metadataGetter, type ReadableMetadata } from './metadata-carrier.ts';
import { METRICS } from './metric-table.ts';
import { ATTR_NETWORK_PEER_ADDRESS } from './names.ts';
import { withUntrustedParent } from './untrusted-parent.ts';
import { isServerFault, STATUS_INTERNAL, STATUS_OK, statusOf } from './rpc-status.ts';

/** Properties of a call that server telemetry reads. */
export interface ObservedServerCall {
  /** Name of the method as `package.Service/Method`. */
  readonly methodName: string;
  /** Metadata of the client. */
  readonly metadata: ReadableMetadata;
  /** Address and port of the peer, in the form of grpc-js. */
  readonly peer: string;
  /** Registers a listener for the end of the call: the error that is sent, or undefined for OK. */
  onEnd(listener: (error: unknown) => void): void;
}

/** Server interceptor. `next` runs the rest of the call. */
export type ServerTelemetry<C extends ObservedServerCall = ObservedServerCall> = (
  call: C,
  next: (call: C) => Promise<void>,
) => Promise<void>;

/** Options of {@link serverTelemetry}. */
export interface ServerTelemetryOptions<C extends ObservedServerCall> extends CallTelemetryOptions {
  /**
   * Checks if the sampling decision of a call's remote parent counts; see {@link withUntrustedParent}. Asked only for a call
   * with such a parent. Default: it counts.
   */
  readonly trustsParent?: ((call: C) => boolean) | undefined;
}

/**
 * Creates the server interceptor. For each call it records one SERVER span and one point of `rpc.server.call.duration`. The
 * parent comes only from the metadata, by the global propagator. Spans that start during `next` are children. The
 * `code` of an error is the status, or INTERNAL if it has none. Put it outermost, so that it counts the
 * refusals of all other interceptors too.
 */
export function serverTelemetry<C extends ObservedServerCall = ObservedServerCall>(
  options: ServerTelemetryOptions<C> = {},
): ServerTelemetry<C> {
  const { trustsParent } = options;
  const { tracer, rowOf, finish } = createCallTelemetry(
    {
      kind: SpanKind.SERVER,
      isFault: isServerFault,
      metric: METRICS.rpcServerCallDuration,
    },
    options,
  );

  return (call, next) => {
    const startedAtMs = performance.now();
    const row = rowOf(call.methodName);
    // From the root, not the active context: a connection may have been accepted during another span.
    const parent = propagation.extract(ROOT_CONTEXT, call.metadata, metadataGetter);
    // Attributes are set only on recorded spans, because the SDK would copy them for the others too. The standard samplers
    // decide by trace id and parent, not by attributes.
    const hasParent = trace.getSpanContext(parent) !== undefined;
    const trusted = !hasParent || trustsParent === undefined || trustsParent(call);
    const span = tracer.startSpan(row.spanName, AS_SERVER, trusted ? parent : withUntrustedParent(parent));
    if (span.isRecording()) {
      span.setAttributes(row.spanOptions.attributes);
      span.setAttribute(ATTR_NETWORK_PEER_ADDRESS, hostOf(call.peer));
    }
    call.onEnd((error) => {
      const code = error === undefined ? STATUS_OK : (statusOf(error) ?? STATUS_INTERNAL);
      finish(row, { span, code, startedAtMs });
    });
    return context.with(trace.setSpan(parent, span), next, undefined, call);
  };
}

const AS_SERVER = { kind: SpanKind.SERVER };

/** Removes the port of a peer: `10.1.2.3:5000`, `::1:5000` and `[::1]:5000` lose what follows the last colon. */
function hostOf(peer: string): string {
  const host = peer.replace(/:\d+$/, '');
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
