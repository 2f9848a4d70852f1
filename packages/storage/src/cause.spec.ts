import { describe, expect, it } from '@jest/globals';
import { throwawayKey } from '@callpass/testkit';
import { migrateStore, openStore, resealStore } from './index.ts';
import { storePlace } from './store-url.ts';

const SECRET = 's3cret-canary';
const AWAY = `postgres://callpass:${SECRET}@127.0.0.1:1/calls`;

describe('a store that cannot be reached', () => {
  const sealKey = throwawayKey();
  it.each([
    ['migrate', () => migrateStore({ url: AWAY, sealKey })],
    ['reseal', () => resealStore({ url: AWAY, oldKey: sealKey, newKey: sealKey })],
    ['the start of a server', () => openStore({ url: AWAY, sealKey })],
  ])('%s names database, host, port and cause, and never the password', async (_, work) => {
    const error = await work().then(
      () => undefined,
      (reason: unknown) => reason as Error,
    );
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(error?.message).toMatch(
      /^the database calls at 127\.0\.0\.1:1.*nothing answers there; start it, or check the address \[ECONNREFUSED\]\)?$/,
    );
    expect(`${error?.stack} ${JSON.stringify(error)}`).not.toContain(SECRET);
  });

  it('names the file of a store on SQLite', async () => {
    await expect(migrateStore({ url: 'sqlite:/nowhere/callpass.db', sealKey })).rejects.toThrow(
      /^\/nowhere\/callpass\.db: the database file cannot be made: does its folder exist\? \(.*(ENOENT|directory)/,
    );
  });
});

it.each([
  ['postgres://u:p@db.example/calls', {}, 'the database calls at db.example:5432'],
  ['postgres://u:p@db.example:6432/calls%20b', {}, 'the database calls b at db.example:6432'],
  ['postgres://u@/calls?host=/run/postgresql&port=6543', {}, 'the database calls at /run/postgresql:6543'],
  ['postgres:///', { PGHOST: 'h', PGPORT: '7', PGDATABASE: 'd' }, 'the database d at h:7'],
  ['postgres://u@db.example', {}, 'the database u at db.example:5432'],
])('%s with %j is %s', (url, environment, place) => {
  expect(storePlace(url, environment)).toBe(place);
});
