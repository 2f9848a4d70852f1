import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { runInProcess } from '../testing/run-in-process.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callpass-dev-certs-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const run = (...args: string[]) => runInProcess(['dev-certs', '--out', folder, ...args]);
const certificate = (name: string) => new X509Certificate(readFileSync(join(folder, `${name}.crt`)));

describe('dev-certs', () => {
  it('makes an authority, a server and a client for each kind of name, with keys for their owner only', async () => {
    expect((await run('--name', 'callpass.test', '--name', '10.1.2.3')).exitCode).toBe(0);
    const ca = certificate('ca');
    for (const name of ['server', 'operator', 'edge', 'service']) {
      const { publicKey } = ca;
      expect(certificate(name).verify(publicKey)).toBe(true);
      const key = createPrivateKey(readFileSync(join(folder, `${name}.key`)));
      expect(certificate(name).checkPrivateKey(key)).toBe(true);
      expect(statSync(join(folder, `${name}.key`)).mode & 0o777).toBe(0o600);
    }
    expect(certificate('server').subjectAltName).toBe(
      'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:callpass.test, IP Address:10.1.2.3',
    );
    expect(certificate('operator').subjectAltName).toBe('URI:spiffe://callpass.example/operator');
    expect(certificate('edge').subjectAltName).toBe('DNS:edge.callpass.example');
    expect(certificate('service').subject).toBe('CN=service');
    expect(readdirSync(folder)).not.toContain('ca.key');
  });

  it('says how to use them, for people and for scripts', async () => {
    const { stdout } = await run();
    expect(stdout).toContain(`clientCaFile: ${join(folder, 'ca.crt')}`);
    expect(stdout).toContain('spiffeId: "spiffe://callpass.example/operator"');
    expect(stdout).toContain(`CALLPASS_KEY=${join(folder, 'operator.key')}`);
    const { stdout: json } = await run('--force', '--output', 'json');
    expect(JSON.parse(json)).toMatchObject({
      tls: { certFile: join(folder, 'server.crt') },
      clients: [{ identity: { spiffeId: 'spiffe://callpass.example/operator' } }, {}, {}],
    });
    expect(stdout + json).not.toContain('PRIVATE');
  });

  it('renews one certificate with an authority that it kept', async () => {
    await run('--keep-authority');
    expect(statSync(join(folder, 'ca.key')).mode & 0o777).toBe(0o600);
    const [ca, edge, service] = ['ca', 'edge', 'service'].map(certificate);
    const { exitCode, stdout } = await run('--renew', 'edge');
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringContaining('edge.crt') });
    const renewed = certificate('edge');
    expect(renewed.serialNumber).not.toBe(edge?.serialNumber);
    expect(renewed.subjectAltName).toBe(edge?.subjectAltName);
    expect(ca !== undefined && renewed.verify(ca.publicKey)).toBe(true);
    expect(certificate('service').serialNumber).toBe(service?.serialNumber);
  });

  it('says what renewing needs', async () => {
    await run();
    const { exitCode, stderr } = await run('--renew', 'edge');
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringContaining('--keep-authority'),
    });
  });

  it('does not write over anything without --force', async () => {
    writeFileSync(join(folder, 'edge.key'), 'mine');
    const refused = await run();
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('edge.key is there already');
    expect(readdirSync(folder)).toEqual(['edge.key']);
    expect((await run('--force')).exitCode).toBe(0);
    expect(readFileSync(join(folder, 'edge.key'), 'utf8')).toContain('PRIVATE KEY');
  });

  it('says which file cannot be written', async () => {
    const inTheWay = join(folder, 'file');
    writeFileSync(inTheWay, '');
    const { exitCode, stderr } = await run('--out', join(inTheWay, 'certs'));
    expect(exitCode).toBe(2);
    expect(stderr).toContain(
      `cannot make ${join(inTheWay, 'certs')}: a part of its path is no folder; check the path`,
    );
  });
});
