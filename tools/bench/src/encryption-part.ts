import { generateKeyText, openRealmKey, encryptCredentials } from '@callpass/token-core';
import type { BenchOptions } from './options.ts';
import { runPart, type PartFigures } from './part.ts';
import type { Contestant, Sample } from './rounds.ts';
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

/** Sets of three tokens: token-core against a new cipher for each token, for each cipher. */
export function measureEncryption(
  { encryption: rounds }: Pick<BenchOptions, 'encryption'>,
  progress: (text: string) => void,
): Promise<PartFigures> {
  const pairs = SUBJECTS.map(({ cipher, straightforward, target }) => {
    const keyText = generateKeyText(cipher);
    const key = openRealmKey(cipher, keyText);
    const core = (call: (typeof CALLS)[number], timestampMs: number) =>
      encryptCredentials(key, call, { timestampMs, unit: 'MILLISECONDS' }).toToken.length;
    const naive = ({ account, from, to }: (typeof CALLS)[number], timestampMs: number) =>
      straightforward(keyText, { account, from: `sip:${from}`, to: `sip:${to}`, timestampMs }).length;
    const plain = (name: string) => contestant(`${cipher}, ${name}`, naive, rounds);
    return {
      comparison: {
        ...{ name: `three \`${cipher}\` tokens`, baselineName: 'three `createCipheriv`', unit: 'sets' },
        targets: { mainThread: 1 / target, throughput: target },
        measured: contestant(`${cipher}, token-core`, core, rounds),
        baseline: plain('straightforward'),
      },
      again: plain('straightforward again'),
    };
  });
  const [first] = pairs as [(typeof pairs)[0]];
  return runPart({
    ...{ name: 'encryption', yardstick: first.comparison.baseline, again: first.again },
    comparisons: pairs.map(({ comparison }) => comparison),
    ...{ rounds, progress },
  });
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
    runRound(): Sample {
      const startMs = performance.now();
      const [startThread, startAll] = [process.threadCpuUsage(), process.cpuUsage()];
      let sets = 0;
      let elapsedMs: number;
      do {
        for (const call of CALLS)
          if (encrypt(call, timestampMs++) === 0) throw new Error(`${name} made nothing`);
        sets += CALLS.length;
        elapsedMs = performance.now() - startMs;
      } while (elapsedMs < roundMs);
      return {
        perSecond: (1000 * sets) / elapsedMs,
        mainThreadUs: microseconds(process.threadCpuUsage(startThread)) / sets,
        allThreadsUs: microseconds(process.cpuUsage(startAll)) / sets,
      };
    },
  };
}

function microseconds({ user, system }: NodeJS.CpuUsage): number {
  return user + system;
}
