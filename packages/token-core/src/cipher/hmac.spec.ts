import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { createMessageAuthenticator } from './hmac.ts';

// RFC 4231 section 4: the cases whose key is no longer than a block, which is all that is offered here.
const RFC_4231 = [
  {
    section: '4.2',
    key: '0b'.repeat(20),
    data: Buffer.from('Hi There').toString('hex'),
    mac: 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  },
  {
    section: '4.3',
    key: Buffer.from('Jefe').toString('hex'),
    data: Buffer.from('what do ya want for nothing?').toString('hex'),
    mac: '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  },
  {
    section: '4.4',
    key: 'aa'.repeat(20),
    data: 'dd'.repeat(50),
    mac: '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  },
  {
    section: '4.5',
    key: '0102030405060708090a0b0c0d0e0f10111213141516171819',
    data: 'cd'.repeat(50),
    mac: '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  },
];

describe('createMessageAuthenticator', () => {
  it.each(RFC_4231)('gives the MAC of RFC 4231 section $section', ({ key, data, mac }) => {
    const authenticator = createMessageAuthenticator(Buffer.from(key, 'hex'), 64);
    expect(authenticator.sign(authenticator.message.write(data, 'hex'))).toBe(mac);
  });

  it('agrees with createHmac at every length, also when a longer message was signed before', () => {
    const key = Buffer.from('test-key-of-exactly-32-letters!!');
    const authenticator = createMessageAuthenticator(key, 300);
    for (let length = 300; length >= 0; length--) {
      const message = 'm'.repeat(length);
      const mac = createHmac('sha256', key).update(message).digest('hex');
      expect(authenticator.sign(authenticator.message.write(message))).toBe(mac);
    }
  });

  it('refuses a key longer than a hash block, which would have to be hashed first', () => {
    expect(() => createMessageAuthenticator(Buffer.alloc(65), 16)).toThrow(TypeError);
  });

  it('leaves no trace of the key when destroyed', () => {
    const authenticator = createMessageAuthenticator(Buffer.from('secret'), 16);
    const buffer = Buffer.from(authenticator.message.buffer);
    expect(buffer.every((byte) => byte === 0)).toBe(false);
    authenticator.destroy();
    expect(buffer.every((byte) => byte === 0)).toBe(true);
  });
});
