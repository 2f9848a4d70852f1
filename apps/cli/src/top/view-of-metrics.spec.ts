import { describe, expect, it } from '@jest/globals';
import { parsePrometheusText } from './prometheus-text.ts';
import { viewOfMetrics } from './view-of-metrics.ts';

const scrape = (timeMs: number, ...lines: readonly string[]) => ({
  timeMs,
  samples: parsePrometheusText(lines.join('\n')),
});
const lastOf = (...lines: readonly string[]) => ({ name: 'a:1', last: scrape(2000, ...lines) });
const headroom = (destination: string, value: string) =>
  `callpass_limit_headroom_ratio{callpass_destination="${destination}",callpass_limit="limits[0] per SUBJECT"} ${value}`;
const decisions = (decision: string, destination: string, count: number) =>
  `callpass_issue_decisions_total{callpass_decision="${decision}",callpass_reason="R",callpass_destination="${destination}"} ${count}`;

describe('viewOfMetrics', () => {
  it('has the fullest of a limit over all instances, and the fullest limit first', () => {
    const { limits } = viewOfMetrics([
      lastOf(headroom('a', '0.9'), headroom('b', '0.4')),
      lastOf(headroom('a', '0.1'), headroom('b', '0.5')),
    ]);
    expect(limits.map(({ destination, usedShare }) => [destination, usedShare])).toEqual([
      ['a', 0.9],
      ['b', 0.6],
    ]);
  });

  it('has the end that is nearest of each certificate and key', () => {
    const { ends } = viewOfMetrics([
      lastOf('callpass_certificate_expiry_seconds{callpass_certificate="server"} 500'),
      lastOf(
        'callpass_certificate_expiry_seconds{callpass_certificate="server"} 300',
        'callpass_key_rotation_due_seconds{callpass_realm="r"} -5',
      ),
    ]);
    expect(ends).toEqual([
      { what: 'key of r', event: 'rotation due', inSeconds: -5 },
      { what: 'certificate server', event: 'expires', inSeconds: 300 },
    ]);
  });

  it('adds up destinations of all instances, the busiest first, failures among the refused', () => {
    const instance = {
      name: 'a:1',
      before: scrape(1000, decisions('issued', 'a', 5), decisions('issued', 'b', 5)),
      last: scrape(
        2000,
        ...[decisions('issued', 'a', 6), decisions('issued', 'b', 15)],
        ...[decisions('refused', 'b', 2), decisions('failed', 'b', 1)],
      ),
    };
    const { destinations, reasons } = viewOfMetrics([instance, instance]);
    expect(destinations).toEqual([
      { destination: 'b', issuedPerSecond: 20, refusedPerSecond: 6 },
      { destination: 'a', issuedPerSecond: 2, refusedPerSecond: 0 },
    ]);
    expect(reasons).toEqual([{ reason: 'R', destination: 'b', perSecond: 6 }]);
  });

  it('says what of an instance is not as it should be', () => {
    const { instances } = viewOfMetrics([
      lastOf(
        ...['callpass_ready 0', 'callpass_clock_trusted 0', 'callpass_state_altered 1'],
        'callpass_dependency_up{callpass_dependency="store"} 0',
        'callpass_dependency_up{callpass_dependency="ledger"} 1',
        'callpass_snapshot_stale{callpass_snapshot_staleness="TOO_OLD"} 1',
      ),
    ]);
    expect(instances[0]).toMatchObject({
      isReady: false,
      troubles: [
        ...['store does not answer', 'state in force: TOO_OLD', 'clock is not trusted'],
        'store was changed by somebody else',
      ],
    });
  });

  it('leaves out numbers that are none', () => {
    const view = viewOfMetrics([
      lastOf(headroom('a', 'NaN'), 'callpass_certificate_expiry_seconds NaN', 'process_uptime_seconds +Inf'),
    ]);
    expect([view.limits, view.ends, view.instances[0]?.uptimeSeconds]).toEqual([[], [], undefined]);
  });
});
