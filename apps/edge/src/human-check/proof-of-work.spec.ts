import { afterEach, describe, expect, it } from '@jest/globals';
import { solveChallenge, type Challenge } from 'altcha-lib';
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2';
import { startTestEdge, type TestEdge } from '../testing/test-edge.ts';
import { createProofOfWork } from './proof-of-work.ts';

const SECRET = 'p'.repeat(32);
let edge: TestEdge;
afterEach(() => edge.app.close());

const start = async (options: { now?: () => number; secret?: string } = {}) => {
  edge = await startTestEdge({ humanCheck: createProofOfWork({ secret: SECRET, cost: 1, ...options }) });
  return edge;
};

/** Solves a challenge, as the widget in a browser does. */
async function prove(change: (challenge: Challenge) => Challenge = (same) => same): Promise<string> {
  const challenge = change((await edge.send({ url: '/v1/human-check' })).json<Challenge>());
  const solution = await solveChallenge({ challenge, deriveKey });
  return Buffer.from(JSON.stringify({ challenge, solution })).toString('base64');
}

const withProof = async (proof: string) => {
  const answer = await edge.issue({ 'callpass-human-check': proof });
  return { status: answer.statusCode, reason: answer.json<{ reason?: string }>().reason };
};
const refused = { status: 403, reason: 'HUMAN_CHECK_REQUIRED' };

describe('the proof of work', () => {
  it('is asked for, with where to get it, and nothing is issued before', async () => {
    const { issue, send, client } = await start();
    const answer = await issue();
    expect(answer.json()).toMatchObject({ ...refused, challenge: '/v1/human-check' });
    expect((await send({ url: '/callparameters?destination=support' })).json()).toMatchObject(refused);
    expect(client.calls).toEqual([]);
  });

  it('lets a browser in that has worked for it, once', async () => {
    await start();
    const proof = await prove();
    expect(await withProof(proof)).toEqual({ status: 200, reason: undefined });
    expect(await withProof(proof)).toEqual(refused);
  });

  it('is good once even when it is sent twice at the same time, or written differently', async () => {
    await start();
    const proof = await prove();
    const shouted = JSON.parse(Buffer.from(proof, 'base64').toString()) as { challenge: Challenge };
    shouted.challenge.signature = shouted.challenge.signature?.toUpperCase() ?? '';
    const again = Buffer.from(JSON.stringify(shouted)).toString('base64');
    const answers = await Promise.all([withProof(proof), withProof(proof), withProof(again)]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('cannot be made easier, longer lived, or by somebody else', async () => {
    await start();
    const easier = await prove((given) => ({
      ...given,
      parameters: { ...given.parameters, keyPrefix: '0' },
    }));
    expect(await withProof(easier)).toEqual(refused);
    const longer = await prove((given) => ({
      ...given,
      parameters: { ...given.parameters, expiresAt: 2 ** 40 },
    }));
    expect(await withProof(longer)).toEqual(refused);
    await edge.app.close();
    await start({ secret: 'x'.repeat(32) });
    const foreign = await prove();
    await edge.app.close();
    await start();
    expect(await withProof(foreign)).toEqual(refused);
  });

  it('expires', async () => {
    await start({ now: () => Date.now() - 600_000 });
    expect(await withProof(await prove())).toEqual(refused);
  });

  it.each([
    '',
    'rubbish',
    'bnVsbA==',
    Buffer.from('{"challenge":{},"solution":1}').toString('base64'),
    'A'.repeat(5000),
  ])('is not %.20s', async (proof) => {
    await start();
    expect(await withProof(proof)).toEqual(refused);
  });

  it('needs a secret that is one', async () => {
    await start();
    expect(() => createProofOfWork({ secret: 'short' })).toThrow(/32 characters/);
  });
});
