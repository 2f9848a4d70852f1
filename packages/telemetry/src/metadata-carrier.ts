import type { TextMapGetter, TextMapSetter } from '@opentelemetry/api';
import type { Metadata } from '@grpc/grpc-js';

/** The part of grpc-js metadata from which trace context is read. */
export type ReadableMetadata = Pick<Metadata, 'get' | 'getMap'>;
/** The part of grpc-js metadata to which trace context is written. */
export type WritableMetadata = Pick<Metadata, 'set'>;

/** Reads propagation fields out of metadata; binary values are not propagation fields and are skipped. */
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
 * Writes propagation fields into metadata, replacing what was there, so a retried call carries one parent.
 * A value that metadata cannot hold is left out: tracing never fails a call.
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
