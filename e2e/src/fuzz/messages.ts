import { create, type DescField, type DescMessage, ScalarType, toBinary } from '@bufbuild/protobuf';
import type { Random } from './random.ts';

/** Texts of requests: names of the service under test, and others that it does not expect. */
const TEXTS = [
  '',
  'd',
  'r',
  'b@x.example',
  '*@x.example',
  'sip:b@x.example',
  '00',
  'a'.repeat(64),
  'ff'.repeat(100),
  '\u0000',
  '\ud83d\ude00',
  '../../etc/passwd',
  "'; DROP TABLE ledger; --",
  'constructor',
  'eyJhbGciOiJub25lIn0.e30.',
  '019a0000-0000-7000-8000-000000000000',
];

const MAX_DEPTH = 6;

/** A message of a type with random fields, encoded. */
export function randomMessage(random: Random, desc: DescMessage): Buffer {
  return Buffer.from(toBinary(desc, create(desc, fieldsOf(random, desc, 0))));
}

function fieldsOf(random: Random, desc: DescMessage, depth: number): Record<string, unknown> {
  const init: Record<string, unknown> = {};
  for (const field of desc.fields) {
    if (!random.chance(0.7)) continue;
    const value =
      field.fieldKind === 'list'
        ? Array.from({ length: random.below(3) }, () => valueOf(random, field, depth))
        : valueOf(random, field, depth);
    if (field.oneof === undefined) init[field.localName] = value;
    else init[field.oneof.localName] = { case: field.localName, value };
  }
  return init;
}

function valueOf(random: Random, field: DescField, depth: number): unknown {
  if (field.fieldKind === 'map') return {};
  if (field.message !== undefined) return depth < MAX_DEPTH ? fieldsOf(random, field.message, depth + 1) : {};
  if (field.enum !== undefined) return random.below(6);
  return field.scalar === undefined ? 0 : (SCALARS[field.scalar] ?? anyNumber)(random);
}

const anyNumber = (random: Random) => random.pick([0, 1, 2, 60, 500, 2 ** 31 - 1]);
const anyLong = (random: Random) => random.pick([0n, 1n, 60n, 2n ** 32n, 2n ** 53n, 2n ** 62n]);

const SCALARS: Partial<Record<ScalarType, (random: Random) => unknown>> = {
  [ScalarType.BOOL]: (random) => random.chance(0.5),
  [ScalarType.STRING]: (random) => random.pick(TEXTS),
  [ScalarType.BYTES]: (random) => random.bytes(random.below(40)),
  [ScalarType.UINT64]: anyLong,
  [ScalarType.INT64]: anyLong,
};
