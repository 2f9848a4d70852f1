// `npm run image -- --out FOLDER [--target server|edge|cli]`: images as OCI archives, without a container engine. They are made by
// the steps of deploy/docker/Dockerfile. The same commit gives the same digest.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ENV, prepare, ROOT, say } from '../launch/prepare.mjs';

const DOCKERFILE = join(ROOT, 'deploy', 'docker', 'Dockerfile');
const TARGETS = ['server', 'edge', 'cli'];
/** Folder of the images that their user writes to; everything else belongs to root. */
const OWNERS = { '/var/lib/callpass': 65532 };

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'artifacts/images' },
    target: { type: 'string', multiple: true, default: TARGETS },
  },
});
const out = resolve(process.env.INIT_CWD ?? process.cwd(), values.out);
mkdirSync(out, { recursive: true });
await prepare();
// Installed by the step above.
const { targetOf } = await import('./dockerfile.mjs');
const { layerOf, writeArchive } = await import('./oci-archive.mjs');
const { billOf } = await import('./sbom.mjs');

/** Layers by what they copy: the system is the same in all images. */
const made = new Map();

const build = mkdtempSync(join(tmpdir(), 'callpass-image-build-'));
try {
  const node = text('node', '-p', 'process.execPath');
  text('sh', 'deploy/docker/system.sh', node, join(build, 'system'));
  for (const target of values.target) {
    text('node', 'deploy/docker/assemble.mjs', target, join(build, 'apps', target));
    await writeImage(target);
  }
} finally {
  rmSync(build, { recursive: true, force: true });
}

async function writeImage(target) {
  const { config, copies } = targetOf(DOCKERFILE, target);
  const layers = [];
  for (const copy of copies) layers.push(await layerFor(copy));
  const version = text('node', '-p', "require('./package.json').version");
  const revision = text('git', 'rev-parse', 'HEAD');
  const created = text('git', 'show', '-s', '--format=%cI', 'HEAD');
  const name = `callpass-${target}`;
  const { digest, unpackedBytes } = await writeArchive(join(out, `${name}.oci.tar`), {
    ...{ layers, config, name: version, created },
    labels: {
      'org.opencontainers.image.title': name,
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': revision,
      'org.opencontainers.image.created': created,
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.description': 'Credentials of anonymous WebRTC calls',
    },
    sbom: billOf(join(build, 'apps', target), join(ROOT, 'package-lock.json'), { name, version }),
  });
  process.stdout.write(`${name} ${digest} ${(unpackedBytes / 1e6).toFixed(0)} MB unpacked\n`);
}

async function layerFor({ from, to }) {
  const key = `${from} ${to}`;
  if (!made.has(key)) made.set(key, await layerOf(folderOf(from), parentOf(from, to), OWNERS));
  return made.get(key);
}

/** Folder in which the build stage has what is copied. A single file is laid into a folder of its own. */
function folderOf(from) {
  if (!from.startsWith('/source/')) return join(build, from);
  const folder = mkdtempSync(join(build, 'file-'));
  cpSync(join(ROOT, from.slice('/source/'.length)), join(folder, from.split('/').at(-1)));
  return folder;
}

function parentOf(from, to) {
  return from.startsWith('/source/') ? to.slice(0, to.lastIndexOf('/')) : to;
}

function text(command, ...args) {
  return execFileSync(command, args, { cwd: ROOT, env: ENV, encoding: 'utf8' }).trim();
}
say(`Written to ${out}`);
