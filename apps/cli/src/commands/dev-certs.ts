import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Authority, LeafOptions } from '@callpass/dev-certificates';
import { describeFault } from '@callpass/program';
import { wrongUse } from '../failure.ts';
import { writeWholeFile } from '../ledger/whole-file.ts';
import type { Output } from '../output.ts';
import type { RunCommand } from '../run-command.ts';

interface DevCertsOptions {
  readonly out: string;
  readonly name: readonly string[];
  readonly force?: true;
  readonly keepAuthority?: true;
  readonly renew?: string;
}

const LOCAL_NAMES = ['localhost', '127.0.0.1', '::1'];

const ISSUER = '{ role: ISSUER, destinations: ["*"] }';
const VALIDATOR = '{ role: VALIDATOR, realms: ["*"] }';

/** The clients that get a certificate: one for each way in which a certificate names its bearer, with what it may do. */
const CLIENTS = [
  { file: 'operator', kind: 'spiffeId', value: 'spiffe://callpass.example/operator', grants: [] },
  { file: 'edge', kind: 'dnsName', value: 'edge.callpass.example', grants: [ISSUER] },
  { file: 'service', kind: 'commonName', value: 'service', grants: [ISSUER, VALIDATOR] },
] as const;

type DevClient = (typeof CLIENTS)[number];

const AUTHORITY_FILE = 'ca.crt';
const AUTHORITY_KEY_FILE = 'ca.key';
const SERVER = 'server';

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
    .option(
      '--keep-authority',
      `keep the key of the authority as ${AUTHORITY_KEY_FILE}, so that it can renew`,
    )
    .addOption(
      new Option('--renew <party>', 'renew only the certificate of one, with the kept authority').choices([
        SERVER,
        ...CLIENTS.map(({ file }) => file),
      ]),
    )
    .action((options: DevCertsOptions, command: Command) =>
      run.offline(command, ({ output }) =>
        options.renew === undefined
          ? makeCertificates(options, output)
          : renewCertificate(options, options.renew, output),
      ),
    );
}

async function renewCertificate(
  { out, name }: DevCertsOptions,
  party: string,
  output: Output,
): Promise<void> {
  const folder = resolve(out);
  const { openAuthority } = await import('@callpass/dev-certificates');
  const read = (file: string) =>
    readFile(join(folder, file), 'utf8').catch(() => {
      throw wrongUse(`${join(folder, file)} is not there: make the certificates with --keep-authority`);
    });
  const authority = await openAuthority({
    cert: await read(AUTHORITY_FILE),
    key: await read(AUTHORITY_KEY_FILE),
  });
  await writePair(authority, writerTo(folder), party, leafOfParty(party, name));
  const renewed = join(folder, `${party}.crt`);
  output.answer({ renewed }, (print) => {
    print.line(`renewed ${renewed}: server and clients take it within 5 s, without a restart`);
  });
}

const writerTo = (folder: string) => (file: string, content: string) =>
  writeWholeFile(join(folder, file), (append) => append(Buffer.from(content)));

function leafOfParty(party: string, names: readonly string[]): LeafOptions {
  const client = CLIENTS.find(({ file }) => file === party);
  return client === undefined ? { names: [...LOCAL_NAMES, ...names], use: 'server' } : leafOf(client);
}

async function makeCertificates(options: DevCertsOptions, output: Output): Promise<void> {
  const folder = resolve(options.out);
  const pairs = [SERVER, ...CLIENTS.map(({ file }) => file)];
  const files = [
    AUTHORITY_FILE,
    ...(options.keepAuthority ? [AUTHORITY_KEY_FILE] : []),
    ...pairs.flatMap((name) => [`${name}.crt`, `${name}.key`]),
  ];
  const present = files.find((file) => existsSync(join(folder, file)));
  if (present !== undefined && !options.force)
    throw wrongUse(
      `${join(folder, present)} is there already: give --force to write over it, or another --out`,
    );

  const { createAuthority } = await import('@callpass/dev-certificates');
  const authority = await createAuthority();
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw wrongUse(`cannot make ${folder}: ${describeFault(error)}`);
  });
  const write = writerTo(folder);
  await write(AUTHORITY_FILE, authority.cert);
  if (options.keepAuthority) await write(AUTHORITY_KEY_FILE, await authority.exportKey());
  for (const party of pairs) await writePair(authority, write, party, leafOfParty(party, options.name));
  report(folder, output);
  output.note(
    options.keepAuthority
      ? `they are for trying out: valid for 30 days; whoever has ${AUTHORITY_KEY_FILE} can make others`
      : 'they are for trying out: valid for 30 days, and the key of the authority is thrown away',
  );
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
  const [operator, ...granted] = CLIENTS;
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
    for (const { file, kind, value, grants } of granted)
      print.line(
        `  - { name: ${file}, identities: [{ ${kind}: "${value}" }], grants: [${grants.join(', ')}] }`,
      );
    print.line('');
    print.line('# the command line as the operator');
    print.line(
      `export CALLPASS_CA=${at(AUTHORITY_FILE)} CALLPASS_CERT=${at('operator.crt')} CALLPASS_KEY=${at('operator.key')}`,
    );
  });
}
