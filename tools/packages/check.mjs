// What is published installs and resolves everywhere: publint, are-the-types-wrong, and the rules of docs/decisions/0007.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { PUBLISHED } from './published.mjs';
import { stageAll, stagedManifest } from './stage.mjs';

/** Files that tell about this machine, or have no use without others that are not there. */
const NEVER_SHIPPED = /\.map$|\.tsbuildinfo$|\.spec\.|\.npmrc$|\.env/;
/** Most bytes of a file for browsers, packed by gzip. */
const MOST_BROWSER_BYTES = 2048;
const EXACT_OR_RANGE = /^(\^|>=)?\d+\.\d+\.\d+( <\d+\.\d+\.\d+)?$|^>=\d+$/;

/** The problems of the packages, as one text; `undefined` where there is none. Stages them anew. */
export async function checkPackages() {
  const folders = await stageAll();
  const out = mkdtempSync(join(tmpdir(), 'callpass-packages-'));
  try {
    const problems = await Promise.all(
      folders.map((folder, index) => problemsOf(folder, PUBLISHED[index], out)),
    );
    const all = problems.flat();
    return all.length === 0 ? undefined : all.join('\n');
  } finally {
    rmSync(out, { recursive: true });
  }
}

async function problemsOf(folder, row, out) {
  const manifest = stagedManifest(folder);
  const packed = JSON.parse(
    execFileSync('npm', ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', out], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
  const [{ filename, files }] = Object.values(packed);
  const lint = await publint({ pkgDir: folder, strict: true, pack: false });
  const problems = [
    ...lint.messages.map((message) => formatMessage(message, lint.pkg)),
    ...manifestProblems(
      manifest,
      files.map(({ path }) => path),
    ),
    ...Object.keys(row.browser ?? {}).flatMap((name) => sizeProblems(join(folder, 'dist', `${name}.mjs`))),
    ...(row.library ? await typeProblems(join(out, filename)) : []),
  ];
  return problems.map((problem) => `${manifest.name}: ${problem}`);
}

function manifestProblems({ private: isPrivate, dependencies = {} }, paths) {
  return [
    ...(isPrivate ? ['is private'] : []),
    ...Object.entries(dependencies)
      .filter(([name, version]) => name.startsWith('@callpass/') || !EXACT_OR_RANGE.test(version))
      .map(([name, version]) => `depends on ${name} ${version}`),
    ...paths.filter((path) => NEVER_SHIPPED.test(path)).map((path) => `ships ${path}`),
    ...['LICENSE', 'NOTICE', 'README.md']
      .filter((path) => !paths.includes(path))
      .map((path) => `has no ${path}`),
  ];
}

/** Problems of the size of a file that pages load. */
function sizeProblems(file) {
  const bytes = gzipSync(readFileSync(file)).length;
  return bytes <= MOST_BROWSER_BYTES ? [] : [`${file} has ${bytes} bytes, packed by gzip`];
}

/** Node 10's way of resolving knows no `exports`, and no Node that is supported uses it. */
async function typeProblems(tarball) {
  const { types, problems = [] } = await checkPackage(
    createPackageFromTarballData(new Uint8Array(readFileSync(tarball))),
  );
  if (!types) return ['has no types'];
  return problems
    .filter(({ resolutionKind }) => resolutionKind !== 'node10')
    .map(
      ({ kind, entrypoint = '', resolutionKind = '' }) => `types: ${kind} ${entrypoint} ${resolutionKind}`,
    );
}
