// Builds the click-to-call page if it is missing or older than its sources. To run it by hand: `node apps/sandbox/page/build.mjs`.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'vite';

const SOURCE = import.meta.dirname;
const STAMP = '.built-from';

/** Folder of the built page, which has static files only. */
export const PAGE_FOLDER = join(SOURCE, '..', 'dist', 'page');

/** Builds the page, unless `PAGE_FOLDER` was built from the same sources. Returns the folder. */
export async function buildPage() {
  const stamp = join(PAGE_FOLDER, STAMP);
  const sources = pageSourcesHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return PAGE_FOLDER;
  await build({
    configFile: false,
    root: SOURCE,
    base: './',
    logLevel: 'warn',
    publicDir: false,
    build: {
      outDir: PAGE_FOLDER,
      emptyOutDir: true,
      target: 'es2022',
      modulePreload: { polyfill: false },
      assetsInlineLimit: 0,
    },
  });
  // The vendor's file is copied unchanged, so that the vendor's integrity hash in index.html matches.
  copyFileSync(
    createRequire(import.meta.url).resolve('@kandy-io/callme-sdk'),
    join(PAGE_FOLDER, 'callme-sdk.js'),
  );
  writeFileSync(stamp, sources);
  return PAGE_FOLDER;
}

/** SHA-256 of the page's sources. */
export function pageSourcesHash() {
  const hash = createHash('sha256');
  const files = globSync(['index.html', 'build.mjs', 'src/**/*'], { cwd: SOURCE });
  // The helper that the page is built with.
  files.push('../../../packages/client/src/browser/index.ts');
  for (const file of files.filter((name) => /\.(html|mjs|ts|css|svg)$/.test(name)).sort()) {
    if (!file.endsWith('.spec.ts')) hash.update(`${file}\0`).update(readFileSync(join(SOURCE, file)));
  }
  return hash.digest('hex');
}

if (import.meta.main) await buildPage();
