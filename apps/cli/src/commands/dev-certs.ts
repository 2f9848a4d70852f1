import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Authority, LeafOptions } from '@callpass/dev-certificates';
import { wrongUse } from '../failure.ts';
import { writeWholeFile } from '../ledger/whole-file.ts';
import type { Output } from '../output.ts';
import type { RunCommand } from '../run-command.ts';

interface DevCertsOptions {
  readonly out: string;
  readonly name: readonly string[];
  readonly force?: true;
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

/** The clients that get a certificate: one for each way in which a certificate names its bearer. */
const CLIENTS = [
  { file: 'operator', kind: 'spiffeId', value: 'spiffe://callpass.example/operator' },
  { file: 'edge', kind: 'dnsName', value: 'edge.callpass.example' },
  { file: 'service', kind: 'commonName', value: 'service' },
] as const;

type DevClient = (typeof CLIENTS)[number];

const AUTHORITY_FILE = 'ca.crt';

/** `callpass dev-certs`. */
export function addDevCertsCommand(program: Command, run: RunCommand): void {
  program
    .command('dev-certs')
    .description('make throw-away certificates for trying out TLS: an authority, the server, three clients')
    .option('--out <dir>', 'where the files go', 'dev-certs')
    .option(
      '--name <name>',
      'a DNS name or IP address of the server besides localhost; may be repeated',
      (name: string, before: readonly string[]) => [...before, name],
      [] as readonly string[],
    )
    .option('--force', 'write over files that are there')
    .action((options: DevCertsOptions, command: Command) =>
      run.offline(command, ({ output }) => makeCertificates(options, output)),
    );
}

async function makeCertificates(options: DevCertsOptions, output: Output): Promise<void> {
  const folder = resolve(options.out);
  const pairs = ['server', ...CLIENTS.map(({ file }) => file)];
  const files = [AUTHORITY_FILE, ...pairs.flatMap((name) => [`${name}.crt`, `${name}.key`])];
  const present = files.find((file) => existsSync(join(folder, file)));
  if (present !== undefined && !options.force)
    throw wrongUse(
      `${join(folder, present)} is there already: give --force to write over it, or another --out`,
    );

  const { createAuthority } = await import('@callpass/dev-certificates');
  const authority = await createAuthority();
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw wrongUse(`cannot make ${folder}: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`);
  });
  const write = (file: string, content: string) =>
    writeWholeFile(join(folder, file), (append) => append(Buffer.from(content)));
  await write(AUTHORITY_FILE, authority.cert);
  await writePair(authority, write, 'server', { names: [...LOCAL_NAMES, ...options.name], use: 'server' });
  for (const client of CLIENTS) await writePair(authority, write, client.file, leafOf(client));
  report(folder, output);
}

function leafOf({ kind, value }: DevClient): LeafOptions {
  switch (kind) {
    case 'spiffeId':
      return { uris: [value], use: 'client' };
    case 'dnsName':
      return { names: [value], use: 'client' };
    case 'commonName':
      return { commonName: value, use: 'client' };
  }
}

async function writePair(
  authority: Authority,
  write: (file: string, content: string) => Promise<void>,
  name: string,
  leaf: LeafOptions,
): Promise<void> {
  const { cert, key } = await authority.issue(leaf);
  await write(`${name}.crt`, cert);
  await write(`${name}.key`, key);
}

function report(folder: string, output: Output): void {
  const at = (file: string) => join(folder, file);
  const identities = CLIENTS.map(({ file, kind, value }) => ({
    client: file,
    cert: at(`${file}.crt`),
    key: at(`${file}.key`),
    identity: { [kind]: value },
  }));
  const [operator, edge, service] = CLIENTS;
  const tls = { certFile: at('server.crt'), keyFile: at('server.key'), clientCaFile: at(AUTHORITY_FILE) };
  output.answer({ ca: at(AUTHORITY_FILE), tls, clients: identities }, (print) => {
    print.line('# settings of callpass-server (--settings FILE)');
    print.line('tls:');
    for (const [setting, file] of Object.entries(tls)) print.line(`  ${setting}: ${file}`);
    print.line('access:');
    print.line('  operators:');
    print.line(`    - { name: operator, ${operator.kind}: "${operator.value}" }`);
    print.line('');
    print.line('# clients of the configuration document');
    print.line('clients:');
    for (const { file, kind, value } of [edge, service])
      print.line(
        `  - { name: ${file}, identities: [{ ${kind}: "${value}" }], grants: [{ role: ISSUER, destinations: ["*"] }] }`,
      );
    print.line('');
    print.line('# the command line as the operator');
    print.line(
      `export CALLPASS_CA=${at(AUTHORITY_FILE)} CALLPASS_CERT=${at('operator.crt')} CALLPASS_KEY=${at('operator.key')}`,
    );
  });
  output.note('they are for trying out: valid for 30 days, and the key of the authority is thrown away');
}
