import { createChallenge, verifySolution, type Challenge, type Solution } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { HUMAN_CHECK_HEADER, type HumanCheck } from './human-check.ts';

/** Cost and lifetime of a proof. */
export interface ProofOfWorkOptions {
  /** Signs challenges; 32 characters or more, the same on all instances. */
  readonly secret: string;
  /** Rounds of PBKDF2 for one try; a proof takes 256 tries on average. Default 5,000: about half a second of a laptop. */
  readonly cost?: number | undefined;
  /** Time to solve a challenge and use its proof, in ms. Default: 5 minutes. */
  readonly lifetimeMs?: number | undefined;
  /** ms since the epoch; for tests. It must not run ahead of the system's, by which the library judges expiry. */
  readonly now?: (() => number) | undefined;
}

const ALGORITHM = 'PBKDF2/SHA-256';
const LEAST_SECRET_LENGTH = 32;
const FIVE_MINUTES_MS = 300_000;
const MAX_PROOF_CHARACTERS = 4096;
/** Each proof that is remembered has cost its sender work, so it takes a crowd to fill this; then none is accepted until some expire. */
const MAX_REMEMBERED = 100_000;

/**
 * A check that needs no outside service: the browser works for a moment (ALTCHA, https://altcha.org), which costs a visitor
 * nothing and a flood a lot. It keeps out programs that ask in masses; it does not keep out a patient program.
 *
 * The proof is what the ALTCHA widget gives: base64 of `{challenge, solution}`. It is good once, on the instance that took
 * it; with several instances it could be used once on each.
 */
export function createProofOfWork(options: ProofOfWorkOptions): HumanCheck {
  const { secret, cost = 5000, lifetimeMs = FIVE_MINUTES_MS, now = Date.now } = options;
  if (secret.length < LEAST_SECRET_LENGTH) {
    throw new TypeError(
      `the secret of the proof of work must have ${LEAST_SECRET_LENGTH} characters or more`,
    );
  }
  const used = createUsed(now);

  return {
    challenge: () =>
      createChallenge({
        algorithm: ALGORITHM,
        cost,
        deriveKey,
        expiresAt: new Date(now() + lifetimeMs),
        hmacSignatureSecret: secret,
      }),
    async verify(request) {
      const proof = readProof(request.headers[HUMAN_CHECK_HEADER]);
      const expiresAt = proof?.challenge.parameters.expiresAt;
      if (proof === undefined || typeof expiresAt !== 'number') return false;
      const { verified } = await verifySolution({ ...proof, deriveKey, hmacSignatureSecret: secret }).catch(
        () => ({
          verified: false,
        }),
      );
      return verified && used.add(proof.challenge.parameters.nonce, expiresAt * 1000);
    },
  };
}

interface Proof {
  readonly challenge: Challenge;
  readonly solution: Solution;
}

function readProof(header: string | string[] | undefined): Proof | undefined {
  if (typeof header !== 'string' || header.length > MAX_PROOF_CHARACTERS) return undefined;
  let proof: Partial<Proof> | null;
  try {
    proof = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as Partial<Proof> | null;
  } catch {
    return undefined;
  }
  const parameters: unknown = proof?.challenge?.parameters;
  const whole = typeof parameters === 'object' && parameters !== null && typeof proof?.solution === 'object';
  return whole ? (proof as Proof) : undefined;
}

/** Proofs that were used, until they expire anyway. */
function createUsed(now: () => number): { add(id: string, untilMs: number): boolean } {
  const untilOf = new Map<string, number>();
  const forgetExpired = () => {
    for (const [id, untilMs] of untilOf) if (untilMs <= now()) untilOf.delete(id);
  };
  return {
    /** Marks a proof as used; `false` when it was used before. */
    add(id, untilMs) {
      if (untilOf.has(id)) return false;
      if (untilOf.size >= MAX_REMEMBERED) forgetExpired();
      if (untilOf.size >= MAX_REMEMBERED) return false;
      untilOf.set(id, untilMs);
      return true;
    },
  };
}
