// Protovalidate takes 10 to 30 µs for an item, valid or not, and finds all violations of all items. In a list of ten thousands
// that is seconds, for an answer that has room for a few.

import { type DescField, type DescMessage, getOption, type Message } from '@bufbuild/protobuf';
import { field as fieldOption, Ignore } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { hasCompiledRules, satisfiesCompiledRules } from './compiled-rules.ts';
import type { FieldViolation } from './early-violations.ts';

const LONG = 64;

/**
 * Finds violations in the items of long lists of messages, one after the other. `findIn` finds those of an item, and is asked only
 * about one that breaks its compiled rules.
 */
export function* violationsOfLongLists(
  schema: DescMessage,
  message: Message,
  findIn: (schema: DescMessage, item: Message) => readonly FieldViolation[],
): Generator<FieldViolation> {
  for (const { field, items, nested } of partsOf(schema, message)) {
    const inner = field.message as DescMessage;
    if (nested !== undefined) yield* within(field.name, violationsOfLongLists(inner, nested, findIn));
    for (const [at, item] of items?.entries() ?? [])
      if (!satisfiesCompiledRules(inner, item)) yield* within(`${field.name}[${at}]`, findIn(inner, item));
  }
}

/** Copies a message with the first item only of each long list of messages, for when these have no violations. */
export function withoutLongLists(schema: DescMessage, message: Message): Message {
  const shorter: Record<string, unknown> = {};
  for (const { field, items, nested } of partsOf(schema, message))
    shorter[field.localName] =
      nested === undefined ? items?.slice(0, 1) : withoutLongLists(field.message as DescMessage, nested);
  const copy = Object.create(Object.getPrototypeOf(message) as object | null) as Message;
  return Object.assign(copy, message, shorter);
}

interface Part {
  readonly field: DescField;
  /** Items of a long list. */
  readonly items?: readonly Message[];
  /** Message in the message. */
  readonly nested?: Message;
}

/** Long lists of a message and messages that may have some. None where a rule of the message itself may read them. */
function* partsOf(schema: DescMessage, message: Message): Generator<Part> {
  if (!hasCompiledRules(schema)) return;
  for (const field of schema.fields) {
    if (field.message === undefined || field.oneof !== undefined) continue;
    const value = (message as unknown as Readonly<Record<string, unknown>>)[field.localName];
    if (field.fieldKind === 'message' && hasCompiledRules(field.message)) {
      if (value !== undefined) yield { field, nested: value as Message };
    } else if (
      field.fieldKind === 'list' &&
      Array.isArray(value) &&
      value.length > LONG &&
      hasPlainItems(field, value.length)
    )
      yield { field, items: value as Message[] };
  }
}

/** A list whose items count, and that is not above its own bound, which is left to protovalidate. */
function hasPlainItems(field: DescField, length: number): boolean {
  const { type, ignore } = getOption(field, fieldOption);
  const rules = type.case === 'repeated' ? type.value : undefined;
  if (ignore === Ignore.ALWAYS || rules?.items?.ignore === Ignore.ALWAYS) return false;
  return length <= Number(rules?.maxItems || Infinity);
}

function* within(path: string, violations: Iterable<FieldViolation>): Generator<FieldViolation> {
  for (const violation of violations) yield { ...violation, field: `${path}.${violation.field}` };
}
