import { cpSync, globSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { run, ROOT, startServerProcess, type ServerProcess } from './processes.ts';
import { provision } from './provision.ts';
import { startRegistry, type Registry } from './registry.ts';

/**
 * The published packages as somebody uses them who has nothing of this repository: installed from a registry into empty folders, by
 * npm with everything and by pnpm with the client.
 */
const LIMIT_MS = 600_000;
/** The oldest Node that is promised, the pinned one and a newer. */
const LINES = ['22.15.0', '24.21.0', '26.10.0'] as const;
const PINNED = LINES[1];
const PLATFORM = `node-${process.platform}-${process.arch}`;
/** TypeScript's ways of resolving a package. */
const RESOLUTIONS = [
  ['--module', 'node16'],
  ['--module', 'nodenext'],
  ['--module', 'preserve', '--moduleResolution', 'bundler'],
];

let registry: Registry;
let npmFolder: string;
let pnpmFolder: string;
/** Has the client from its tarball, and nothing else of ours. */
let aloneFolder: string;

/** An empty folder with the stranger's files, in which packages come from the registry of the test. */
function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'callpass-stranger-'));
  writeFileSync(join(folder, '.npmrc'), registry.npmrc);
  return filled(folder, 'e2e/stranger/packages');
}

function filled(folder: string, files: string): string {
  writeFileSync(join(folder, 'package.json'), '{ "name": "stranger", "private": true }');
  cpSync(join(ROOT, files), folder, { recursive: true });
  return folder;
}

async function done(command: string, args: readonly string[], options: Parameters<typeof run>[2] = {}) {
  const outcome = await run(command, args, options);
  if (outcome.code !== 0) throw new Error(`${command} ${args.join(' ')}: ${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout.trim();
}

/** Folder of a line's Node, in what npm has installed. */
const binOf = (line: (typeof LINES)[number]) =>
  line === PINNED ? dirname(process.execPath) : join(npmFolder, `node_modules/node-${line}/bin`);

beforeAll(async () => {
  const tarballs = mkdtempSync(join(tmpdir(), 'callpass-tarballs-'));
  await done('node', ['tools/packages/pack.mjs', '--out', tarballs]);
  registry = await startRegistry();
  npmFolder = emptyFolder();
  pnpmFolder = emptyFolder();
  aloneFolder = filled(mkdtempSync(join(tmpdir(), 'callpass-alone-')), 'e2e/stranger/client');
  const [clientTarball = ''] = globSync(join(tarballs, 'callpass-client-*.tgz'));
  const others = LINES.filter((line) => line !== PINNED).map(
    (line) => `node-${line}@npm:${PLATFORM}@${line}`,
  );
  const ours = readdirSync(join(ROOT, 'artifacts/packages')).map((name) => `@callpass/${name}`);
  await Promise.all([
    done(
      'npm',
      [
        'install',
        '--prefer-offline',
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        ...ours,
        'fastify@5',
        ...others,
      ],
      {
        cwd: npmFolder,
      },
    ),
    done(
      'npm',
      ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', clientTarball],
      {
        cwd: aloneFolder,
      },
    ),
    done('pnpm', ['add', '--prefer-offline', '@callpass/client', '@callpass/token-core'], {
      cwd: pnpmFolder,
    }),
  ]);
  rmSync(tarballs, { recursive: true });
}, LIMIT_MS);

afterAll(async () => {
  await registry.stop();
  for (const folder of [npmFolder, pnpmFolder, aloneFolder]) rmSync(folder, { recursive: true });
});

describe('what is installed', () => {
  it('has nothing of ours but the five packages', async () => {
    const listed = JSON.parse(await done('npm', ['ls', '--all', '--json'], { cwd: npmFolder })) as object;
    const names = new Set(JSON.stringify(listed).match(/@callpass\/[a-z-]+/g));
    expect([...names].sort()).toEqual(
      ['cli', 'client', 'edge', 'server', 'token-core'].map((name) => `@callpass/${name}`),
    );
  });

  it('is small for the client: at most 25 packages and 12 MB', async () => {
    const packages = readdirSync(join(pnpmFolder, 'node_modules/.pnpm')).filter((name) => name.includes('@'));
    expect(packages.length).toBeLessThanOrEqual(25);
    const [kilobytes] = (await done('du', ['-sk', join(pnpmFolder, 'node_modules')])).split('\t');
    expect(Number(kilobytes)).toBeLessThanOrEqual(12 * 1024);
  });

  it.each(RESOLUTIONS)('has types under %s %s', async (...resolution) => {
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--skipLibCheck', 'false'];
    const target = ['--target', 'es2022', '--types', 'node', '--ignoreConfig', 'issue.mts'];
    cpSync(join(npmFolder, 'issue.ts'), join(npmFolder, 'issue.mts'));
    for (const cwd of [npmFolder, aloneFolder])
      await done('tsc', [...resolution.filter(Boolean), ...strict, ...target], { cwd });
  });
});

describe.each(LINES)('on Node %s,', (line) => {
  let server: ServerProcess | undefined;
  let env: NodeJS.ProcessEnv;
  const node = () => join(binOf(line), 'node');
  const bin = (name: string) => join(npmFolder, 'node_modules/.bin', name);

  beforeAll(async () => {
    server = await startServerProcess({}, [], [node(), bin('callpass-server')]);
    await provision(server.address);
    env = { ADDRESS: server.address, PATH: `${binOf(line)}${delimiter}${process.env['PATH']}` };
  }, LIMIT_MS);
  afterAll(() => server?.stop());

  it('import, require and the plugin issue credentials and know errors', async () => {
    const [imported, required, app, version] = await Promise.all([
      done(node(), ['issue.mjs'], { cwd: npmFolder, env }),
      done(node(), ['issue.cjs'], { cwd: npmFolder, env }),
      done(node(), ['app.mjs'], { cwd: npmFolder, env }),
      done(node(), ['--version'], { env }),
    ]);
    expect(imported).toBe('b@x.example 1 DESTINATION_UNKNOWN LIMIT_EXCEEDED');
    expect(required).toBe('b@x.example 1 true function true');
    expect(app).toBe('200 b@x.example 403 CLIENT_NOT_GRANTED');
    expect(version).toBe(`v${line}`);
  });

  it('npx callpass and npx callpass-edge run', async () => {
    const [issued, edge] = await Promise.all([
      done('npx', ['callpass', 'issue', 'd', '--address', env['ADDRESS'] ?? '', '--output', 'json'], {
        cwd: npmFolder,
        env,
      }),
      done('npx', ['callpass-edge', '--version'], { cwd: npmFolder, env }),
    ]);
    expect(JSON.parse(issued)).toMatchObject({ callee: 'b@x.example' });
    expect(edge).toMatch(/^\d+\.\d+\.\d+ \([0-9a-f]{12}, /);
  });

  it('a test of Jest with its defaults issues', async () => {
    const jest = join(ROOT, 'node_modules/jest/bin/jest.js');
    await done(node(), [jest, '--rootDir', npmFolder], { cwd: npmFolder, env });
  });

  it('the client from its tarball alone issues: imported, required, in TypeScript and under Jest with its defaults', async () => {
    const cwd = aloneFolder;
    const typed = [
      '--module',
      'nodenext',
      '--target',
      'es2022',
      '--types',
      'node',
      '--ignoreConfig',
      'issue.mts',
    ];
    await done('tsc', [...typed, '--outDir', 'built'], { cwd });
    const files = ['issue.mjs', 'issue.cjs', 'built/issue.mjs'];
    const answers = await Promise.all(files.map((file) => done(node(), [file], { cwd, env })));
    expect(answers).toEqual(files.map(() => 'b@x.example DESTINATION_UNKNOWN'));
    await done(node(), [join(ROOT, 'node_modules/jest/bin/jest.js'), '--rootDir', cwd], { cwd, env });
  });

  it('what pnpm has installed issues too', async () => {
    const answers = await Promise.all(
      ['issue.mjs', 'issue.cjs'].map((file) => done(node(), [file], { cwd: pnpmFolder, env })),
    );
    expect(answers).toEqual([
      'b@x.example 1 DESTINATION_UNKNOWN LIMIT_EXCEEDED',
      'b@x.example 1 true function true',
    ]);
  });
});

it.each(LINES.filter((line) => line !== PINNED))(
  'on Node %s the tests at the boundary of client, command line, edge and server pass',
  async (line) => {
    const jest = [join(ROOT, 'node_modules/jest/bin/jest.js'), '--config', 'e2e/jest.lines.config.mjs'];
    const PATH = `${binOf(line)}${delimiter}${process.env['PATH']}`;
    const env = { PATH };
    const { code, stderr } = await run(join(binOf(line), 'node'), jest, { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining('Test Suites: 8 passed, 8 total')]);
  },
  LIMIT_MS,
);
