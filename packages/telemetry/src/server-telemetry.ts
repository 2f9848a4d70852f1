import { context, propagation, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { createCallTelemetry, type CallTelemetryOptions } from './call-telemetry.ts';
import { metadataGetter, type ReadableMetadata } from './metadata-carrier.ts';
import { METRICS } from './metric-table.ts';
import { ATTR_NETWORK_PEER_ADDRESS } from './names.ts';
import { isServerFault, STATUS_INTERNAL, STATUS_OK, statusOf } from './rpc-status.ts';

/** What server telemetry reads of a call. */
export interface ObservedServerCall {
  /** `package.Service/Method`. */
  readonly methodName: string;
  /** Metadata that the client sent. */
  readonly metadata: ReadableMetadata;
  /** Address and port of the connection's other end, as grpc-js writes them. */
  readonly peer: string;
}

/** A server interceptor: `next` runs the rest of the call and settles when the call has ended. */
export type ServerTelemetry = (call: ObservedServerCall, next: () => Promise<void>) => Promise<void>;

/**
 * The server's interceptor: one SERVER span and one point of `rpc.server.call.duration` for each call of any
 * kind. The parent is what the global propagator finds in the metadata and nothing else; spans started while
 * `next` runs become children. A thrown value is passed on untouched; its `code` is the status, INTERNAL where
 * it has none. Put it outermost, so that refusals of the interceptors inside it are counted too.
 */
export function serverTelemetry(options: CallTelemetryOptions = {}): ServerTelemetry {
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
    // From the root, not the active context: a connection may have been accepted inside somebody else's span.
    const parent = propagation.extract(ROOT_CONTEXT, call.metadata, metadataGetter);
    // The attributes come when it is known that the span is recorded: the SDK would copy them for each that is not. The
    // standard samplers go by the trace id and the parent, not by attributes.
    const span = tracer.startSpan(row.spanName, AS_SERVER, parent);
    if (span.isRecording()) {
      span.setAttributes(row.spanOptions.attributes);
      span.setAttribute(ATTR_NETWORK_PEER_ADDRESS, hostOf(call.peer));
    }
    const failed = (error: unknown): never => {
      finish(row, { span, code: statusOf(error) ?? STATUS_INTERNAL, startedAtMs });
      throw error;
    };
    let running: Promise<void>;
    try {
      running = context.with(trace.setSpan(parent, span), next);
    } catch (error) {
      return failed(error);
    }
    return running.then(() => {
      finish(row, { span, code: STATUS_OK, startedAtMs });
    }, failed);
  };
}

const AS_SERVER = { kind: SpanKind.SERVER };

/** The peer without its port: `10.1.2.3:5000`, `::1:5000` and `[::1]:5000` lose what follows the last colon. */
function hostOf(peer: string): string {
  const host = peer.replace(/:\d+$/, '');
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}
