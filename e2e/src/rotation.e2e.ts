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
const SWEEPERS = 8;
/** For the time that the question itself takes. */
const MARGIN_MS = 250;
const LIFETIME_SECONDS = 4;
/** Long enough for tokens of the retired key to run out while the new one encrypts. */
const SECONDS_AFTER = LIFETIME_SECONDS + 2;

it('rotating a key under 200 issues a second: everything issued in the last token lifetime validates all along', async () => {
  const server = await startServerProcess({ CALLPASS_LOG_LEVEL: 'error' });
  await provision(server.address, { lifetimeSeconds: LIFETIME_SECONDS });
  const connection = connect({ address: server.address, credentials: credentials.createInsecure() });
  const client = createClient(CredentialService, connection);
  const admin = createClient(AdminService, connection);
  const issued: IssueCredentialsResponse[] = [];
  const refusals: string[] = [];
  const issuedIds = new Set<string>();
  const versions = new Set<number>();
  const validated = new Map<string, number>();
  let going = true;

  const issuing = (async () => {
    while (going) {
      const next = performance.now() + TICK_MS;
      const burst = Array.from({ length: (RATE * TICK_MS) / 1000 }, async () => {
        try {
          const answer = await client.issueCredentials({ destination: 'd' });
          versions.add(answer.keyVersion);
          issuedIds.add(answer.issuanceId);
          // In front: nothing expires before it was validated at least once.
          issued.unshift(answer);
        } catch (error) {
          refusals.push(`issue: ${String(error)}`);
        }
      });
      await Promise.all(burst);
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
    }
  })();
  /** Takes what has waited longest, validates it and puts it back until it expires: with the others, everything all along. */
  const sweeper = async () => {
    while (going) {
      const answer = issued.shift();
      if (answer?.grant.case !== 'timeLimited') {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      if (Date.now() >= (answer.expireTime ? timestampMs(answer.expireTime) - MARGIN_MS : 0)) continue;
      const { verdict } = await client.validateCredentials({ timeLimited: answer.grant.value });
      validated.set(answer.issuanceId, (validated.get(answer.issuanceId) ?? 0) + 1);
      if (verdict !== Verdict.VALID)
        refusals.push(`key ${answer.keyVersion}: ${VerdictSchema.value[verdict]?.name}`);
      issued.push(answer);
    }
  };
  const validating = Promise.all(Array.from({ length: SWEEPERS }, sweeper));

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
  const validations = [...validated.values()].reduce((sum, times) => sum + times, 0);
  process.stderr.write(
    `${issuedIds.size} issued, ${validated.size} of them validated ${validations} times, ${refusals.length} refusals, ` +
      `key versions ${[...versions].join(', ')}\n`,
  );
  expect([...versions].sort()).toEqual([1, 2, 3]);
  expect(refusals).toEqual([]);
  // The last ones may be issued when the sweepers are done.
  expect(validated.size).toBeGreaterThan(0.9 * issuedIds.size);
}, 60_000);
