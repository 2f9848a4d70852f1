import { ok, problem, warning, type Finding } from '@callpass/program';
import type { ExportResult } from '@opentelemetry/core';
import { causeOf, DELIVERED } from './delivery/delivery.ts';
import { askedExports, destinationOf, unknownValues, type Signal } from './variables.ts';

const LIMIT_MS = 3000;
const NAME = 'telemetry';

/**
 * Looks at the standard variables of OpenTelemetry of this process, and sends an empty export to each collector, for the findings of a
 * doctor.
 *
 * @param limitMs time that a collector has to answer.
 */
export async function checkTelemetry(limitMs = LIMIT_MS): Promise<readonly Finding[]> {
  const ignored = unknownValues().map(({ variable, allowed }) =>
    warning(
      NAME,
      `${variable} has a value that is not known; it is ignored`,
      `set it to ${allowed}, or remove it`,
    ),
  );
  const { otlp, prometheus } = askedExports(process.env);
  const tried = await Promise.all(otlp.map((signal) => checkSignal(signal, limitMs)));
  if (ignored.length + tried.length > 0) return [...ignored, ...tried];
  return [
    ok(
      NAME,
      prometheus
        ? 'metrics are served for Prometheus, nothing goes to a collector'
        : 'nothing goes to a collector: no OTEL_* variable asks for it',
    ),
  ];
}

async function checkSignal(signal: Signal, limitMs: number): Promise<Finding> {
  const { place } = destinationOf(signal, process.env);
  const cause = await tryExport(signal, limitMs);
  return cause === undefined
    ? ok(NAME, `${signal} by ${place}: taken`)
    : problem(NAME, `${signal} by ${place}: ${cause}`, adviceOn(cause));
}

/** Resolves with why an empty export was not taken, or `undefined` when it was. */
async function tryExport(signal: Signal, limitMs: number): Promise<string | undefined> {
  const { createExporter } = await import('./delivery/exporters.ts');
  const exporter = await createExporter(signal, { timeoutMillis: limitMs });
  const { defaultResource } = await import('@opentelemetry/resources');
  // A collector takes an export of nothing like any other: it shows that address, TLS and headers are right.
  const items = signal === 'metrics' ? { resource: defaultResource(), scopeMetrics: [] } : [];
  const result = await new Promise<ExportResult>((resolve) => {
    exporter.export(items as never, resolve);
  });
  await exporter.shutdown().catch(() => undefined);
  return result.code === DELIVERED ? undefined : causeOf(result.error);
}

function adviceOn(cause: string): string {
  if (/\(40[13]\)/.test(cause))
    return 'correct OTEL_EXPORTER_OTLP_HEADERS: the collector does not accept them';
  if (/\(404\)/.test(cause))
    return 'correct the path: /v1/… is added to OTEL_EXPORTER_OTLP_ENDPOINT, and nothing to the endpoint of one signal';
  if (/ECONNREFUSED|ENOTFOUND|EHOSTUNREACH/.test(cause))
    return 'see that the collector runs, and that OTEL_EXPORTER_OTLP_ENDPOINT names its host and the port of this protocol';
  return 'see that the collector takes this protocol (OTEL_EXPORTER_OTLP_PROTOCOL) on this port, and that nothing between blocks it';
}
