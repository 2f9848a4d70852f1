// Makes the picture in docs/moderation.md: replays a document on a real server and a ledger of four weeks that were made up.
//   tsc -b && node tools/picture/replay.mjs
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../launch/prepare.mjs';
import { draw, ESCAPE } from './draw.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'replay.svg');
const { KeyedHash, newIssuanceId } = await import('@callpass/domain');
const { openStore } = await import('@callpass/storage');
const { createLog } = await import('@callpass/program/log');
const { startServer } = await import(join(ROOT, 'apps/server/dist/server.js'));
const { loadServerSettings } = await import(join(ROOT, 'apps/server/dist/settings/load.js'));
const { runInProcess } = await import(join(ROOT, 'apps/cli/dist/testing/run-in-process.js'));

const HOUR_MS = 3_600_000;
/** Monday 00:00 in Berlin. */
const FROM_MS = Date.UTC(2026, 9, 25, 23);
const WEEKS = 4;
const PAUSE_MS = 20_000;
/** Entries that wait for the store at a time. */
const AT_ONCE = 2000;

const document = (
  hours,
  limits,
) => `realms: [{ name: support.example, cipher: AES_128_ECB, tokenLifetime: 600s }]
destinations:
  - id: support
    realm: support.example
    account: anonymous@kandy.example
    callees: [support@kandy.example]
    hours: { timeZone: Europe/Berlin, open: [${hours}] }
    limits: [${limits}]
clients:
  - { name: web-edge, identities: [{ dnsName: edge.example }], grants: [{ role: ISSUER, destinations: [support] }] }
`;
const IN_FORCE = document("'Mon-Fri 07:00-21:00', 'Sat 09:00-18:00', 'Sun 10:00-16:00'", '');
const PROPOSED = document(
  "'Mon-Fri 08:00-19:00', 'Sat 08:00-14:00'",
  '{ per: SUBJECT, max: 5, window: 3600s }',
);

const folder = mkdtempSync(join(tmpdir(), 'callpass-picture-'));
const sealKey = randomBytes(32);
const url = `sqlite:${join(folder, 'callpass.db')}`;
const settings = loadServerSettings({
  environment: {
    CALLPASS_LISTEN_ADDRESS: '127.0.0.1:0',
    CALLPASS_STORE_URL: url,
    CALLPASS_KEY_ENCRYPTION_KEY: sealKey.toString('base64'),
    CALLPASS_ACCESS_LOCAL: 'everything',
    CALLPASS_LOG_LEVEL: 'error',
    CALLPASS_STORE_RESERVE_BYTES: '0',
  },
});
const server = await startServer(settings, createLog(settings.log));
try {
  const [inForce, proposed] = [join(folder, 'callpass.yaml'), join(folder, 'new.yaml')];
  writeFileSync(inForce, IN_FORCE);
  writeFileSync(proposed, PROPOSED);
  await callpass('config', 'apply', '-f', inForce);
  await callpass('key', 'add', 'support.example', '--generate');
  await callpass('key', 'activate', 'support.example', '1');
  await makeUp();
  const since = new Date(FROM_MS).toISOString();
  const printed = await callpass('config', 'replay', '-f', proposed, '--since', since);
  const command = `${ESCAPE}[1m$ npx callpass config replay -f new.yaml --since ${since}${ESCAPE}[22m`;
  const lines = [command, ...printed.trimEnd().split('\n')];
  writeFileSync(PICTURE, draw(lines, 'The report of a replay with the hours of the week'));
  console.log(PICTURE);
} finally {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Runs the command line on a terminal and gives what it shows. */
async function callpass(...args) {
  const { exitCode, stdout, stderr } = await runInProcess([...args, '--address', server.address], {
    isTTY: true,
  });
  if (exitCode !== 0) throw new Error(`callpass ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Records calls as a support line has them: most in the morning, few in the evening, some visitors again and again. */
async function makeUp() {
  const store = await openStore({ url, sealKey });
  const keyedHash = new KeyedHash(store.ledgerSecret);
  let seed = 1;
  const next = (below) => (seed = (seed * 48_271) % 2_147_483_647) % below;
  let recorded = [];
  for (let timeMs = FROM_MS; timeMs < FROM_MS + WEEKS * 7 * 24 * HOUR_MS; timeMs += PAUSE_MS) {
    const hourOfWeek = Math.floor((timeMs - FROM_MS) / HOUR_MS) % 168;
    const rate = rateOf(Math.floor(hourOfWeek / 24), hourOfWeek % 24);
    if (next(1000) >= (rate || 5)) continue;
    const visitor = next(20) === 0 ? 'again and again' : `visitor ${next(100_000)}`;
    const asked = {
      timeMs,
      client: 'web-edge',
      destination: 'support',
      realm: 'support.example',
      visitor: { hash: keyedHash.subject(visitor) },
      configurationRevision: 1,
    };
    const refused = (reason, rule) => ({ ...asked, kind: 'REFUSED', reason, rule });
    const issued = {
      ...asked,
      kind: 'ISSUED',
      keyVersion: 1,
      callee: 'support@kandy.example',
      caller: 'anonymous@kandy.example',
      issuanceId: newIssuanceId(timeMs, randomBytes(16)),
      expireTimeMs: timeMs + 600_000,
    };
    const closed = rate === 0 && refused('DESTINATION_CLOSED', 'hours');
    const frozen = next(2000) === 0 && refused('FROZEN', 'freeze SUBJECT');
    recorded.push(store.record(closed || frozen || issued));
    if (recorded.length < AT_ONCE) continue;
    await Promise.all(recorded);
    recorded = [];
  }
  await Promise.all(recorded);
  await store.close();
}

/** Calls in a thousand pauses. */
function rateOf(weekday, hour) {
  const [from, to] = [
    [7, 21],
    [9, 18],
    [10, 16],
  ][Math.max(0, weekday - 4)];
  if (hour < from || hour >= to) return 0;
  const busy = 700 * Math.exp(-(((hour - 10.5) / 4) ** 2)) + 60;
  return weekday > 4 ? busy / 3 : busy;
}
