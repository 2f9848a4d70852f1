import { serviceName } from '../wording.ts';
import { dueText, latencyText, percentText, rateText } from './figures.ts';
import type { TopView } from './view.ts';

/** The view as rows for a file or another program: the time, the kind of the row, the names, and the figures with their names. */
export function plainTop(view: TopView): readonly (readonly string[])[] {
  const { service, instances, destinations, reasons, methods, limits, ends } = view;
  const { health, state } = service;
  const time = new Date(view.timeMs).toISOString();
  const rows: readonly string[][] = [
    ...('fault' in health
      ? [['health', 'not reached', health.fault, health.next]]
      : health.map((each) => [
          'health',
          serviceName(each.service),
          each.isServing ? 'serves' : 'does not serve',
        ])),
    'fault' in state
      ? ['configuration', 'not reached', state.fault, state.next]
      : ['configuration', `revision ${state.revision}`, `freezes ${state.freezeCount}`],
    ...instances.map(({ name, unreached, isReady, troubles, ...figures }) =>
      unreached
        ? ['instance', name, 'not reached', unreached.fault, unreached.next]
        : [
            ...['instance', name, isReady ? 'issues' : 'does not issue'],
            ...[
              `issued ${rateText(figures.issuedPerSecond)}/s`,
              `refused ${rateText(figures.refusedPerSecond)}/s`,
            ],
            ...[`p99 ${latencyText(figures.p99Seconds)}`, `cpu ${percentText(figures.cpuShare)}`],
            ...troubles,
          ],
    ),
    ...destinations.map((row) => [
      ...['destination', row.destination],
      ...[`issued ${rateText(row.issuedPerSecond)}/s`, `refused ${rateText(row.refusedPerSecond)}/s`],
    ]),
    ...reasons.map((row) => ['refused', row.reason, row.destination, `${rateText(row.perSecond)}/s`]),
    ...methods.map((row) => [
      ...['rpc', row.method, `${rateText(row.perSecond)}/s`, `p99 ${latencyText(row.p99Seconds)}`],
    ]),
    ...limits.map((row) => ['limit', row.destination, row.limit, `used ${percentText(row.usedShare)}`]),
    ...ends.map(({ what, event, inSeconds }) => ['end', what, event, dueText(inSeconds)]),
  ];
  return rows.map((row) => [time, ...row]);
}
