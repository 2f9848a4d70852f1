import type { Part, Tone } from '../output.ts';
import { serviceName } from '../wording.ts';
import { type Column, type Line, table, wrapped } from './draw-table.ts';
import { DAY_SECONDS, dueText, latencyText, memoryText, percentText, rateText, spanText } from './figures.ts';
import type { EndView, InstanceView, ServiceView, TopView, Unreached } from './view.ts';

/** As the alerts of deploy/prometheus have them. */
const CERTIFICATE_SOON_SECONDS = 14 * DAY_SECONDS;
/** The share of a limit from which the server counts it as near. */
const LIMIT_NEAR = 0.8;

const FULL = '█';
const REST = '░';

/** Draws the view in lines of at most so many characters. Everything that colours say stands there in words too. */
export function drawTop(view: TopView, width: number): readonly Line[] {
  const sections = [
    headOf(view, width),
    instancesOf(view, width),
    destinationsOf(view, width),
    reasonsOf(view, width),
    methodsOf(view, width),
    limitsOf(view, width),
    endsOf(view, width),
  ].filter((lines) => lines.length > 0);
  return sections.flatMap((lines, index) => (index === 0 ? lines : [[], ...lines]));
}

function headOf({ service, timeMs, intervalMs }: TopView, width: number): Line[] {
  const { address, health, state } = service;
  const time = new Date(timeMs).toISOString().slice(11, 19);
  const title = `callpass top  ${address}  ${time} UTC, every ${intervalMs / 1000} s`;
  return [
    ...wrapped(title, { width, tone: 'title' }),
    ...healthLines(health, width),
    // The same fault is said once.
    ...('fault' in health && 'fault' in state && state.fault === health.fault
      ? []
      : stateLines(state, width)),
  ];
}

function healthLines(health: ServiceView['health'], width: number): Line[] {
  if ('fault' in health) return unreachedLines('health', health, width);
  const away = health.filter(({ isServing }) => !isServing);
  if (away.length === 0) return [[{ text: 'health: ' }, { text: 'every service serves', tone: 'good' }]];
  return away.map(({ service }) => [
    { text: 'health: ' },
    { text: `${serviceName(service)} does not serve`, tone: 'bad' },
  ]);
}

function stateLines(state: ServiceView['state'], width: number): Line[] {
  if ('fault' in state) return unreachedLines('configuration', state, width);
  const { revision, freezeCount } = state;
  const frozen: Part =
    freezeCount === 0
      ? { text: 'nothing frozen' }
      : { text: `freezes in force: ${freezeCount}, see callpass freezes`, tone: 'warn' };
  return [
    [{ text: revision === 0 ? 'no configuration yet, ' : `configuration: revision ${revision}, ` }, frozen],
  ];
}

function unreachedLines(what: string, { fault, next }: Unreached, width: number): Line[] {
  return [
    ...wrapped(`${what}: ${fault}`, { width, tone: 'bad' }),
    ...wrapped(next, { width, tone: 'quiet', indent: '  ' }),
  ];
}

function stateOf({ unreached, isReady, troubles }: InstanceView): { text: string; tone: Tone } {
  if (unreached) return { text: 'not reached', tone: 'bad' };
  if (isReady === undefined) return { text: 'no server', tone: 'warn' };
  if (!isReady) return { text: 'validates only', tone: 'bad' };
  return troubles.length > 0 ? { text: 'issues, but', tone: 'warn' } : { text: 'issues', tone: 'good' };
}

function instancesOf({ instances }: TopView, width: number): Line[] {
  const columns: readonly Column<InstanceView>[] = [
    { header: 'INSTANCE', text: ({ name }) => name, isName: true },
    { header: 'STATE', text: (row) => stateOf(row).text, tone: (row) => stateOf(row).tone },
    { header: 'ISSUED/s', text: (row) => rateText(row.issuedPerSecond), isNumber: true },
    { header: 'REFUSED/s', text: (row) => rateText(row.refusedPerSecond), isNumber: true },
    { header: 'P99', text: (row) => latencyText(row.p99Seconds), isNumber: true },
    { header: 'CPU', text: (row) => percentText(row.cpuShare), isNumber: true },
    { header: 'MEMORY', text: (row) => memoryText(row.memoryBytes), isNumber: true, from: 90 },
    { header: 'UP FOR', text: (row) => spanText(row.uptimeSeconds), isNumber: true, from: 100 },
    { header: 'VERSION', text: ({ version = '' }) => version, from: 110 },
  ];
  const [header = [], ...rows] = table(columns, instances, { width, most: instances.length });
  return [
    header,
    ...rows.flatMap((row, index) => {
      const { unreached, troubles = [] } = instances[index] ?? {};
      const told: Line[] = unreached
        ? wrapped(`${unreached.fault}: ${unreached.next}`, { width, tone: 'quiet', indent: '  ' })
        : troubles.flatMap((trouble) => wrapped(trouble, { width, tone: 'warn', indent: '  ' }));
      return [row, ...told];
    }),
  ];
}

function destinationsOf({ destinations, hasRates }: TopView, width: number): Line[] {
  if (!hasRates) return [[{ text: 'rates follow with the second look', tone: 'quiet' }]];
  if (destinations.length === 0) return [[{ text: 'nobody has asked for credentials yet', tone: 'quiet' }]];
  const busiest = destinations.reduce(
    (most, row) => Math.max(most, row.issuedPerSecond + row.refusedPerSecond),
    0,
  );
  return table(
    [
      { header: 'DESTINATION', text: ({ destination }) => destination, isName: true },
      { header: 'ISSUED/s', text: (row) => rateText(row.issuedPerSecond), isNumber: true },
      {
        header: 'REFUSED/s',
        text: (row) => rateText(row.refusedPerSecond),
        tone: ({ refusedPerSecond }) => (refusedPerSecond > 0 ? 'bad' : undefined),
        isNumber: true,
      },
    ],
    destinations,
    {
      width,
      bar: ({ issuedPerSecond, refusedPerSecond }, room) => {
        const scaled = (rate: number) => (busiest > 0 ? Math.ceil((rate / busiest) * room) : 0);
        const issued = Math.min(scaled(issuedPerSecond), room - (refusedPerSecond > 0 ? 1 : 0));
        const refused = Math.min(scaled(refusedPerSecond), room - issued);
        return [
          { text: FULL.repeat(issued), tone: 'good' },
          { text: REST.repeat(refused), tone: 'bad' },
        ];
      },
    },
  );
}

function reasonsOf({ reasons }: TopView, width: number): Line[] {
  if (reasons.length === 0) return [];
  return table(
    [
      { header: 'REFUSED FOR', text: ({ reason }) => reason, isName: true },
      { header: 'DESTINATION', text: ({ destination }) => destination, isName: true },
      { header: 'REFUSED/s', text: ({ perSecond }) => rateText(perSecond), isNumber: true },
    ],
    reasons,
    { width },
  );
}

function methodsOf({ methods }: TopView, width: number): Line[] {
  if (methods.length === 0) return [];
  return table(
    [
      { header: 'RPC', text: ({ method }) => method.slice(method.indexOf('/') + 1), isName: true },
      { header: 'CALLS/s', text: ({ perSecond }) => rateText(perSecond), isNumber: true },
      { header: 'P99', text: ({ p99Seconds }) => latencyText(p99Seconds), isNumber: true },
    ],
    methods,
    { width },
  );
}

function limitsOf({ limits }: TopView, width: number): Line[] {
  const toneOf = (share: number): Tone => (share >= 1 ? 'bad' : share >= LIMIT_NEAR ? 'warn' : 'good');
  const taken = limits.filter(({ usedShare }) => usedShare > 0);
  if (taken.length === 0) return [];
  return table(
    [
      { header: 'LIMIT, FULLEST COUNTER', text: ({ limit }) => limit, isName: true },
      { header: 'DESTINATION', text: ({ destination }) => destination, isName: true },
      {
        header: 'USED',
        text: ({ usedShare }) => percentText(usedShare),
        tone: ({ usedShare }) => (usedShare >= LIMIT_NEAR ? toneOf(usedShare) : undefined),
        isNumber: true,
      },
    ],
    taken,
    {
      width,
      bar: ({ usedShare }, room) => {
        const used = Math.floor(usedShare * room);
        return [
          { text: FULL.repeat(used), tone: toneOf(usedShare) },
          { text: REST.repeat(room - used), tone: 'quiet' },
        ];
      },
    },
  );
}

function endsOf({ ends }: TopView, width: number): Line[] {
  if (ends.length === 0) return [];
  return table(
    [
      { header: 'KEYS AND CERTIFICATES', text: ({ what }) => what, isName: true },
      { header: '', text: ({ event }) => event },
      {
        header: 'IN',
        text: ({ inSeconds }) => dueText(inSeconds),
        tone: toneOfEnd,
      },
    ],
    ends,
    { width },
  );
}

function toneOfEnd({ event, inSeconds }: EndView): Tone | undefined {
  if (event === 'validates until') return undefined;
  if (inSeconds < (event === 'expires' ? DAY_SECONDS : 0)) return 'bad';
  return inSeconds < CERTIFICATE_SOON_SECONDS ? 'warn' : undefined;
}
