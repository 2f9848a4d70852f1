import type { EntryDraft } from '@callpass/domain';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { RefusedAuthentications } from './refused-authentications.ts';

function start(record: (entry: EntryDraft) => Promise<unknown> = async () => undefined) {
  const entries: EntryDraft[] = [];
  const lines: string[] = [];
  const refused = new RefusedAuthentications({
    store: {
      record: async (entry) => {
        entries.push(entry);
        await record(entry);
        return { outcome: 'recorded' };
      },
    },
    clock: { now: () => 1000 },
    state: { snapshot: { revision: 7 } },
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(line) }),
  });
  return { refused, entries, lines };
}

describe('RefusedAuthentications', () => {
  it('records the first of each fault at once', async () => {
    const { refused, entries } = start();
    await refused.note('UNKNOWN', '10.0.0.1:5');
    await refused.note('TOKEN_EXPIRED', '10.0.0.1:5');
    expect(
      entries.map(({ kind, client, reason, rule, configurationRevision }) => [
        kind,
        client,
        reason,
        rule,
        configurationRevision,
      ]),
    ).toEqual([
      ['REFUSED', '', 'CLIENT_UNKNOWN', 'authentication UNKNOWN', 7],
      ['REFUSED', '', 'CLIENT_UNKNOWN', 'authentication TOKEN_EXPIRED', 7],
    ]);
    await refused.flush();
    expect(entries).toHaveLength(2);
  });

  it('leaves two entries and one line of a flood', async () => {
    const { refused, entries, lines } = start();
    for (let attempt = 0; attempt < 100_000; attempt++) await refused.note('UNKNOWN', '10.0.0.1:5');
    await refused.flush();
    expect(entries.map(({ rule }) => rule)).toEqual([
      'authentication UNKNOWN',
      'authentication UNKNOWN, 99999 more within a minute',
    ]);
    expect(lines).toHaveLength(1);
  });

  it('begins anew after a window', async () => {
    const { refused, entries } = start();
    await refused.note('UNKNOWN', '');
    await refused.flush();
    await refused.note('UNKNOWN', '');
    await refused.flush();
    expect(entries).toHaveLength(2);
  });

  it('does not turn a refusal into another fault when the ledger cannot write', async () => {
    const { refused, lines } = start(() => Promise.reject(new Error('disk full')));
    await expect(refused.note('UNKNOWN', '')).resolves.toBeUndefined();
    expect(lines.join('')).toContain('not in the ledger');
    await refused.flush();
  });
});
