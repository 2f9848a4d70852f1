import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Verdict } from '@callpass/contract';
import { refusalOf } from '../testing/refusal.ts';
import { DOCUMENT, startTestServer, type TestServer } from '../testing/test-server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.configure(DOCUMENT);
  await server.activateKey('ecb.example', 'realm-key-16byte');
});
afterAll(() => server.stop());

const IN_ANOTHER_PROCESS = `
const database = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
database.exec(process.argv[2]);
database.close();`;

/** Changes the database behind the server's back: from another process, since SQLite's locks are those of a process. */
function sql(statement: string): void {
  const file = (server.environment['CALLPASS_STORE_URL'] ?? '').replace('sqlite:', '');
  execFileSync(process.execPath, ['--no-warnings', '-e', IN_ANOTHER_PROCESS, file, statement]);
}

const issue = () => server.credentials.issueCredentials({ destination: 'ecb' });

/** Asks until it holds: the server looks for changes each 50 ms. */
async function soon(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe('a server that cannot read the newest state of its store', () => {
  it('issues nothing, says why, marks what it validates, and goes on when it can read it', async () => {
    const { grant } = await issue();
    const timeLimited = grant.case === 'timeLimited' ? grant.value : {};
    const validate = () => server.credentials.validateCredentials({ timeLimited });
    expect(await validate()).toMatchObject({ verdict: Verdict.VALID, stale: false });

    sql(`update realm_keys set realm = 'cbc.example'; update state set version = version + 1`);
    await soon(async () => (await validate()).stale);
    expect(await refusalOf(issue())).toMatchObject({
      code: 'UNAVAILABLE',
      reason: 'SNAPSHOT_STALE',
      metadata: { cause: 'UNREADABLE' },
    });
    expect(await validate()).toMatchObject({ verdict: Verdict.VALID, stale: true, to: { stale: true } });
    const { entries } = await server.ledger.listEntries({});
    expect(entries.map(({ reason }) => reason)).not.toContain('SNAPSHOT_STALE');

    sql(`update realm_keys set realm = 'ecb.example'`);
    await soon(async () => !(await validate()).stale);
    expect((await issue()).keyVersion).toBe(1);
  });
});
