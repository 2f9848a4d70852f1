import { timestampMs } from '@bufbuild/protobuf/wkt';
import { LedgerEntry_Kind, type LedgerEntry } from '@callpass/contract';

/**
 * The proposed document of `replay-configuration.spec.ts` counted by hand over exported entries, in the plainest way and without
 * any code of the product.
 */
export function recount(
  entries: readonly LedgerEntry[],
  { since, destination: only, timeZone }: { since: number; destination?: string; timeZone: string },
) {
  const counts = { issued: 0, refused: 0, wouldBeRefused: 0, wouldBeGranted: 0 };
  const by = { rule: {}, destination: {}, client: {} } as Record<string, Record<string, number>>;
  const hours: Record<string, [number, number]> = {};
  const windows: Windows = new Map();
  for (const entry of entries) {
    const timeMs = entry.time ? timestampMs(entry.time) : 0;
    const issued = entry.kind === LedgerEntry_Kind.ISSUED;
    const replayed =
      issued ||
      (entry.kind === LedgerEntry_Kind.REFUSED &&
        entry.reason !== 'FROZEN' &&
        !entry.rule.includes('more within a minute'));
    if (timeMs < since || !replayed) continue;
    const rule = ruleAgainst(entry, timeMs, windows);
    if (only !== undefined && entry.destination !== only) continue;
    counts[issued ? 'issued' : 'refused']++;
    const cell = (hours[hourOf(timeMs, timeZone)] ??= [0, 0]);
    if (issued) cell[0]++;
    if (issued === (rule === undefined)) continue;
    counts[issued ? 'wouldBeRefused' : 'wouldBeGranted']++;
    if (issued) cell[1]++;
    const outcome = issued ? 'WOULD_BE_REFUSED' : 'WOULD_BE_GRANTED';
    const values = { rule: rule ?? entry.rule, destination: entry.destination, client: entry.client };
    for (const [name, value] of Object.entries(values)) {
      const group = by[name] as Record<string, number>;
      group[`${outcome} ${value}`] = (group[`${outcome} ${value}`] ?? 0) + 1;
    }
  }
  return { counts, rule: by['rule'], destination: by['destination'], client: by['client'], hours };
}

type Windows = Map<string, { fromMs: number; count: number }>;

function ruleAgainst(entry: LedgerEntry, timeMs: number, windows: Windows): string | undefined {
  const { client, destination, callee, caller, subjectHash } = entry;
  if (!['web', 'app', 'local'].includes(client)) return 'clients';
  if (destination === 'lobby') return 'grant';
  if (client === 'app' && destination === 'members') return 'grant';
  if (destination === 'members' && subjectHash === '') return 'requireSubject';
  if (callee.toLowerCase() !== 'b@x.example') return 'callees';
  if (caller !== 'a@x.example') return 'callers';
  if (destination === 'office' && !isOpen(timeMs)) return 'hours';
  if (destination === 'off') {
    return 'realm';
  }
  if (entry.rule.startsWith('uncounted')) return undefined;
  const limits =
    destination === 'office'
      ? [
          ...(subjectHash
            ? [{ key: `S ${subjectHash}`, max: 1, seconds: 600, name: 'limits[0] per SUBJECT' }]
            : []),
          { key: 'all', max: 5, seconds: 3600, name: 'limits[1] per OVERALL' },
        ]
      : [
          { key: `C ${client}`, max: 1, seconds: 600, name: 'limits[0] per CLIENT' },
          { key: 'all', max: 6, seconds: 3600, name: 'limits[1] per OVERALL' },
        ];
  const running = limits.map((limit) => {
    const window = windows.get(limit.key);
    return window && timeMs < window.fromMs + limit.seconds * 1000 ? window : undefined;
  });
  let full: { name: string; waitMs: number } | undefined;
  limits.forEach(({ max, name, seconds }, index) => {
    const window = running[index];
    if (!window || window.count < max) return;
    const waitMs = window.fromMs + seconds * 1000 - timeMs;
    if (!full || waitMs > full.waitMs) full = { name, waitMs };
  });
  if (full) return full.name;
  limits.forEach(({ key }, index) => {
    const window = running[index] ?? { fromMs: timeMs, count: 0 };
    window.count++;
    windows.set(key, window);
  });
  return undefined;
}

const BERLIN = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Berlin',
  ...{ weekday: 'short', hour: '2-digit', minute: '2-digit' },
  ...{ year: 'numeric', month: '2-digit', day: '2-digit', hourCycle: 'h23' },
});

function isOpen(timeMs: number): boolean {
  const part = Object.fromEntries(BERLIN.formatToParts(timeMs).map(({ type, value }) => [type, value]));
  if (`${part['year']}-${part['month']}-${part['day']}` === '2026-05-05') return false;
  const time = `${part['hour']}:${part['minute']}`;
  if (part['weekday'] === 'Sun') return time >= '22:00' && time < '23:00';
  return ['Mon', 'Tue', 'Wed', 'Thu'].includes(part['weekday'] ?? '') && time >= '09:00' && time < '17:30';
}

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

function hourOf(timeMs: number, timeZone: string): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(timeMs);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return `${DAYS.indexOf(of('weekday')) + 1} ${Number(of('hour'))}`;
}
