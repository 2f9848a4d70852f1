import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun } from '@callpass/testkit';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startWithDevCerts, type DevCertsServer } from './dev-certs.ts';
import { ROOT, run } from './processes.ts';

const PAGE = readFileSync(join(ROOT, 'docs/guides/other-languages.md'), 'utf8');

/** The only block of the page in a language. */
function block(language: string): string {
  const [found, ...others] = [
    ...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm')),
  ];
  if (found?.[1] === undefined || others.length > 0)
    throw new Error(`the page should have one block in ${language}`);
  return found[1];
}

/** The commands of a language's section, for the tools of Debian. */
function commands(heading: string): string {
  const section = PAGE.slice(PAGE.indexOf(`\n## ${heading}\n`));
  return /```sh\n([\s\S]*?)```/.exec(section)?.[1] ?? '';
}

/** Go compiles its library of gRPC here, which takes some 40 s of processor time. */
const GO_BUILD_MS = 240_000;

/** The limit is low, so that each program meets it: each has a destination of its own. */
const DESTINATIONS = ['python', 'go', 'loader', 'nest'];
const LIMIT = 'limits: [{ per: CLIENT, max: 5, window: 600s }]';
const DOCUMENT = `
realms: [{ name: support.example, cipher: AES_128_ECB, tokenLifetime: 600s }]
destinations:
${DESTINATIONS.map((id) => `  - { id: ${id}, realm: support.example, account: a@x.example, callees: [b@x.example], ${LIMIT} }`).join('\n')}
clients:
  - name: service
    identities: [{ commonName: service }]
    grants:
      - { role: ISSUER, destinations: ['*'] }
      - { role: VALIDATOR, realms: ['*'] }
`;

let server: DevCertsServer;
let folder: string;
beforeAll(async () => {
  server = await startWithDevCerts();
  folder = mkdtempSync(join(tmpdir(), 'callpass-e2e-languages-'));
  for (const [args, input] of [
    [['config', 'apply', '-f', '-'], DOCUMENT],
    [['key', 'add', 'support.example', '--generate']],
    [['key', 'activate', 'support.example', '1']],
  ] as const)
    expect(await server.callpass(args, server.as('operator'), input)).toMatchObject({ code: 0 });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const written = await run('node', [join(ROOT, 'tools/protos/release.mjs'), folder]);
  expect(written).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Environment of a program of the page. System tools come first: what Debian packages belongs to Debian's interpreters. */
const environment = () => ({
  ...server.as('service'),
  CALLPASS_ADDRESS: server.address.replace('127.0.0.1', 'localhost'),
  PATH: `/usr/bin:${process.env.PATH}`,
});

/** Runs commands of the page where the protos are. */
async function shell(script: string, env: NodeJS.ProcessEnv = {}): Promise<string[]> {
  const done = await run('sh', ['-euc', `cd '${folder}'\n${script}`], { env: { ...environment(), ...env } });
  expect(done).toMatchObject({ code: 0, stderr: '' });
  return done.stdout.trim().split('\n');
}

/** `it` where the machine has the tools; see `canRun`. */
function itWith(tools: readonly string[], name: string, body: () => Promise<void>, timeoutMs?: number): void {
  const missing = tools.filter((tool) => spawnSync('sh', ['-c', tool]).status !== 0);
  const runs = canRun(missing.length === 0, `this fails: ${missing.join(', ')}`, name);
  (runs ? it : it.skip)(name, body, timeoutMs);
}
const PROTOC = ['protoc --version'];
const PYTHON = [...PROTOC, 'which grpc_python_plugin', '/usr/bin/python3 -c "import grpc"'];
const GO = [
  ...PROTOC,
  'go version',
  'which protoc-gen-go-grpc',
  'ls /usr/share/gocode/src/google.golang.org/grpc',
];

itWith(PROTOC, 'the protos compile in both flavours, with protoc and with buf', async () => {
  for (const flavour of ['plain', 'rules']) {
    await shell(`cd ${flavour}; protoc -I . --descriptor_set_out=../set.binpb $(find . -name '*.proto')`);
    await shell(`'${join(ROOT, 'node_modules/.bin/buf')}' build ${flavour} -o set.binpb`);
  }
});

it('the flavours differ in their options only: messages, fields and numbers are those of the contract', async () => {
  const described = async (input: string) => {
    const done = await run('buf', [
      'build',
      input,
      '--path',
      join(input, 'callpass'),
      '-o',
      '-#format=json',
      '--exclude-source-info',
      '--exclude-imports',
    ]);
    const { file } = JSON.parse(done.stdout) as { file: { name: string }[] };
    return Object.fromEntries(file.map((each) => [each.name, withoutOptions(each)]));
  };
  const contract = await described('proto');
  const { 'callpass/v1/field_rules.proto': _rules, ...plain } = contract;
  expect(await described(join(folder, 'rules'))).toEqual(contract);
  expect(await described(join(folder, 'plain'))).toEqual(plain);
});

itWith(PYTHON, 'Python calls the service as printed', async () => {
  writeFileSync(join(folder, 'call.py'), block('python'));
  const lines = await shell(commands('Python').replace('call.py support', 'call.py python'));
  expect(lines).toEqual([
    'issued b@x.example support.example',
    "batch ['response', 'response']",
    'verdict MALFORMED',
    expect.stringMatching(
      /^refused {"code": "RESOURCE_EXHAUSTED", "reason": "LIMIT_EXCEEDED", "wait": [1-9]/,
    ),
    'health SERVING',
    'cancelled CANCELLED',
    'services True',
  ]);
});

itWith(
  GO,
  'Go calls the service as printed',
  async () => {
    // Debian's libraries are laid out for the time before modules.
    const source = join(folder, 'go/src/callpass');
    mkdirSync(source, { recursive: true });
    writeFileSync(join(source, 'main.go'), block('go'));
    cpSync(join(folder, 'plain'), join(source, 'plain'), { recursive: true });
    const script = commands('Go').replace('go run . support', 'go run . go');
    const lines = await shell(`cd go/src/callpass\n${script}`, {
      ...{ GO111MODULE: 'off', GOPATH: `${join(folder, 'go')}:/usr/share/gocode`, GOFLAGS: '' },
      GOCACHE: join(folder, 'go-cache'),
    });
    expect(lines).toEqual([
      'issued b@x.example support.example',
      ...['batch true', 'batch true'],
      'verdict MALFORMED',
      'refused ResourceExhausted LIMIT_EXCEEDED true',
      'health SERVING',
      'cancelled Canceled',
    ]);
  },
  GO_BUILD_MS,
);

it('proto-loader calls the service as printed', async () => {
  writeFileSync(join(folder, 'call.mjs'), block('js'));
  const lines = await shell(`'${process.execPath}' call.mjs loader`);
  expect(lines).toEqual([
    'issued b@x.example support.example',
    'batch response response',
    'verdict MALFORMED',
    expect.stringMatching(/^refused {"code":8,"reason":"LIMIT_EXCEEDED","wait":[1-9]/),
    'health SERVING',
    'cancelled 1',
  ]);
});

it('a NestJS application calls the service with the plain protos', async () => {
  writeFileSync(
    join(folder, 'nest.mjs'),
    `import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { credentials } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';

const read = (name) => readFileSync(process.env[name]);
const tls = credentials.createSsl(read('CALLPASS_CA'), read('CALLPASS_KEY'), read('CALLPASS_CERT'));
class App {}
Module({ imports: [${block('ts').trim().replace(/;$/, '')}] })(App);
const app = await NestFactory.createApplicationContext(App, { logger: false });
const service = app.get('CALLPASS').getService('CredentialService');
const issued = await firstValueFrom(service.issueCredentials({ destination: 'nest', requestId: crypto.randomUUID() }));
console.log('issued', issued.callee, issued.timeLimited.realm);
await app.close();
process.exit(0);
`,
  );
  expect(await shell(`'${process.execPath}' nest.mjs`)).toEqual(['issued b@x.example support.example']);
});

interface Described {
  readonly options?: unknown;
  readonly dependency?: unknown;
  readonly [member: string]: unknown;
}

/** A descriptor without the options of it and of all that is in it, and without imports that only options need. */
function withoutOptions(described: unknown): unknown {
  if (Array.isArray(described)) return described.map(withoutOptions);
  if (typeof described !== 'object' || described === null) return described;
  const {
    options: _options,
    dependency: _dependency,
    extension: _extension,
    ...rest
  } = described as Described;
  return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, withoutOptions(value)]));
}
