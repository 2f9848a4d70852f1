import {
  ATTR_BUILD_VERSION,
  ATTR_CERTIFICATE,
  ATTR_DECISION,
  ATTR_DEPENDENCY,
  ATTR_DESTINATION,
  ATTR_LIMIT,
  ATTR_REALM,
  ATTR_REASON,
  ATTR_RPC_METHOD,
  ATTR_SNAPSHOT_STALENESS,
  METRICS,
  prometheusName,
} from '@callpass/telemetry';
import { type Between, bucketsByGroup, quantileOf, type Rate, ratesOf, seriesOf, valueOf } from './rates.ts';
import type { Scrape } from './scrape.ts';
import type { EndView, InstanceView, LimitView, TopView, Unreached } from './view.ts';

/** The looks at an instance: the last one, and the one before it if both were answered. */
export interface Observed {
  readonly name: string;
  readonly before?: Scrape | undefined;
  readonly last: Scrape | Unreached;
}

const P99 = 0.99;

const nameOf = (key: keyof typeof METRICS) => prometheusName(METRICS[key]);
const ISSUED = 'issued';
const CREDENTIALS = 'callpass.v1.CredentialService/';

/** The label of an attribute, as Prometheus writes it. */
const labelOf = (labels: ReadonlyMap<string, string>, attribute: string) =>
  labels.get(attribute.replaceAll('.', '_')) ?? '';

/** View of the metrics of all instances together, and of each. Rates are added up; of limits and ends the worst one counts. */
export function viewOfMetrics(
  observed: readonly Observed[],
): Omit<TopView, 'timeMs' | 'intervalMs' | 'service'> {
  const scrapes = observed.flatMap(({ last }) => ('samples' in last ? [last] : []));
  const between = observed.flatMap(betweenOf);
  const decisions = between.flatMap((each) => ratesOf(each, nameOf('issueDecisions')));
  return {
    instances: observed.map(instanceOf),
    hasRates: between.length > 0,
    destinations: sumBy(decisions, ATTR_DESTINATION)
      .map(({ names: [destination = ''], rates }) => ({ destination, ...decisionsOf(rates) }))
      .sort((a, b) => totalOf(b) - totalOf(a)),
    reasons: sumBy(
      decisions.filter(({ labels, perSecond }) => !isIssued(labels) && perSecond > 0),
      ATTR_REASON,
      ATTR_DESTINATION,
    )
      .map(({ names: [reason = '', destination = ''], rates }) => ({
        reason,
        destination,
        perSecond: sum(rates),
      }))
      .sort(byRate),
    methods: methodsOf(between),
    limits: limitsOf(scrapes),
    ends: endsOf(scrapes),
  };
}

const byRate = (a: { perSecond: number }, b: { perSecond: number }) => b.perSecond - a.perSecond;
const isIssued = (labels: ReadonlyMap<string, string>) => labelOf(labels, ATTR_DECISION) === ISSUED;
const sum = (rates: readonly Rate[]) => rates.reduce((total, { perSecond }) => total + perSecond, 0);
const totalOf = (of: { issuedPerSecond: number; refusedPerSecond: number }) =>
  of.issuedPerSecond + of.refusedPerSecond;

function betweenOf({ before, last }: Observed): readonly Between[] {
  return before && 'samples' in last ? [{ before, after: last }] : [];
}

function decisionsOf(rates: readonly Rate[]) {
  return {
    issuedPerSecond: sum(rates.filter(({ labels }) => isIssued(labels))),
    refusedPerSecond: sum(rates.filter(({ labels }) => !isIssued(labels))),
  };
}

function sumBy(rates: readonly Rate[], ...attributes: readonly string[]) {
  const groups = Map.groupBy(rates, ({ labels }) =>
    JSON.stringify(attributes.map((attribute) => labelOf(labels, attribute))),
  );
  return [...groups].map(([key, group]) => ({ names: JSON.parse(key) as string[], rates: group }));
}

function methodsOf(between: readonly Between[]): TopView['methods'] {
  const name = nameOf('rpcServerCallDuration');
  const rates = between.flatMap((each) => ratesOf(each, `${name}_count`));
  const buckets = bucketsByGroup(between, name, (labels) => labelOf(labels, ATTR_RPC_METHOD));
  return sumBy(rates, ATTR_RPC_METHOD)
    .map(({ names: [method = ''], rates: own }) => ({
      method,
      perSecond: sum(own),
      p99Seconds: quantileOf(buckets.get(method) ?? [], P99),
    }))
    .filter(({ perSecond }) => perSecond > 0)
    .sort(byRate);
}

function limitsOf(scrapes: readonly Scrape[]): readonly LimitView[] {
  const worst = new Map<string, LimitView>();
  for (const { labels, value } of scrapes.flatMap((each) => seriesOf(each, nameOf('limitHeadroom')))) {
    const [destination, limit] = [labelOf(labels, ATTR_DESTINATION), labelOf(labels, ATTR_LIMIT)];
    const key = JSON.stringify([destination, limit]);
    const usedShare = Math.min(1, Math.max(0, 1 - value));
    if (Number.isNaN(usedShare) || usedShare < (worst.get(key)?.usedShare ?? 0)) continue;
    worst.set(key, { destination, limit, usedShare });
  }
  return [...worst.values()].sort((a, b) => b.usedShare - a.usedShare);
}

function endsOf(scrapes: readonly Scrape[]): readonly EndView[] {
  const soonest = new Map<string, EndView>();
  const kinds = [
    ['certificateExpiry', ATTR_CERTIFICATE, 'expires', 'certificate'],
    ['keyRotationDue', ATTR_REALM, 'rotation due', 'key of'],
  ] as const;
  for (const [metric, attribute, event, kind] of kinds) {
    for (const { labels, value } of scrapes.flatMap((each) => seriesOf(each, nameOf(metric)))) {
      const what = `${kind} ${labelOf(labels, attribute)}`;
      if (!Number.isFinite(value) || value > (soonest.get(what)?.inSeconds ?? Infinity)) continue;
      soonest.set(what, { what, event, inSeconds: value });
    }
  }
  return [...soonest.values()].sort(byEnd);
}

/** Orders ends by their time. */
export const byEnd = (a: EndView, b: EndView) => a.inSeconds - b.inSeconds;

function instanceOf(observed: Observed): InstanceView {
  const { name, last } = observed;
  if (!('samples' in last)) return { name, unreached: last, troubles: [] };
  const [between] = betweenOf(observed);
  const ready = valueOf(last, nameOf('ready'));
  const build = seriesOf(last, nameOf('buildInfo'))[0];
  return {
    name,
    version: build && labelOf(build.labels, ATTR_BUILD_VERSION),
    isReady: ready === undefined ? undefined : ready === 1,
    ...(between && {
      ...decisionsOf(ratesOf(between, nameOf('issueDecisions'))),
      p99Seconds: p99OfCredentials(between),
      cpuShare: sum(ratesOf(between, nameOf('cpuTime'))),
    }),
    memoryBytes: valueOf(last, nameOf('memoryUsage')),
    uptimeSeconds: valueOf(last, nameOf('uptime')),
    troubles: troublesOf(last),
  };
}

/** Of the RPCs that issue and validate: others, such as those that follow the ledger, last as long as their client likes. */
function p99OfCredentials(between: Between): number | undefined {
  const groupOf = (labels: ReadonlyMap<string, string>) =>
    labelOf(labels, ATTR_RPC_METHOD).startsWith(CREDENTIALS) ? CREDENTIALS : undefined;
  const buckets = bucketsByGroup([between], nameOf('rpcServerCallDuration'), groupOf);
  return quantileOf(buckets.get(CREDENTIALS) ?? [], P99);
}

function troublesOf(scrape: Scrape): readonly string[] {
  const away = seriesOf(scrape, nameOf('dependencyUp')).filter(({ value }) => value === 0);
  const stale = seriesOf(scrape, nameOf('snapshotStale')).filter(({ value }) => value === 1);
  return [
    ...away.map(({ labels }) => `${labelOf(labels, ATTR_DEPENDENCY)} does not answer`),
    ...stale.map(({ labels }) => `state in force: ${labelOf(labels, ATTR_SNAPSHOT_STALENESS)}`),
    ...(valueOf(scrape, nameOf('clockTrusted')) === 0 ? ['clock is not trusted'] : []),
    ...(valueOf(scrape, nameOf('stateAltered')) === 1 ? ['store was changed by somebody else'] : []),
  ];
}
