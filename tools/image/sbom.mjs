// A software bill of materials in CycloneDX 1.6, of the packages that an assembled application holds.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The bill of a folder written by deploy/docker/assemble.mjs; components in the order of their names and versions. */
export function billOf(folder, lockFile, { name, version }) {
  const { packages } = JSON.parse(readFileSync(lockFile, 'utf8'));
  const components = new Map();
  for (const path of readdirSync(folder, { recursive: true })) {
    if (!/(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path)) continue;
    const manifest = JSON.parse(readFileSync(join(folder, path), 'utf8'));
    const locked = packages[path.replace(/\/package\.json$/, '')];
    const purl = `pkg:npm/${manifest.name.replace('@', '%40')}@${manifest.version}`;
    components.set(purl, {
      type: 'library',
      'bom-ref': purl,
      name: manifest.name,
      version: manifest.version,
      purl,
      ...(typeof manifest.license === 'string' && { licenses: [{ expression: manifest.license }] }),
      ...(locked?.integrity && { hashes: [hashOf(locked.integrity)] }),
    });
  }
  const node = process.versions.node;
  components.set('node', {
    type: 'platform',
    'bom-ref': `pkg:generic/node@${node}`,
    name: 'node',
    version: node,
    purl: `pkg:generic/node@${node}`,
  });
  return Buffer.from(
    JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: { component: { type: 'container', 'bom-ref': name, name, version } },
      components: [...components.keys()].sort().map((key) => components.get(key)),
    }),
  );
}

function hashOf(integrity) {
  const [algorithm, base64] = integrity.split('-');
  return { alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(base64, 'base64').toString('hex') };
}
