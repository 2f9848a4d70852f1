import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  AdminService,
  CredentialService,
  Verdict,
  VerdictSchema,
  type IssueCredentialsResponse,
} from '@callpass/contract';
import { connect, createClient } from '@callpass/grpc-kit';
import { credentials } from '@grpc/grpc-js';
import { expect, it } from '@jest/globals';
import { startServerProcess } from './processes.ts';
import { provision } from './provision.ts';

const RATE = 200;
const TICK_MS = 50;
const LIFETIME_SECONDS = 4;
/** Long enough for tokens of the retired key to run out while the new one seals. */
const SECONDS_AFTER = LIFETIME_SECONDS + 2;

it('rotating a key under 200 issues a second: everything issued in the last token lifetime validates all along', async () => {
  const server = await startServerProcess({ CALLPASS_LOG_LEVEL: 'error' });
  await provision(server.address, { lifetimeSeconds: LIFETIME_SECONDS });
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const client = createClient(CredentialService, connection);
  const admin = createClient(AdminService, connection);
  const issued: IssueCredentialsResponse[] = [];
  const refusals: string[] = [];
  const versions = new Set<number>();
  let validations = 0;
  let going = true;

  const issuing = (async () => {
    while (going) {
      const next = performance.now() + TICK_MS;
      const burst = Array.from({ length: (RATE * TICK_MS) / 1000 }, async () => {
        try {
          const answer = await client.issueCredentials({ destination: 'd' });
          versions.add(answer.keyVersion);
          issued.push(answer);
        } catch (error) {
          refusals.push(`issue: ${String(error)}`);
        }
      });
      await Promise.all(burst);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
    }
  })();
  const validating = (async () => {
    while (going) {
      const answer = issued[Math.floor(Math.random() * issued.length)];
      if (answer?.grant.case !== 'timeLimited') {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      // A margin for the time that the question itself takes.
      const expires = answer.expireTime ? timestampMs(answer.expireTime) - 250 : 0;
      if (Date.now() >= expires) {
        issued.splice(issued.indexOf(answer), 1);
        continue;
      }
      const { verdict } = await client.validateCredentials({ timeLimited: answer.grant.value });
      validations++;
      if (verdict !== Verdict.VALID)
        refusals.push(`key ${answer.keyVersion}: ${VerdictSchema.value[verdict]?.name}`);
    }
  })();

  for (let version = 2; version <= 3; version++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await admin.addRealmKey({ realm: 'r' });
    await admin.activateRealmKey({ realm: 'r', version });
  }
  await new Promise((resolve) => setTimeout(resolve, SECONDS_AFTER * 1000));
  going = false;
  await Promise.all([issuing, validating]);
  connection.close();
  await server.stop();
  process.stderr.write(
    `${validations} validations, ${refusals.length} refusals, key versions ${[...versions].join(', ')}\n`,
  );
  expect([...versions].sort()).toEqual([1, 2, 3]);
  expect(validations).toBeGreaterThan(500);
  expect(refusals).toEqual([]);
}, 60_000);
