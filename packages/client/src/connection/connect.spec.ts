import { describe, expect, it } from '@jest/globals';
import { connect, type ConnectOptions } from './connect.ts';
import { isLoopback } from './loopback.ts';

const open = (options: ConnectOptions) => connect(options).close();

describe('connect', () => {
  it.each([
    '127.0.0.1:50051',
    '127.8.9.10:1',
    'localhost:50051',
    'LOCALHOST:1',
    '[::1]:50051',
    '::1',
    'dns:///localhost:1',
    'dns:localhost:1',
    'ipv4:127.0.0.1:1,127.0.0.2:1',
    'ipv6:[::1]:1',
    'unix:/run/callpass.sock',
  ])('takes %s for this machine', (address) => {
    expect(isLoopback(address)).toBe(true);
    expect(() => open({ address })).not.toThrow();
  });

  it.each([
    'callpass:50051',
    '10.0.0.1:50051',
    '0.0.0.0:50051',
    'localhost.evil.example:1',
    '127.0.0.1.evil.example:1',
    'dns:///callpass:50051',
    'dns://8.8.8.8/localhost:1',
    'ipv4:127.0.0.1:1,10.0.0.1:1',
    '[fe80::1]:1',
    '',
  ])('refuses plain text to %j', (address) => {
    expect(isLoopback(address)).toBe(false);
    expect(() => open({ address })).toThrow(/plain text/);
  });

  it('connects anywhere with TLS', () => {
    expect(() => open({ address: 'dns:///callpass.example:443', tls: {} })).not.toThrow();
  });

  it('connects in plain text where the name of what encrypts is given, and only there', () => {
    const address = 'dns:///callpass.example:50051';
    expect(() => open({ address, plaintextEncryptedBy: 'linkerd' })).not.toThrow();
    expect(() => open({ address, plaintextEncryptedBy: '' })).toThrow(/plain text/);
    expect(() => open({ address, plaintextEncryptedBy: 'linkerd', tls: {} })).toThrow(/only one of/);
  });

  it.each([
    ['localhost:0', /^0 is no port; give host:port/],
    ['127.0.0.1:99999', /^99999 is no port; give host:port/],
    ['[::1]:65536', /^65536 is no port/],
    ['dns:///localhost:70000', /^70000 is no port/],
    ['ipv4:127.0.0.1:1,127.0.0.2:70000', /^70000 is no port/],
  ])('refuses the port of %s, and says what to write', (address, message) => {
    expect(() => open({ address, tls: {} })).toThrow(message);
    expect(() => open({ address, tls: {} })).toThrow(TypeError);
  });

  it('refuses an address without a host', () => {
    expect(() => open({ address: ':50051', tls: {} })).toThrow('the address has no host; give host:port');
  });

  it('refuses half a client certificate', () => {
    expect(() => open({ address: 'callpass:1', tls: { cert: 'c' } })).toThrow(/go together/);
  });

  it('refuses a token that cannot be a header, without quoting it', () => {
    const token = 'canary secret\n';
    expect(() => open({ address: 'localhost:1', token })).toThrow(
      /^token must be printable ASCII without spaces$/,
    );
  });

  it.each([0, -1, Number.NaN, Infinity])(
    'refuses %p as a time limit: a deadline always',
    (defaultTimeoutMs) => {
      expect(() => open({ address: 'localhost:1', defaultTimeoutMs })).toThrow(RangeError);
    },
  );
});
