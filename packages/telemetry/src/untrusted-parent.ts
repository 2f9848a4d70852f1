import { createContextKey, trace, type Context } from '@opentelemetry/api';

const UNTRUSTED = createContextKey('callpass.parent.untrusted');

/**
 * Marks the remote parent of a context as one whose sampling decision does not count. The trace goes on under its id, and the
 * sampler decides as for a new trace (see `createSampler` of telemetry-sdk). A context without a remote parent stays as it is.
 */
export function withUntrustedParent(parent: Context): Context {
  return trace.getSpanContext(parent) === undefined ? parent : parent.setValue(UNTRUSTED, true);
}

/** Checks if {@link withUntrustedParent} has marked the context. */
export function hasUntrustedParent(parent: Context): boolean {
  return parent.getValue(UNTRUSTED) === true;
}
