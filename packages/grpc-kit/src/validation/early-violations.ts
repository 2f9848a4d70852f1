import { type DescField, type DescMessage, getOption } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { field as fieldOption, Ignore } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** Path of a field as protovalidate writes it, for example `configuration.destinations[1].id`, and what its rule demands. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** Finds the violations of an encoded message. */
export type FindViolations = (schema: DescMessage, bytes: Uint8Array) => readonly FieldViolation[];

/** Messages up to this size have few items and fields, however small those are. */
const SMALL_BYTES = 32 * 1024;
/**
 * Fields without effect: unknown ones, and all but the last of a field that is no list. A client of a newer version may send some
 * with each item. Many more take as long to decode as fields with an effect.
 */
const MAX_WITHOUT_EFFECT = 100_000;

interface Field {
  readonly name: string;
  readonly isList: boolean;
  /** Infinity without a rule. */
  readonly maxItems: number;
  /** Message of the field; undefined for another type. */
  readonly message: DescMessage | undefined;
  /** Its items have rules that count. */
  readonly hasItemRules: boolean;
  /** A message without it breaks rules. */
  readonly isDemanded: boolean;
}

interface Fields {
  readonly byNumber: ReadonlyMap<number, Field>;
  /** Numbers of those that are demanded. */
  readonly demanded: readonly number[];
}

const fieldsOfMessage = new WeakMap<DescMessage, Fields>();

/**
 * Finds what is wrong with an encoded message before it is decoded as a whole: a list above its rule `max_items`, too many fields
 * without effect, or items that lack a field, until there are `enough` violations; `findIn` finds those of an item. Decoded at
 * once, each empty item of two bytes would become an object of a hundred bytes and more, and some violations.
 */
export function findEarlyViolations(
  schema: DescMessage,
  bytes: Uint8Array,
  findIn: FindViolations,
  enough: number,
): readonly FieldViolation[] {
  if (bytes.length <= SMALL_BYTES) return [];
  const walk = new Walk(bytes, findIn, enough);
  try {
    walk.message(schema, bytes.length, false);
  } catch (error) {
    // Bytes that are no message are reported where they are decoded.
    if (!(error instanceof Enough)) return [];
  }
  return walk.found;
}

/** Ends a walk that need not go on. */
class Enough extends Error {}

class Walk {
  found: FieldViolation[] = [];
  readonly #bytes: Uint8Array;
  readonly #reader: BinaryReader;
  readonly #findIn: FindViolations;
  readonly #enough: number;
  /** Fields that the present message is in, each with the number of its item. */
  readonly #path: (readonly [field: Field, count: number])[] = [];
  #withoutEffect = 0;
  /** A message that was walked lately lacks a field. */
  #lacks = false;

  constructor(bytes: Uint8Array, findIn: FindViolations, enough: number) {
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
    this.#findIn = findIn;
    this.#enough = enough;
  }

  /** Walks to the end of a message, which may be an item whose rules are looked at, or within one. */
  message(schema: DescMessage, end: number, inItem: boolean): void {
    const reader = this.#reader;
    const { byNumber, demanded } = fieldsOf(schema);
    const counts = new Map<number, number>();
    while (reader.pos < end) {
      const [number, wireType] = reader.tag();
      const field = byNumber.get(number);
      const count = (counts.get(number) ?? 0) + 1;
      counts.set(number, count);
      if (field === undefined || (count > 1 && !field.isList)) this.#countWithoutEffect();
      if (wireType === WireType.StartGroup) this.#group(number);
      else if (field === undefined || wireType !== WireType.LengthDelimited) reader.skip(wireType, number);
      else this.#field(field, count, end, inItem);
    }
    for (const number of demanded) if (!counts.has(number)) this.#lacks = true;
  }

  #field(field: Field, count: number, end: number, inItem: boolean): void {
    const reader = this.#reader;
    const { name, maxItems, message, isList, hasItemRules, isDemanded } = field;
    if (count > maxItems)
      this.#end({ field: this.#pathTo(name), description: `must contain no more than ${maxItems} items` });
    const length = reader.uint32();
    const start = reader.pos;
    if (start + length > end) throw new RangeError('a field is longer than its message');
    if (message === undefined) {
      // An empty text counts as none.
      if (isDemanded && !isList && length === 0) this.#lacks = true;
    } else {
      const isItem = isList && hasItemRules && !inItem;
      this.#path.push([field, count]);
      if (isItem) this.#lacks = false;
      this.message(message, start + length, inItem || isItem);
      if (isItem && this.#lacks) this.#checkItem(message, this.#bytes.subarray(start, start + length));
      this.#path.pop();
    }
    reader.pos = start + length;
  }

  /** Walks through a group, which no field of a proto3 message is. */
  #group(number: number): void {
    const reader = this.#reader;
    for (;;) {
      const [inner, wireType] = reader.tag();
      if (wireType === WireType.EndGroup && inner === number) return;
      this.#countWithoutEffect();
      if (wireType === WireType.StartGroup) this.#group(inner);
      else reader.skip(wireType, inner);
    }
  }

  #checkItem(schema: DescMessage, item: Uint8Array): void {
    for (const { field, description } of this.#findIn(schema, item)) {
      this.found.push({ field: this.#pathTo(field), description });
      if (this.found.length === this.#enough) throw new Enough();
    }
  }

  #countWithoutEffect(): void {
    if (++this.#withoutEffect <= MAX_WITHOUT_EFFECT) return;
    const description = `must contain no more than ${MAX_WITHOUT_EFFECT} fields that are unknown or sent again`;
    this.#end({ field: this.#pathTo(''), description });
  }

  #end(violation: FieldViolation): never {
    this.found = [violation];
    throw new Enough();
  }

  #pathTo(name: string): string {
    const path = this.#path.map(([field, count]) =>
      field.isList ? `${field.name}[${count - 1}]` : field.name,
    );
    return [...path, ...(name === '' ? [] : [name])].join('.');
  }
}

function fieldsOf(schema: DescMessage): Fields {
  let fields = fieldsOfMessage.get(schema);
  if (fields === undefined) {
    const byNumber = new Map(schema.fields.map((field) => [field.number, describe(field)]));
    const demanded = [...byNumber].filter(([, { isDemanded }]) => isDemanded).map(([number]) => number);
    fields = { byNumber, demanded };
    fieldsOfMessage.set(schema, fields);
  }
  return fields;
}

function describe(field: DescField): Field {
  const { type } = getOption(field, fieldOption);
  const repeated = type.case === 'repeated' ? type.value : undefined;
  return {
    name: field.name,
    isList: field.fieldKind === 'list' || field.fieldKind === 'map',
    maxItems: Number(repeated?.maxItems || Infinity),
    message: field.fieldKind === 'map' ? undefined : field.message,
    hasItemRules: repeated?.items?.ignore !== Ignore.ALWAYS,
    isDemanded: demands(field),
  };
}

function demands(field: DescField): boolean {
  const { required, ignore, type } = getOption(field, fieldOption);
  if (ignore !== Ignore.UNSPECIFIED || field.oneof !== undefined) return false;
  return (
    required ||
    (type.case === 'string' && type.value.minLen > 0n) ||
    (type.case === 'repeated' && type.value.minItems > 0n) ||
    (type.case === 'enum' && type.value.notIn.includes(0))
  );
}
