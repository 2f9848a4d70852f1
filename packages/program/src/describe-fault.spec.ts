import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { describeFault } from './describe-fault.ts';

const NOT_FOR_PEOPLE = /\b(E[A-Z]{3,}|ERR_\w+|OSSL|routines|errno|syscall|undefined)\b/i;
const WITH_NEXT_STEP = /^[^;]{5,}; .{5,}$/;
const DAMAGED = '-----BEGIN CERTIFICATE-----\nQUJD*\n-----END CERTIFICATE-----\n';
const NO_CERTIFICATE = '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n';

let folder: string;
const place = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-faults-'));
  mkdirSync(place('folder'));
  writeFileSync(place('file'), 'x');
  symlinkSync(place('circle'), place('circle'));
  writeFileSync(place('secret'), 'x');
  chmodSync(place('secret'), 0);
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const FAULTS: [what: string, act: () => unknown][] = [
  ['a file that is not there', () => readFileSync(place('gone'))],
  ['a folder', () => readFileSync(place('folder'))],
  ['a file in a file', () => readFileSync(place('file/inside'))],
  ['a link to itself', () => readFileSync(place('circle'))],
  ['a name that is too long', () => readFileSync(place('x'.repeat(300)))],
  ['a name with U+0000', () => readFileSync(place('a\0b'))],
  ['a file made twice', () => writeFileSync(place('file'), '', { flag: 'wx' })],
  ['a folder made twice', () => mkdirSync(place('folder'))],
  ['a full disk', () => writeFileSync('/dev/full', 'x')],
  ['a certificate that is a word', () => createSecureContext({ cert: 'word', key: 'word' })],
  ['a certificate that is damaged', () => createSecureContext({ cert: DAMAGED })],
  ['a PEM that holds no certificate', () => createSecureContext({ cert: NO_CERTIFICATE })],
  ['a PEM that is cut off', () => createSecureContext({ cert: NO_CERTIFICATE.slice(0, 40) })],
  ['a certificate to read that is a word', () => new X509Certificate('word')],
  ['a key that is a word', () => createPrivateKey('word')],
  // Root may read it.
  ...(process.getuid?.() === 0
    ? []
    : [['a file of another', () => readFileSync(place('secret'))] as [string, () => unknown]]),
];

it.each(FAULTS)('%s is described in plain words, with what to do next', (_what, act) => {
  let text = '';
  try {
    act();
  } catch (error) {
    text = describeFault(error);
  }
  expect(text).toMatch(WITH_NEXT_STEP);
  expect(text).not.toMatch(NOT_FOR_PEOPLE);
});

it('an address that is in use is described in plain words', async () => {
  const one = createServer();
  await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const { port } = one.address() as { port: number };
  const error = await new Promise((resolve) =>
    createServer().once('error', resolve).listen(port, '127.0.0.1'),
  );
  one.close();
  expect(describeFault(error)).toMatch(/^the address is in use; /);
});

it('an error of this project keeps its text', () => {
  expect(describeFault(new Error('its key is too short; make a new one'))).toBe(
    'its key is too short; make a new one',
  );
});
