import { describe, expect, it } from '@jest/globals';
import { healthOf, OUTAGE_LOOKS, type Condition } from './health-of.ts';

const WELL: Condition = {
  draining: false,
  storeMisses: 0,
  ledgerFailing: false,
  stateAltered: false,
  validatingAsksStore: false,
  limiterMisses: 0,
  countersLostAtMs: undefined,
  issuingNeedsLimiter: true,
  clockDoubt: undefined,
  staleness: undefined,
  keyUnopened: false,
};

const STORE_AWAY = { storeMisses: OUTAGE_LOOKS };
const LIMITER_AWAY = { limiterMisses: OUTAGE_LOOKS };

/** Expected services, as `issuing validating operating`, and what the detail says of the cause. */
const TABLE: [string, Partial<Condition>, string, Record<string, string>][] = [
  ['all is well', {}, 'yes yes yes', { serving: 'yes', issuing: 'yes', validating: 'yes' }],
  ['the store missed one look', { storeMisses: 1 }, 'yes yes yes', { store: 'answers' }],
  ['the store missed two', { storeMisses: 2 }, 'yes yes yes', { store: 'answers' }],
  ['the store is away', STORE_AWAY, 'no yes no', { store: 'silent', issuing: 'no', validating: 'yes' }],
  ['the store never answered', { storeMisses: Infinity }, 'no yes no', { store: 'silent' }],
  [
    'the store is away and only it knows what is frozen',
    { ...STORE_AWAY, validatingAsksStore: true },
    'no no no',
    { validating: 'no' },
  ],
  ['the store knows what is frozen, and answers', { validatingAsksStore: true }, 'yes yes yes', {}],
  ['the ledger fails', { ledgerFailing: true }, 'no yes yes', { ledger: 'fails', store: 'answers' }],
  [
    'somebody else changed the store',
    { stateAltered: true },
    'yes yes yes',
    { state: 'altered by somebody else' },
  ],
  ['the limiter missed one look', { limiterMisses: 1 }, 'yes yes yes', { limiter: 'answers' }],
  [
    'the counters of limits were lost',
    { countersLostAtMs: Date.UTC(2026, 2, 2, 10) },
    'yes yes yes',
    { limiter: 'answers', counters: 'lost at 2026-03-02T10:00:00.000Z' },
  ],
  ['the limiter is away and all refuse', LIMITER_AWAY, 'no yes yes', { limiter: 'silent' }],
  [
    'the limiter is away and some grant uncounted',
    { ...LIMITER_AWAY, issuingNeedsLimiter: false },
    'yes yes yes',
    { limiter: 'silent', issuing: 'yes' },
  ],
  [
    'the clock has stepped',
    { clockDoubt: 'STEPPED' },
    'no yes yes',
    { clock: 'untrusted: it is not steady' },
  ],
  [
    'the clock is an hour off the clock of the database',
    { clockDoubt: 'DATABASE_DIFFERS' },
    'no yes yes',
    { clock: 'untrusted: it differs from the clock of the database' },
  ],
  ['the state is too old', { staleness: 'TOO_OLD' }, 'no yes yes', { state: 'too old' }],
  [
    'the store was sealed under another key',
    { staleness: 'SEALED_ANEW' },
    'no yes yes',
    { state: 'sealed under another key-encryption key' },
  ],
  [
    'the same, and a key was added since',
    { staleness: 'SEALED_ANEW', keyUnopened: true },
    'no no yes',
    { validating: 'no' },
  ],
  ['it drains', { draining: true }, 'no no no', { serving: 'draining', store: 'answers' }],
];

describe('healthOf', () => {
  it.each(TABLE)('%s', (_name, condition, works, detail) => {
    const health = healthOf({ ...WELL, ...condition });
    const reported = [health.issuing, health.validating, health.operating].map((can) => (can ? 'yes' : 'no'));
    expect(reported.join(' ')).toBe(works);
    expect(health.detail).toMatchObject(detail);
  });

  it.each<[string, Partial<Condition>, string | undefined]>([
    ['nothing', {}, undefined],
    ['a drain: a call that still comes is served', { draining: true }, undefined],
    ['the store', STORE_AWAY, 'LEDGER_UNAVAILABLE'],
    ['the ledger', { ledgerFailing: true }, 'LEDGER_UNAVAILABLE'],
    ['the limiter', LIMITER_AWAY, 'LIMITER_UNAVAILABLE'],
    ['a state that is not the newest', { ...STORE_AWAY, staleness: 'TOO_OLD' }, 'SNAPSHOT_STALE'],
    ['the clock, before the ledger', { ...STORE_AWAY, clockDoubt: 'STEPPED' }, 'CLOCK_UNTRUSTED'],
  ])('names the reason that an issue would be refused for, because of %s', (_name, condition, reason) => {
    expect(healthOf({ ...WELL, ...condition }).issuingFault).toBe(reason);
  });

  it.each<[string, Partial<Condition>, boolean]>([
    ['all is well', {}, true],
    ['nothing can be issued for lack of the limiter', LIMITER_AWAY, true],
    ['the store is away, which has the records of what was issued', STORE_AWAY, false],
    ['the state is not the newest, so that a freeze may be missing', { staleness: 'TOO_OLD' }, false],
    ['a key cannot be opened', { keyUnopened: true }, false],
    ['the server drains', { draining: true }, false],
  ])('says if requests to the gateway can be let through while %s', (_name, condition, can) => {
    expect(healthOf({ ...WELL, ...condition }).authorizing).toBe(can);
  });
});
