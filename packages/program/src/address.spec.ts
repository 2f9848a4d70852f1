import { expect, it } from '@jest/globals';
import { isHostAndPort, splitHostAndPort, withPort } from './address.ts';

it.each([
  ['127.0.0.1:80', '127.0.0.1', 80],
  ['[::1]:0', '::1', 0],
  ['host.example:50051', 'host.example', 50_051],
])('%s has a host and a port', (address, host, port) => {
  expect(isHostAndPort(address)).toBe(true);
  expect(splitHostAndPort(address)).toEqual({ host, port });
});

it.each([
  'host',
  '::1:80',
  'dns:///host:80',
  'unix:/run/x',
  'host:123456',
  'host:65536',
  '[::1]:99999',
  'a b:80',
])('%s is something else', (text) => {
  expect(isHostAndPort(text)).toBe(false);
});

it('gets another port, and keeps its brackets', () => {
  expect(withPort('[::1]:0', 8080)).toBe('[::1]:8080');
});
