import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  isFieldSet,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import { FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  type EnumRules,
  EnumRulesSchema,
  field as fieldOption,
  type FieldRules,
  Ignore,
  message as messageOption,
  type StringRules,
  StringRulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';

/** Whether a text matches a pattern of the contract. */
export type MatchPattern = (pattern: string, text: string) => boolean;

/** Says yes to a value that keeps its rules for certain; no says nothing. */
type Check<T> = (value: T) => boolean;

/**
 * What a rule of a string asks, where that is told in a moment. A UTF-16 unit is at most three bytes of UTF-8, and two of
 * them are at least one character, so lengths need no counting; the few texts in between get a no.
 */
const STRING_RULES: Partial<
  Record<keyof StringRules, (rules: StringRules, matches: MatchPattern) => Check<string>>
> = {
  minLen: ({ minLen }) => {
    const units = 2 * Number(minLen) - 1;
    return (text) => text.length >= units;
  },
  maxLen: ({ maxLen }) => {
    const units = Number(maxLen);
    return (text) => text.length <= units;
  },
  minBytes: ({ minBytes }) => {
    const units = Number(minBytes);
    return (text) => text.length >= units;
  },
  maxBytes: ({ maxBytes }) => {
    const units = Math.floor(Number(maxBytes) / 3);
    return (text) => text.length <= units;
  },
  pattern:
    ({ pattern }, matches) =>
    (text) =>
      matches(pattern, text),
};

/**
 * A quick yes for nearly all valid messages of a type whose rules are of the plain sort: single strings with bounds and
 * patterns, enums that must be defined, and fields without rules. It says yes only where protovalidate would find no fault,
 * and a no is for protovalidate to look into.
 *
 * The rules are read where protovalidate reads them. Gives undefined for a type with anything else in it: rules of the
 * message, CEL, oneofs, lists, maps, messages inside, fields whose presence is tracked.
 */
export function compilePlainRules(schema: DescMessage, matches: MatchPattern): Check<Message> | undefined {
  if (hasOption(schema, messageOption) || schema.oneofs.length > 0) return undefined;
  const checks: (readonly [name: string, check: Check<unknown>])[] = [];
  for (const field of schema.fields) {
    if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) return undefined;
    if (field.fieldKind !== 'scalar' && field.fieldKind !== 'enum') return undefined;
    if (!hasOption(field, fieldOption)) continue;
    const check = compileField(field, getOption(field, fieldOption), matches);
    if (check === undefined) return undefined;
    checks.push([field.localName, check]);
  }
  return (message) => {
    const values = message as unknown as Readonly<Record<string, unknown>>;
    for (const [name, check] of checks) if (!check(values[name])) return false;
    return true;
  };
}

function compileField(
  field: DescField,
  rules: FieldRules,
  matches: MatchPattern,
): Check<unknown> | undefined {
  if (rules.$unknown || rules.required || rules.cel.length > 0 || rules.celExpression.length > 0)
    return undefined;
  const check = compileRules(field, rules, matches);
  switch (rules.ignore) {
    case Ignore.ALWAYS:
      return () => true;
    case Ignore.IF_ZERO_VALUE:
      // Without a check of its own it says yes to nothing else.
      return (value) => value === '' || (check?.(value) ?? false);
    case Ignore.UNSPECIFIED:
      return check;
    default:
      return undefined;
  }
}

function compileRules(
  field: DescField,
  { type }: FieldRules,
  matches: MatchPattern,
): Check<unknown> | undefined {
  if (type.case === undefined) return () => true;
  if (type.case === 'string' && field.scalar === ScalarType.STRING) {
    return compileString(type.value, matches) as Check<unknown> | undefined;
  }
  if (type.case === 'enum' && field.fieldKind === 'enum' && onlyDefined(type.value)) {
    return isDefined(field.enum) as Check<unknown>;
  }
  return undefined;
}

function compileString(rules: StringRules, matches: MatchPattern): Check<string> | undefined {
  const checks: Check<string>[] = [];
  for (const rule of StringRulesSchema.fields) {
    if (!isFieldSet(rules, rule)) continue;
    const make = STRING_RULES[rule.localName as keyof StringRules];
    if (make === undefined) return undefined;
    checks.push(make(rules, matches));
  }
  return rules.$unknown ? undefined : (text) => checks.every((check) => check(text));
}

function onlyDefined(rules: EnumRules): boolean {
  const set = EnumRulesSchema.fields.filter((rule) => isFieldSet(rules, rule));
  return !rules.$unknown && set.length === 1 && set[0] === EnumRulesSchema.field.definedOnly;
}

function isDefined({ value }: DescEnum): Check<number> {
  return (number) => value[number] !== undefined;
}
