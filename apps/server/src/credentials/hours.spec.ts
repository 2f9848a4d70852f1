import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { refusalOf } from '../testing/refusal.ts';
import { startTestServer, type TestServer } from '../testing/test-server.ts';

const LINE = 'mode: UNRESTRICTED, account: a@x.example, callees: [b@x.example]';
const DOCUMENT = `
destinations:
  - { id: berlin, ${LINE}, hours: { timeZone: Europe/Berlin, open: ["Mon-Fri 08:00-18:00", "Sun 02:15-03:30"], closedDates: ["2026-12-25"] } }
  - { id: newyork, ${LINE}, hours: { timeZone: America/New_York, open: ["Mon-Fri 09:00-17:00", "Sun 01:30-02:30"], closedDates: ["2026-11-26"] } }
  - { id: lordhowe, ${LINE}, hours: { timeZone: Australia/Lord_Howe, open: ["Mon-Fri 08:00-16:00", "Sun 01:45-02:15"], closedDates: ["2026-12-25"] } }
`;

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure(DOCUMENT);
});
afterAll(() => server.stop());

type Row = [what: string, destination: string, at: string, opens: string];

/** The instants around each edge: `open`, or when it opens next. */
const ROWS: Row[] = [
  ['an ordinary Monday, before', 'berlin', '2026-03-02T06:59:59.999Z', '2026-03-02T07:00:00.000Z'],
  ['its first instant', 'berlin', '2026-03-02T07:00:00.000Z', 'open'],
  ['its last', 'berlin', '2026-03-02T16:59:59.999Z', 'open'],
  ['after it', 'berlin', '2026-03-02T17:00:00.000Z', '2026-03-03T07:00:00.000Z'],
  ['spring: 02:15 is skipped; before', 'berlin', '2026-03-29T00:59:59.999Z', '2026-03-29T01:00:00.000Z'],
  ['with the jump to 03:00', 'berlin', '2026-03-29T01:00:00.000Z', 'open'],
  ['the end at 03:30', 'berlin', '2026-03-29T01:30:00.000Z', '2026-03-30T06:00:00.000Z'],
  ['autumn: before the first 02:15', 'berlin', '2026-10-25T00:14:59.999Z', '2026-10-25T00:15:00.000Z'],
  ['the first 02:15', 'berlin', '2026-10-25T00:15:00.000Z', 'open'],
  ['the last instant of summer time', 'berlin', '2026-10-25T00:59:59.999Z', 'open'],
  ['02:00 again', 'berlin', '2026-10-25T01:00:00.000Z', '2026-10-25T01:15:00.000Z'],
  ['the second 02:15', 'berlin', '2026-10-25T01:15:00.000Z', 'open'],
  ['the end at 03:30', 'berlin', '2026-10-25T02:30:00.000Z', '2026-10-26T07:00:00.000Z'],
  ['a closed date, a Friday', 'berlin', '2026-12-25T10:00:00.000Z', '2026-12-27T01:15:00.000Z'],
  ['its last minute', 'berlin', '2026-12-25T22:59:59.999Z', '2026-12-27T01:15:00.000Z'],

  ['an ordinary Monday, before', 'newyork', '2026-06-01T12:59:59.999Z', '2026-06-01T13:00:00.000Z'],
  ['its first instant', 'newyork', '2026-06-01T13:00:00.000Z', 'open'],
  ['its last', 'newyork', '2026-06-01T20:59:59.999Z', 'open'],
  ['after it', 'newyork', '2026-06-01T21:00:00.000Z', '2026-06-02T13:00:00.000Z'],
  ['spring: 01:30', 'newyork', '2026-03-08T06:30:00.000Z', 'open'],
  ['the last instant of winter time', 'newyork', '2026-03-08T06:59:59.999Z', 'open'],
  ['03:00 comes at once, past the end', 'newyork', '2026-03-08T07:00:00.000Z', '2026-03-09T13:00:00.000Z'],
  ['autumn: the first 01:30', 'newyork', '2026-11-01T05:30:00.000Z', 'open'],
  ['01:00 again', 'newyork', '2026-11-01T06:00:00.000Z', '2026-11-01T06:30:00.000Z'],
  ['the second 01:30', 'newyork', '2026-11-01T06:30:00.000Z', 'open'],
  ['the last instant before 02:30', 'newyork', '2026-11-01T07:29:59.999Z', 'open'],
  ['02:30', 'newyork', '2026-11-01T07:30:00.000Z', '2026-11-02T14:00:00.000Z'],
  ['a closed date, a Thursday', 'newyork', '2026-11-26T15:00:00.000Z', '2026-11-27T14:00:00.000Z'],

  ['an ordinary Monday, before', 'lordhowe', '2026-05-31T21:29:59.999Z', '2026-05-31T21:30:00.000Z'],
  ['its first instant', 'lordhowe', '2026-05-31T21:30:00.000Z', 'open'],
  ['its last', 'lordhowe', '2026-06-01T05:29:59.999Z', 'open'],
  ['after it', 'lordhowe', '2026-06-01T05:30:00.000Z', '2026-06-01T21:30:00.000Z'],
  ['half an hour back: the first 01:45', 'lordhowe', '2026-04-04T14:45:00.000Z', 'open'],
  ['01:30 again', 'lordhowe', '2026-04-04T15:00:00.000Z', '2026-04-04T15:15:00.000Z'],
  ['the second 01:45', 'lordhowe', '2026-04-04T15:15:00.000Z', 'open'],
  ['02:15', 'lordhowe', '2026-04-04T15:45:00.000Z', '2026-04-05T21:30:00.000Z'],
  ['half an hour forward: 01:45', 'lordhowe', '2026-10-03T15:15:00.000Z', 'open'],
  ['02:30 comes at once, past the end', 'lordhowe', '2026-10-03T15:30:00.000Z', '2026-10-04T21:00:00.000Z'],
  [
    'a closed date, still the 24th in UTC',
    'lordhowe',
    '2026-12-24T22:00:00.000Z',
    '2026-12-26T14:45:00.000Z',
  ],
];

describe('hours of a destination', () => {
  it.each(ROWS)('%s: %s at %s is %s', async (_, destination, at, opens) => {
    server.clock.nowMs = Date.parse(at);
    if (opens === 'open') {
      await server.credentials.issueCredentials({ destination });
      return;
    }
    const refusal = await refusalOf(server.credentials.issueCredentials({ destination }));
    expect(refusal).toMatchObject({ reason: 'DESTINATION_CLOSED', metadata: { opensAt: opens } });
    expect(refusal.retryAfterSeconds).toBeCloseTo((Date.parse(opens) - Date.parse(at)) / 1000, 3);
  });
});
