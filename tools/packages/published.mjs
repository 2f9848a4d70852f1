// The packages that are published, and what their tarballs hold.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../launch/prepare.mjs';

/** Node lines that the packages run on. */
export const ENGINES = { node: '>=22.15' };

/** The descriptor of the validation rules. It needs nothing else of its package. */
const RULES = /\/@bufbuild\/protovalidate\/dist\/(esm|cjs)\/gen\//;

/**
 * A row for each published package. `library`, `browser` and `program` map the names of its files to the built modules that they
 * come from: a library is made for `import` and `require`, with types; so is what is for a browser, without anything of Node; a
 * program is ES modules. `data` are files that it reads and others may import. `inside` says which packages of others are part of the files, instead of being installed beside them.
 * `ranges` are versions of what an application has too and should have once; all others are exact.
 */
export const PUBLISHED = [
  { folder: 'packages/token-core', library: { index: 'dist/index' } },
  {
    folder: 'packages/client',
    library: { index: 'dist/index', testing: 'dist/testing/index' },
    browser: { browser: 'dist/browser/index' },
    // grpc-js would bring 34 packages that a client never runs.
    inside: [RULES, /\/@grpc\/grpc-js\//, /\/@js-sdsl\/ordered-map\//],
    // Only servers of channelz and of load reports ask for it, which a client is not.
    absent: ['@grpc/proto-loader'],
    ranges: { '@bufbuild/protobuf': '^2.17.0', '@opentelemetry/api': '^1.9.0' },
  },
  {
    folder: 'apps/edge',
    library: { index: 'dist/index' },
    program: {
      'keep-tick-shape': 'dist/keep-tick-shape',
      telemetry: 'dist/telemetry',
      main: 'dist/main',
    },
    data: ['openapi.json'],
    // cookie is for import only.
    inside: [RULES, /^\/cookie\//],
    ranges: { '@opentelemetry/api': '>=1.9.0 <1.11.0', fastify: '^5.12.8' },
  },
  { folder: 'apps/cli', program: { main: 'dist/main' }, inside: [RULES] },
  {
    folder: 'apps/server',
    program: {
      'keep-tick-shape': 'dist/keep-tick-shape',
      main: 'dist/main',
      'store-thread': '../../packages/storage/dist/thread/store-thread',
    },
  },
].map((row) => ({ inside: [], absent: [], ...row, manifest: manifestOf(row.folder) }));

/** The `package.json` of a folder of the workspace. */
export function manifestOf(folder) {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
}
