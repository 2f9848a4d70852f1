import { createInstruments, METRICS, prometheusName, type MetricRow } from '@callpass/telemetry';
import { expect, it } from '@jest/globals';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { ScrapeReader } from './scrape.ts';

it('every metric of the table is exported under the name that the table has for Prometheus', async () => {
  const reader = new ScrapeReader();
  const provider = new MeterProvider({ readers: [reader] });
  const make = createInstruments(provider);
  const rows: readonly MetricRow[] = Object.values(METRICS);
  for (const row of rows) {
    const values = row.labels.map((label) => `a ${label}`);
    if (row.kind === 'counter')
      make
        .counter(row)(...values)
        .add(3);
    if (row.kind === 'gauge') make.gauge(row, () => [[3, ...values]]);
    if (row.kind === 'histogram') make.histogram(row).record(3, {});
  }
  const lines = (await reader.text()).split('\n');
  for (const row of rows) {
    expect(lines).toContain(`# TYPE ${prometheusName(row)} ${row.kind}`);
    expect(lines.some((line) => line.startsWith(`# HELP ${prometheusName(row)} `))).toBe(true);
  }
  expect(lines).toContain('callpass_key_age_seconds{callpass_realm="a callpass.realm"} 3');
  await provider.shutdown();
});

it('label sets past the bound of a counter are counted together as _other', async () => {
  const reader = new ScrapeReader();
  const provider = new MeterProvider({ readers: [reader] });
  const verdicts = createInstruments(provider).counter(METRICS.validateVerdicts);
  for (let index = 0; index < 1500; index++) verdicts(`v${index}`).add();
  const text = await reader.text();
  expect(text).toContain('callpass_validate_verdicts_total{callpass_verdict="_other"} 500\n');
  expect(text.match(/^callpass_validate_verdicts_total\{/gm)).toHaveLength(1001);
  await provider.shutdown();
});
