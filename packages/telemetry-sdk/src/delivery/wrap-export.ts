import type { ExportResult } from '@opentelemetry/core';

/** Export of one signal, whatever its items are. */
type Export = (items: unknown, done: (result: ExportResult) => void) => void;

/** Puts a function around the export of an exporter, which is given back. The function is given the export as it was. */
export function wrapExport<E extends object>(exporter: E, wrap: (send: Export) => Export): E {
  const wrapped = exporter as { export: Export };
  wrapped.export = wrap(wrapped.export.bind(wrapped));
  return exporter;
}
