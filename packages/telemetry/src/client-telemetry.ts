import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { createCallTelemetry, type CallTelemetryOptions } from './call-telemetry.ts';
import { metadataSetter, type WritableMetadata } from './metadata-carrier.ts';
import { METRICS } from './metric-table.ts';
import { ATTR_TRANSPORT_FAULT } from './names.ts';
import { isClientFault, STATUS_OK, STATUS_UNAVAILABLE, STATUS_UNKNOWN, statusOf } from './rpc-status.ts';
import { transportFaultOf } from './transport-fault.ts';

/** What client telemetry reads and writes of a call. */
export interface ObservedClientCall {
  /** `package.Service/Method`. */
  readonly methodName: string;
  /** Metadata that will be sent; the trace context is set in it. */
  readonly metadata: WritableMetadata;
}

/** A client interceptor: `next` makes the call and settles when the call has ended. */
export type ClientTelemetry = <T>(call: ObservedClientCall, next: () => Promise<T>) => Promise<T>;

/**
 * The client's interceptor: one CLIENT span under the active one and one point of `rpc.client.call.duration` for
 * each call, and the trace context in the metadata. Every status but OK marks the span as failed; where no connection
 * could be made, `callpass.transport.fault` says why. A thrown value is passed on untouched; its `code` is the status,
 * UNKNOWN where it has none.
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
