// Writes third_party/proto/buf/validate/validate.proto from the descriptor inside @bufbuild/protovalidate: no npm
// package ships the file itself, and this way the rules that buf compiles are those that the run time evaluates.
// The text is compiled back with buf before it is written; unless both descriptors are equal, nothing is written.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRegistry, equals, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { file_buf_validate_validate as validate } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { printFile } from './print-proto.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const path = 'buf/validate/validate.proto';
const registry = createRegistry(validate);

const header = `// Copyright 2023-2026 Buf Technologies, Inc.
//
// Licensed under the Apache License, Version 2.0 (the "License");
// you may not use this file except in compliance with the License.
// You may obtain a copy of the License at
//
//      http://www.apache.org/licenses/LICENSE-2.0
//
// Unless required by applicable law or agreed to in writing, software
// distributed under the License is distributed on an "AS IS" BASIS,
// WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
// See the License for the specific language governing permissions and
// limitations under the License.

// Printed by tools/proto-vendor from the descriptor in @bufbuild/protovalidate ${packageVersion()}. Do not edit.

`;

const source = header + printFile(toJson(FileDescriptorProtoSchema, validate.proto, { registry }));
assertSameDescriptor(source);
const target = join(root, 'third_party', 'proto', path);
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, source);

function assertSameDescriptor(text) {
  const scratch = mkdtempSync(join(tmpdir(), 'proto-vendor-'));
  try {
    const file = join(scratch, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    writeFileSync(join(scratch, 'buf.yaml'), 'version: v2\n');
    const buf = join(root, 'node_modules', '.bin', 'buf');
    const args = ['build', '--exclude-source-info', '--as-file-descriptor-set', '-o', 'set.binpb'];
    execFileSync(buf, args, { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] });
    const set = fromBinary(FileDescriptorSetSchema, readFileSync(join(scratch, 'set.binpb')));
    const compiled = set.file.find((candidate) => candidate.name === path);
    if (
      !compiled ||
      !equals(FileDescriptorProtoSchema, compiled, validate.proto, {
        registry,
        extensions: true,
        unknown: true,
      })
    ) {
      throw new Error(`${path} compiles to another descriptor than the one it was printed from`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function packageVersion() {
  const manifest = join(root, 'node_modules', '@bufbuild', 'protovalidate', 'package.json');
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}
