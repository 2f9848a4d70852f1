import { decryptToken, openRealmKey, type RealmKey } from '@callpass/token-core';
import { describe, expect, it } from '@jest/globals';
import { encryptTogether, type Encrypt } from './encrypt.ts';

const ECB = openRealmKey('AES_128_ECB', 'example-16-bytes');
const CBC = openRealmKey('AES_256_CBC_HMAC_SHA256', 'an-example-key-of-just-32-bytes!');

/** Callee of the tokens that a call gets. */
async function calleeOf(encrypt: Encrypt, key: RealmKey, to: string): Promise<string | undefined> {
  const users = { account: 'a@x.example', from: 'a@x.example', to };
  const { toToken } = await encrypt(key, { users, timestampMs: 1_700_000_000_123, unit: 'MILLISECONDS' });
  return decryptToken(key, toToken)?.user;
}

describe('encryptTogether', () => {
  it('gives each call its own tokens, of its own key, in this turn and in the next', async () => {
    const encrypt = encryptTogether();
    for (let turn = 0; turn < 2; turn++) {
      const asked = Array.from(
        { length: 100 },
        (_, index) => [index % 3 ? ECB : CBC, `b${index}@x`] as const,
      );
      const callees = await Promise.all(asked.map(([key, to]) => calleeOf(encrypt, key, to)));
      expect(callees).toEqual(asked.map(([, to]) => `sip:${to}`));
    }
  });

  it('fails a call that cannot be encrypted, or whose key is gone, and no other', async () => {
    const encrypt = encryptTogether();
    const gone = openRealmKey('AES_128_ECB', 'another-16-bytes');
    gone.destroy();
    const settled = await Promise.allSettled([
      calleeOf(encrypt, ECB, 'first@x'),
      calleeOf(encrypt, ECB, 'a;b@x'),
      calleeOf(encrypt, gone, 'gone@x'),
      calleeOf(encrypt, ECB, 'last@x'),
    ]);
    expect(settled).toEqual([
      { status: 'fulfilled', value: 'sip:first@x' },
      { status: 'rejected', reason: expect.objectContaining({ code: 'USER_INVALID' }) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'KEY_DESTROYED' }) },
      { status: 'fulfilled', value: 'sip:last@x' },
    ]);
  });
});
