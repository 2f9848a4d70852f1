import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Metadata } from '@grpc/grpc-js';

/** Part of grpc-js metadata from which the trace context is read. */
export type ReadableMetadata = Pick<Metadata, 'get' | 'getMap'>;
/** Part of grpc-js metadata to which the trace context is written. */
export type WritableMetadata = Pick<Metadata, 'set'>;

/** Reads propagation fields from metadata. Skips binary values, which are no propagation fields. */
export const metadataGetter: TextMapGetter<ReadableMetadata> = {
  get(metadata, key) {
    const values = metadata.get(key);
    if (values.length === 0) return undefined;
    if (values.length === 1) return typeof values[0] === 'string' ? values[0] : undefined;
    return values.filter((value) => typeof value === 'string');
  },
  keys(metadata) {
    return Object.keys(metadata.getMap());
  },
};

/**
 * Writes propagation fields to metadata and replaces former values, so a repeated call has one parent. Skips values that are
 * invalid in metadata: tracing never fails a call.
 */
export const metadataSetter: TextMapSetter<WritableMetadata> = {
  set(metadata, key, value) {
    try {
      metadata.set(key, value);
    } catch {
      return;
    }
  },
};
