import {
  type DescField,
  type DescMessage,
  getExtension,
  getOption,
  isFieldSet,
  type Message,
} from '@bufbuild/protobuf';
import { type Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import {
  type DurationRules,
  DurationRulesSchema,
  type EnumRules,
  EnumRulesSchema,
  predefined,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
  type UInt32Rules,
  UInt32RulesSchema,
  type UInt64Rules,
  UInt64RulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { patternOf } from './patterns.ts';
import { predefinedRulesOf } from './predefined-rules.ts';

/** Check of a value. True only if protovalidate finds the value valid too; may be false for a valid value. */
export type Check<V = unknown> = (value: V) => boolean;

/** The longest duration, in seconds, that CEL reads from a text: nanoseconds in 64 bits. */
const MAX_CEL_SECONDS = 9_223_372_036n;

/** Check that accepts every value. */
export const PASS: Check = () => true;

/** Compilers of the known rules, by the rule's name. Each returns undefined for a value of the rule that it does not know. */
type Rows<R, V> = Readonly<Record<string, (rules: R, field: DescField) => Check<V> | undefined>>;

const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

// A string of n UTF-16 units has n/2 to n code points and n to 3n bytes of UTF-8, so most lengths need no counting.
const STRING: Rows<StringRules, string> = {
  minLen({ minLen }) {
    const min = Number(minLen);
    return (text) => text.length >= min && (text.length >= 2 * min - 1 || codePoints(text) >= min);
  },
  maxLen({ maxLen }) {
    const max = Number(maxLen);
    return (text) => text.length <= max || (text.length <= 2 * max && codePoints(text) <= max);
  },
  minBytes({ minBytes }) {
    const min = Number(minBytes);
    return (text) => text.length >= min || Buffer.byteLength(text) >= min;
  },
  maxBytes({ maxBytes }) {
    const max = Number(maxBytes);
    return (text) => 3 * text.length <= max || (text.length <= max && Buffer.byteLength(text) <= max);
  },
  pattern({ pattern: source }) {
    const pattern = compilable(source);
    return pattern && ((text) => pattern.test(text));
  },
  prefix:
    ({ prefix }) =>
    (text) =>
      text.startsWith(prefix),
  uuid: ({ wellKnown }) => (wellKnown.value === true ? (text) => UUID.test(text) : undefined),
};

const ENUM: Rows<EnumRules, number> = {
  definedOnly({ definedOnly }, field) {
    if (!definedOnly || field.enum === undefined) return undefined;
    const defined = new Set(field.enum.values.map(({ number }) => number));
    return (value) => defined.has(value);
  },
  notIn:
    ({ notIn }) =>
    (value) =>
      !notIn.includes(value),
};

const UINT32: Rows<UInt32Rules, number> = {
  gte: ({ greaterThan: { case: rule, value: min } }) =>
    rule === 'gte' ? (value) => value >= min : undefined,
  lte: ({ lessThan: { case: rule, value: max } }) => (rule === 'lte' ? (value) => value <= max : undefined),
};

const UINT64: Rows<UInt64Rules, bigint> = {
  gte: ({ greaterThan: { case: rule, value: min } }) =>
    rule === 'gte' ? (value) => value >= min : undefined,
  lte: ({ lessThan: { case: rule, value: max } }) => (rule === 'lte' ? (value) => value <= max : undefined),
};

const DURATION: Rows<DurationRules, Duration> = {
  gte: ({ greaterThan: { case: rule, value: min } }) =>
    rule === 'gte' ? (value) => compareDurations(value, min) >= 0 : undefined,
  lte: ({ lessThan: { case: rule, value: max } }) =>
    rule === 'lte' ? (value) => compareDurations(value, max) <= 0 : undefined,
};

const REPEATED: Rows<RepeatedRules, readonly unknown[]> = {
  minItems({ minItems }) {
    const min = Number(minItems);
    return (list) => list.length >= min;
  },
  maxItems({ maxItems }) {
    const max = Number(maxItems);
    return (list) => list.length <= max;
  },
  // The rules of the items are compiled with the items.
  items: () => PASS,
};

const isString = (value: unknown): value is string => typeof value === 'string';
const isNumber = (value: unknown): value is number => typeof value === 'number';
const isBigint = (value: unknown): value is bigint => typeof value === 'bigint';

// Others, out of the range or with parts of different signs, are left to protovalidate.
const isPlainDuration = (value: unknown): value is Duration => {
  if (typeof value !== 'object' || value === null) return false;
  const { $typeName, seconds, nanos } = value as Partial<Duration>;
  return (
    $typeName === DurationSchema.typeName &&
    typeof seconds === 'bigint' &&
    seconds >= 0n &&
    seconds <= MAX_CEL_SECONDS &&
    Number.isInteger(nanos) &&
    nanos! >= 0 &&
    nanos! < 1_000_000_000
  );
};

/** Compilers by kind, named as in FieldRules. Each compiles the rules of a field, or returns undefined if one is unknown. */
export const KINDS = {
  string: kind(StringRulesSchema, isString, STRING, matching),
  enum: kind(EnumRulesSchema, isNumber, ENUM),
  uint32: kind(UInt32RulesSchema, isNumber, UINT32),
  uint64: kind(UInt64RulesSchema, isBigint, UINT64),
  duration: kind(DurationRulesSchema, isPlainDuration, DURATION, wholeSeconds),
  repeated: kind(RepeatedRulesSchema, (value): value is readonly unknown[] => Array.isArray(value), REPEATED),
};

/** Checks that only these fields are set, and no field that is unknown to this version of the rules' schema. */
export function hasOnly(rules: Message, schema: DescMessage, names: readonly string[]): boolean {
  return (rules.$unknown ?? []).length === 0 && setsOnly(rules, schema, names);
}

function setsOnly(rules: Message, schema: DescMessage, names: readonly string[]): boolean {
  return schema.fields.every((field) => names.includes(field.localName) || !isFieldSet(rules, field));
}

/** Combines checks into one. Undefined if one of them is. */
export function all<V>(checks: readonly (Check<V> | undefined)[]): Check<V> | undefined {
  const asked: Check<V>[] = [];
  for (const check of checks) {
    if (check === undefined) return undefined;
    if (check !== PASS) asked.push(check);
  }
  const [only = PASS, ...others] = asked;
  if (others.length === 0) return only;
  return (value) => {
    for (const check of asked) if (!check(value)) return false;
    return true;
  };
}

function kind<R extends Message, V>(
  schema: DescMessage,
  isValue: (value: unknown) => value is V,
  rows: Rows<R, V>,
  predefinedRow: (expression: string) => Check<V> | undefined = () => undefined,
) {
  const names = Object.keys(rows);
  return (rules: Message, field: DescField): Check | undefined => {
    if (!setsOnly(rules, schema, names)) return undefined;
    const set = schema.fields.filter((rule) => isFieldSet(rules, rule));
    const check = all([
      ...set.map(({ localName }) => rows[localName]?.(rules as R, field)),
      ...predefinedExpressions(rules, field).map((expression) =>
        expression === undefined ? undefined : predefinedRow(expression),
      ),
    ]);
    return check && ((value) => isValue(value) && check(value));
  };
}

/** CEL expressions of the predefined rules that are set. Undefined in place of one that is unknown or not set to true. */
function predefinedExpressions(rules: Message, field: DescField): (string | undefined)[] {
  const known = predefinedRulesOf(field.parent.file);
  return (rules.$unknown ?? []).flatMap(({ no }) => {
    const rule = known.find(({ number, extendee }) => number === no && extendee.typeName === rules.$typeName);
    if (rule === undefined || getExtension(rules, rule) !== true) return [undefined];
    return getOption(rule, predefined).cel.map(({ expression }) => expression);
  });
}

/** Compiles a predefined rule that is a pattern, written in this form. */
function matching(expression: string): Check<string> | undefined {
  const [, source] = /^!rule \|\| this\.matches\(r'([^']*)'\)$/.exec(expression) ?? [];
  const pattern = source === undefined ? undefined : compilable(source);
  return pattern && ((text) => pattern.test(text));
}

/** Compiles a predefined rule that demands whole seconds, alone or as an alternative to others. */
function wholeSeconds(expression: string): Check<Duration> | undefined {
  if (
    !/^!rule \|\|(?: .* \|\|)? this == duration\(string\(this\.getSeconds\(\)\) \+ 's'\)$/.test(expression)
  ) {
    return undefined;
  }
  return ({ nanos }) => nanos === 0;
}

function compareDurations(a: Duration, b: Duration): number {
  return a.seconds === b.seconds ? a.nanos - b.nanos : a.seconds < b.seconds ? -1 : 1;
}

/** Compiles a pattern, or returns undefined for an invalid one, which protovalidate reports. */
function compilable(source: string): RegExp | undefined {
  try {
    return patternOf(source);
  } catch {
    return undefined;
  }
}

function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
