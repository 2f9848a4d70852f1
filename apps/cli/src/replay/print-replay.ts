import { timestampDate } from '@callpass/client';
import type { ReplayDifference, ReplayReport } from '@callpass/contract';
import type { Page } from '../output.ts';
import { widthOf } from '../screen.ts';
import type { Session } from '../session.ts';
import { counted, MOST_SHOWN } from '../wording.ts';
import { HEAT_MAP_WIDTH, heatMap, shadesOf, WEEKDAYS } from './heat-map.ts';

/** Writes the report of a replay for people: sums, differences, the hours of the week, and what is not in it. */
export function printReplay(
  print: Page,
  { contract, terminal }: Pick<Session, 'contract' | 'terminal'>,
  report: ReplayReport,
): void {
  const { WOULD_BE_REFUSED, WOULD_BE_GRANTED } = contract.ReplayDifference_Outcome;
  const { differences } = report;
  const of = (outcome: ReplayDifference['outcome']) =>
    differences.filter((difference) => difference.outcome === outcome);
  const [refused, granted] = [of(WOULD_BE_REFUSED), of(WOULD_BE_GRANTED)];
  print.line(
    `of ${counted(report.issuedCount)} issued, ${counted(report.wouldBeRefusedCount)} would be refused${inWords(refused)}`,
    report.wouldBeRefusedCount > 0n ? 'bad' : 'good',
  );
  print.line(
    `of ${counted(report.refusedCount)} refused, ${counted(report.wouldBeGrantedCount)} would be granted${inWords(granted)}`,
    report.wouldBeGrantedCount > 0n ? 'warn' : 'good',
  );
  print.fields({
    time: report.firstTime && `${timeOf(report.firstTime)} to ${timeOf(report.lastTime)}`,
    'by destination': sums(differences, 'destination'),
    'by client': sums(differences, 'client'),
  });
  if (differences.length > 0) printDifferences(print, report, WOULD_BE_REFUSED);
  if (report.issuedCount > 0n) printHours(print, report, widthOf(terminal));
  for (const { count, text } of report.caveats) print.line(`${counted(count)} ${text}`, 'warn');
  print.line('freezes are left out, and limits begin to count at the beginning');
}

const timeOf = (time: ReplayReport['firstTime']) => (time ? timestampDate(time).toISOString() : '');

/** Numbers by the words of the refusal, the largest first. */
function inWords(differences: readonly ReplayDifference[]): string {
  const texts = sums(differences, 'text');
  return texts === '' ? '' : `: ${texts}`;
}

function sums(differences: readonly ReplayDifference[], by: 'destination' | 'client' | 'text'): string {
  const counts = new Map<string, bigint>();
  for (const difference of differences)
    counts.set(difference[by], (counts.get(difference[by]) ?? 0n) + difference.count);
  const sorted = [...counts].sort(([, a], [, b]) => Number(b - a));
  const more = sorted.length > MOST_SHOWN ? `, and ${sorted.length - MOST_SHOWN} more` : '';
  const shown = sorted.slice(0, MOST_SHOWN).map(([name, count]) => `${counted(count)} ${name}`);
  return shown.join(', ') + more;
}

function printDifferences(
  print: Page,
  { differences, omittedDifferenceCount }: ReplayReport,
  refused: ReplayDifference['outcome'],
): void {
  print.line('');
  print.table(
    ['WOULD BE', 'RULE', 'DESTINATION', 'CLIENT', 'COUNT', 'FIRST', 'EXAMPLE'],
    differences
      .slice(0, MOST_SHOWN)
      .map(({ outcome, rule, destination, client, count, firstTime, examples }) => {
        const [{ issuanceId, traceId } = { issuanceId: '', traceId: '' }] = examples;
        return [
          ...[outcome === refused ? 'refused' : 'granted', rule, destination, client],
          ...[count.toString(), timeOf(firstTime), issuanceId || traceId],
        ];
      }),
  );
  const more = differences.length + Number(omittedDifferenceCount) - MOST_SHOWN;
  if (more > 0) print.line(`and ${more} more; --output json has them`);
}

function printHours(print: Page, { hours, timeZone }: ReplayReport, width: number): void {
  print.line('');
  if (!print.isTerminal || width < HEAT_MAP_WIDTH) {
    print.line(`by hour of the week (${timeZone}): issued, would be refused`);
    for (const { weekday, hour, issuedCount, wouldBeRefusedCount } of hours) {
      if (issuedCount === 0n) continue;
      print.row(
        [
          WEEKDAYS[weekday - 1],
          `${String(hour).padStart(2, '0')}:00`,
          issuedCount.toString(),
          wouldBeRefusedCount.toString(),
        ],
        [3, 5, 7],
      );
    }
    return;
  }
  for (const parts of heatMap(hours)) print.parts(parts);
  const scale = shadesOf(hours).map(({ shade, upTo }) => `${shade} to ${counted(upTo)}`);
  print.parts([
    { text: `hours of ${timeZone}; ` },
    { text: 'left: issued', tone: 'good' },
    { text: ', ' },
    { text: 'right: would be refused', tone: 'bad' },
    { text: `; ${scale.join(', ')}` },
  ]);
  print.line('');
}
