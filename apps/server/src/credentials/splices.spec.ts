import { enumToJson } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TokenKind, VerdictSchema } from '@callpass/contract';
import { openEcb } from '../testing/by-hand.ts';
import { KEYS, START_MS, startConfiguredServer, type TestServer } from '../testing/test-server.ts';

const BLOCK_DIGITS = 32;
const DOMAIN = '@x.io';
const SHORTEST = 10;
const LONGEST = 40;
const EARLIER_MS = 700_000;

let server: TestServer;
beforeAll(async () => {
  server = await startConfiguredServer();
});
afterAll(() => server.stop());

/** A real to-token of this service for a user of so many characters, each of a millisecond of its own. */
async function issuedToken(length: number): Promise<string> {
  server.clock.nowMs += 1;
  const callee = 'u'.repeat(length - DOMAIN.length) + DOMAIN;
  const { grant } = await server.credentials.issueCredentials({ destination: 'ecb', callee });
  if (grant.case !== 'timeLimited') throw new Error('no tokens');
  return grant.value.toToken;
}

async function verdict(token: string, requireIssuedHere: boolean): Promise<unknown> {
  const query = { realm: 'ecb.example', token, kind: TokenKind.TO, requireIssuedHere };
  return enumToJson(VerdictSchema, (await server.credentials.validateToken(query)).verdict);
}

describe('splices of ECB tokens: the last block of a fresh token on an expired one', () => {
  it('are all refused where the record is asked, and some are taken where it is not', async () => {
    const lengths = Array.from({ length: LONGEST - SHORTEST + 1 }, (_, index) => SHORTEST + index);
    server.clock.nowMs = START_MS - EARLIER_MS;
    const expired = new Map<number, string>();
    for (const length of lengths) expired.set(length, await issuedToken(length));
    server.clock.nowMs = START_MS;
    const fresh = new Map<number, string>();
    for (const length of lengths) fresh.set(length, await issuedToken(length));

    let taken = 0;
    let tried = 0;
    for (const [oldLength, old] of expired) {
      for (const [newLength, young] of fresh) {
        // Blocks fit where both plaintexts have their last block filled alike.
        if (oldLength % 16 !== newLength % 16) continue;
        const spliced = old.slice(0, -BLOCK_DIGITS) + young.slice(-BLOCK_DIGITS);
        // With the whole timestamp in the last block and the same user this is the fresh token itself.
        if (spliced === young) continue;
        tried++;
        const withRecord = await verdict(spliced, true);
        expect(['NOT_ISSUED_HERE', 'EXPIRED', 'UNDECIPHERABLE']).toContain(withRecord);
        if ((await verdict(spliced, false)) === 'VALID') {
          taken++;
          // It really is the expired token's user with a fresh time.
          expect(openEcb(KEYS['ecb.example'], spliced)).toMatch(
            new RegExp(`^sip:u{${oldLength - DOMAIN.length}}@`),
          );
        }
      }
    }
    expect(tried).toBeGreaterThan(lengths.length);
    expect(taken).toBeGreaterThan(0);
  });
});
