import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { createCallTelemetry, type CallTelemetryOptions } from './call-telemetry.ts';
import { metadataSetter, type WritableMetadata } from './metadata-carrier.ts';
import { METRICS } from './metric-table.ts';
import { ATTR_TRANSPORT_FAULT } from './names.ts';
import { isClientFault, STATUS_OK, STATUS_UNAVAILABLE, STATUS_UNKNOWN, statusOf } from './rpc-status.ts';
import { transportFaultOf } from './transport-fault.ts';

/** Properties of a call that client telemetry reads and writes. */
export interface ObservedClientCall {
  /** Name of the method as `package.Service/Method`. */
  readonly methodName: string;
  /** Metadata that will be sent; the trace context is set in it. */
  readonly metadata: WritableMetadata;
}

/** Client interceptor. `next` makes the call and settles at its end. */
export type ClientTelemetry = <T>(call: ObservedClientCall, next: () => Promise<T>) => Promise<T>;

/**
 * Creates the client interceptor. For each call it records one CLIENT span below the active one and one point of
 * `rpc.client.call.duration`, and sets the trace context in the metadata. Every status but OK marks the span as failed. If
 * there was no connection, `callpass.transport.fault` has the cause. Errors are passed on unchanged; their `code` is the
 * status, or UNKNOWN if they have none.
 */
export function clientTelemetry(options: CallTelemetryOptions = {}): ClientTelemetry {
  const { tracer, rowOf, finish } = createCallTelemetry(
    {
      kind: SpanKind.CLIENT,
      isFault: isClientFault,
      metric: METRICS.rpcClientCallDuration,
    },
    options,
  );

  return async (call, next) => {
    const startedAtMs = performance.now();
    const row = rowOf(call.methodName);
    const parent = context.active();
    const span = tracer.startSpan(row.spanName, row.spanOptions, parent);
    const inSpan = trace.setSpan(parent, span);
    propagation.inject(inSpan, call.metadata, metadataSetter);
    let code = STATUS_OK;
    try {
      return await context.with(inSpan, next);
    } catch (error) {
      code = statusOf(error) ?? STATUS_UNKNOWN;
      const fault = code === STATUS_UNAVAILABLE ? transportFaultOf(error) : undefined;
      if (fault !== undefined) span.setAttribute(ATTR_TRANSPORT_FAULT, fault);
      throw error;
    } finally {
      finish(row, { span, code, startedAtMs });
    }
  };
}
