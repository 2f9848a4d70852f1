// Writes the released protos: `node tools/protos/release.mjs DIRECTORY`.
//
//   rules/   the contract with the rules of protovalidate, and all that it imports
//   plain/   the same with the rules as comments
//   callpass.binpb   FileDescriptorSet of plain/, for tools that compile nothing
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { FLAVOURS, inFlavour } from './flavours.mjs';

const ROOT = join(import.meta.dirname, '..', '..');
const CONTRACT = 'callpass/v1';

/** Protos of others that a flavour holds: what the contract imports, and the services that the server has besides. */
const SHARED = {
  plain: ['google/rpc/status.proto', 'google/rpc/error_details.proto'],
  rules: ['buf/validate/validate.proto', 'google/rpc/code.proto'],
};
const SERVICES = ['grpc/health/v1/health.proto', 'grpc/reflection/v1/reflection.proto'];

/** Writes the protos of every flavour below `target`. */
export function writeProtos(target) {
  for (const name of Object.keys(FLAVOURS)) {
    const folder = join(target, name);
    for (const entry of readdirSync(join(ROOT, 'proto', CONTRACT)).sort()) {
      const file = `${CONTRACT}/${entry}`;
      const text = inFlavour(file, readFileSync(join(ROOT, 'proto', file), 'utf8'), name);
      if (text !== undefined) write(join(folder, file), text);
    }
    const shared = [...SHARED.plain, ...(name === 'rules' ? SHARED.rules : []), ...SERVICES];
    for (const file of shared) copy(join(ROOT, 'third_party', 'proto', file), join(folder, file));
  }
  write(join(target, 'README.md'), readFileSync(join(import.meta.dirname, 'README.released.md'), 'utf8'));
  copy(join(ROOT, 'LICENSE'), join(target, 'LICENSE'));
  copy(join(ROOT, 'NOTICE'), join(target, 'NOTICE'));
  for (const name of Object.keys(FLAVOURS)) buf('format', '-w', join(target, name, CONTRACT));
  const set = ['--as-file-descriptor-set', '--exclude-source-info', '-o', join(target, 'callpass.binpb')];
  buf('build', join(target, 'plain'), ...set);
}

function buf(...args) {
  execFileSync(join(ROOT, 'node_modules', '.bin', 'buf'), args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
}

if (import.meta.main) {
  const [target] = process.argv.slice(2);
  if (target === undefined) throw new Error('usage: node tools/protos/release.mjs DIRECTORY');
  writeProtos(target);
}
