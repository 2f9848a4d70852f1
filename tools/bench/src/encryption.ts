import { type Cipher, generateKeyText, openRealmKey, encryptCredentials } from '@callpass/token-core';
import { ratioOf, runInterleaved, type Contestant, type Rounds } from './measure.ts';
import type { BenchRow } from './report.ts';
import { encryptCbcStraightforwardly, encryptEcbStraightforwardly } from './straightforward-encryption.ts';

const SUBJECTS = [
  {
    cipher: 'AES_128_ECB',
    straightforward: encryptEcbStraightforwardly,
    target: 4,
  },
  {
    cipher: 'AES_256_CBC_HMAC_SHA256',
    straightforward: encryptCbcStraightforwardly,
    target: 1.5,
  },
] as const;

/** Calls between two looks at the clock. */
const CALLS_AT_ONCE = 64;

/** The users of the calls: the anonymous account and changing callees, as a busy service sees them. */
const CALLS = Array.from({ length: CALLS_AT_ONCE }, (_, index) => ({
  account: 'anonymous@kandy.example',
  from: 'anonymous@kandy.example',
  to: `support-${index}@kandy.example`,
}));

/** Sets of three tokens a second: token-core against a new cipher for each token, for each cipher. */
export async function measureEncryption(
  rounds: Rounds & { roundMs: number },
  progress: (text: string) => void,
): Promise<BenchRow[]> {
  const contestants = SUBJECTS.flatMap(({ cipher, straightforward }): Contestant[] => {
    const keyText = generateKeyText(cipher);
    const key = openRealmKey(cipher, keyText);
    const core = (call: (typeof CALLS)[number], timestampMs: number) =>
      encryptCredentials(key, call, { timestampMs, unit: 'MILLISECONDS' }).toToken.length;
    const naive = ({ account, from, to }: (typeof CALLS)[number], timestampMs: number) =>
      straightforward(keyText, { account, from: `sip:${from}`, to: `sip:${to}`, timestampMs }).length;
    return [
      contestant(`${cipher}, token-core`, core, rounds),
      contestant(`${cipher}, straightforward`, naive, rounds),
    ];
  });
  const speeds = await runInterleaved(contestants, rounds, ({ number, of }) => {
    progress(`encryption: round ${number} of ${of}`);
  });
  return SUBJECTS.map(({ cipher, target }, index) => {
    const [measured, baseline] = speeds.slice(2 * index);
    if (!measured || !baseline) throw new Error('a contestant has no speeds');
    return {
      name: `set of three, ${cipherName(cipher)}`,
      baselineName: 'three createCipheriv',
      unit: 'sets/s',
      measured,
      baseline,
      ratio: ratioOf(measured, baseline),
      target,
    };
  });
}

function cipherName(cipher: Cipher): string {
  return cipher === 'AES_128_ECB' ? 'AES-128-ECB' : 'AES-256-CBC + HMAC';
}

function contestant(
  name: string,
  encrypt: (call: (typeof CALLS)[number], timestampMs: number) => number,
  { roundMs }: { roundMs: number },
): Contestant {
  // Every set has a time of its own, as on a real server, so that nothing can be kept from one to the next.
  let timestampMs = Date.now();
  return {
    name,
    runRound() {
      const startMs = performance.now();
      let sets = 0;
      let elapsedMs: number;
      do {
        for (const call of CALLS)
          if (encrypt(call, timestampMs++) === 0) throw new Error(`${name} made nothing`);
        sets += CALLS.length;
        elapsedMs = performance.now() - startMs;
      } while (elapsedMs < roundMs);
      return (1000 * sets) / elapsedMs;
    },
  };
}
