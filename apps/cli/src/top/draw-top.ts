import { type Part, type Tone, visible } from '../output.ts';
import { latencyText, memoryText, percentText, rateText, spanText } from './figures.ts';
import type { EndView, InstanceView, ServiceView, TopView } from './view.ts';

/** A line of the picture. */
export type Line = readonly Part[];

/** Lines shown of each list; the most important ones stand first. */
const MOST_ROWS = 6;

const DAY_SECONDS = 86_400;
/** As the alerts of deploy/prometheus have them. */
const CERTIFICATE_SOON_SECONDS = 14 * DAY_SECONDS;
/** The share of a limit from which the server counts it as near. */
const LIMIT_NEAR = 0.8;

const FULL = '█';
const REST = '░';
const NARROWEST_BAR = 8;

interface Column<T> {
  readonly header: string;
  readonly text: (row: T) => string;
  readonly tone?: (row: T) => Tone | undefined;
  /** Numbers stand on the right. */
  readonly isNumber?: boolean;
  /** Left out where the picture has fewer columns. */
  readonly from?: number;
  /** Names are cut where the columns do not fit. */
  readonly isName?: boolean;
}

/** Draws the view in lines of at most so many characters. Everything that colours say stands there in words too. */
export function drawTop(view: TopView, width: number): readonly Line[] {
  const sections = [
    headOf(view),
    instancesOf(view, width),
    destinationsOf(view, width),
    reasonsOf(view, width),
    methodsOf(view, width),
    limitsOf(view, width),
    endsOf(view, width),
  ].filter((lines) => lines.length > 0);
  return sections.flatMap((lines, index) => (index === 0 ? lines : [[], ...lines]));
}

function headOf({ service, timeMs, intervalMs }: TopView): Line[] {
  const { address, health, state } = service;
  const time = new Date(timeMs).toISOString().slice(11, 19);
  const title = `callpass top  ${address}  ${time} UTC, every ${intervalMs / 1000} s`;
  return [[{ text: title, tone: 'title' }], ...healthLines(health), ...stateLines(state)];
}

function healthLines(health: ServiceView['health']): Line[] {
  if ('fault' in health) return unreachedLines('health', health);
  const away = health.filter(({ isServing }) => !isServing);
  if (away.length === 0) return [[{ text: 'health: ' }, { text: 'every service serves', tone: 'good' }]];
  return away.map(({ service }) => [
    { text: 'health: ' },
    { text: `${service === '' ? 'the server' : service} does not serve`, tone: 'bad' },
  ]);
}

function stateLines(state: ServiceView['state']): Line[] {
  if ('fault' in state) return unreachedLines('configuration', state);
  const { revision, freezeCount } = state;
  const frozen: Part =
    freezeCount === 0
      ? { text: 'nothing frozen' }
      : { text: `freezes in force: ${freezeCount}, see callpass freezes`, tone: 'warn' };
  return [
    [{ text: revision === 0 ? 'no configuration yet, ' : `configuration: revision ${revision}, ` }, frozen],
  ];
}

function unreachedLines(what: string, { fault, next }: { fault: string; next: string }): Line[] {
  return [[{ text: `${what}: ` }, { text: fault, tone: 'bad' }], [{ text: `  ${next}`, tone: 'quiet' }]];
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
        ? [[{ text: `  ${unreached.fault}: ${unreached.next}`, tone: 'quiet' }]]
        : troubles.map((trouble) => [{ text: `  ${trouble}`, tone: 'warn' }]);
      return [row, ...told];
    }),
  ];
}

function destinationsOf({ destinations, hasRates }: TopView, width: number): Line[] {
  if (!hasRates) return [[{ text: 'rates follow with the second look', tone: 'quiet' }]];
  if (destinations.length === 0) return [[{ text: 'nobody has asked for credentials yet', tone: 'quiet' }]];
  const busiest = Math.max(...destinations.map((row) => row.issuedPerSecond + row.refusedPerSecond));
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
        text: ({ inSeconds }) => (inSeconds < 0 ? `overdue for ${spanText(inSeconds)}` : spanText(inSeconds)),
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

interface TableOptions<T> {
  readonly width: number;
  readonly most?: number;
  /** A bar behind the columns, as wide as there is room. */
  readonly bar?: (row: T, room: number) => Part[];
}

const GAP = '  ';

function table<T>(all: readonly Column<T>[], rows: readonly T[], options: TableOptions<T>): Line[] {
  const { width, most = MOST_ROWS, bar } = options;
  const columns = all.filter(({ from = 0 }) => width >= from);
  const shown = rows.slice(0, most);
  const cells = shown.map((row) => columns.map(({ text }) => visible(text(row))));
  const widths = widthsOf(columns, cells, width - (bar ? NARROWEST_BAR + GAP.length : 0));
  const used = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1);
  const cell = (text: string, index: number) => {
    const size = widths[index] ?? 0;
    const cut = text.length > size ? `${text.slice(0, Math.max(0, size - 1))}…` : text;
    const padded = columns[index]?.isNumber ? cut.padStart(size) : cut.padEnd(size);
    return index === 0 ? padded : `${GAP}${padded}`;
  };
  const header = columns.map(({ header: text }, index) => cell(text, index)).join('');
  const more = rows.length - shown.length;
  return [
    [{ text: header.trimEnd(), tone: 'title' }],
    ...shown.map((row, index) => [
      ...columns.map(({ tone }, column) => ({
        text: cell(cells[index]?.[column] ?? '', column),
        tone: tone?.(row),
      })),
      ...(bar ? [{ text: GAP }, ...bar(row, width - used - GAP.length)] : []),
    ]),
    ...(more > 0 ? [[{ text: `and ${more} more; --output json has them`, tone: 'quiet' as const }]] : []),
  ];
}

const NARROWEST_NAME = 12;

/** Widths by what stands in the columns; the longest names give way until all fit. */
function widthsOf(
  columns: readonly { header: string; isName?: boolean }[],
  cells: readonly (readonly string[])[],
  width: number,
): number[] {
  const widths = columns.map(({ header }, index) =>
    Math.max(header.length, ...cells.map((row) => row[index]?.length ?? 0)),
  );
  let excess = widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1) - width;
  while (excess > 0) {
    const names = columns.flatMap(({ isName }, index) => (isName ? [index] : []));
    const longest = names.reduce((a, b) => ((widths[b] ?? 0) > (widths[a] ?? 0) ? b : a), names[0] ?? 0);
    if ((widths[longest] ?? 0) <= NARROWEST_NAME) break;
    widths[longest] = (widths[longest] ?? 0) - 1;
    excess--;
  }
  return widths;
}
