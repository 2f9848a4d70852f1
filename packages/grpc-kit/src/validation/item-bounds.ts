import { type DescField, type DescMessage, getOption } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { field as fieldOption } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** List that has more items than its rule `max_items` allows. */
export interface ExceededItems {
  /** Path as protovalidate writes it, for example `configuration.destinations`. */
  readonly field: string;
  readonly maxItems: number;
}

/** Messages up to this size have few items, however small those are. */
const SMALL_BYTES = 32 * 1024;

interface Bound {
  readonly name: string;
  readonly maxItems: number;
  /** Bounds within the message of the field; undefined for another type. */
  readonly inner: Bounds | undefined;
}

/** Bounds by field number, of the fields that have one or contain one. */
type Bounds = ReadonlyMap<number, Bound>;

const boundsOfMessage = new WeakMap<DescMessage, Bounds>();

/**
 * Finds a list of an encoded message above its rule `max_items`, without decoding the message: each empty item of two bytes
 * would become an object of a hundred bytes and more, and a violation.
 */
export function findExceededItems(desc: DescMessage, bytes: Uint8Array): ExceededItems | undefined {
  if (bytes.length <= SMALL_BYTES) return undefined;
  try {
    return walk(new BinaryReader(bytes), bytes.length, boundsOf(desc));
  } catch {
    // Bytes that are no message are reported where they are decoded.
    return undefined;
  }
}

function walk(reader: BinaryReader, end: number, bounds: Bounds): ExceededItems | undefined {
  const counts = new Map<number, number>();
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    const bound = wireType === WireType.LengthDelimited ? bounds.get(number) : undefined;
    if (bound === undefined) {
      reader.skip(wireType, number);
      continue;
    }
    const { name, maxItems, inner } = bound;
    const count = (counts.get(number) ?? 0) + 1;
    if (count > maxItems) return { field: name, maxItems };
    counts.set(number, count);
    const itemEnd = reader.uint32() + reader.pos;
    if (itemEnd > end) return undefined;
    const found = inner && walk(reader, itemEnd, inner);
    if (found) return { ...found, field: `${pathOf(bound, count)}.${found.field}` };
    reader.pos = itemEnd;
  }
  return undefined;
}

function pathOf({ name, maxItems }: Bound, count: number): string {
  return maxItems === Infinity ? name : `${name}[${count - 1}]`;
}

function boundsOf(desc: DescMessage): Bounds {
  let bounds = boundsOfMessage.get(desc);
  if (bounds === undefined) {
    bounds = new Map();
    // A recursive type finds its own bounds here.
    boundsOfMessage.set(desc, bounds);
    for (const field of desc.fields) {
      const inner = field.message && boundsOf(field.message);
      const maxItems = maxItemsOf(field);
      if (maxItems !== Infinity || inner?.size)
        (bounds as Map<number, Bound>).set(field.number, { name: field.name, maxItems, inner });
    }
  }
  return bounds;
}

function maxItemsOf(field: DescField): number {
  const { type } = getOption(field, fieldOption);
  return type.case === 'repeated' && type.value.maxItems > 0n ? Number(type.value.maxItems) : Infinity;
}
