// Protovalidate walks a message by reflection, which takes microseconds even for a valid message. Most requests have only a
// few simple kinds of rules. These are compiled here, from the same options that protovalidate reads, to a check that only
// confirms validity. Rules that are not in the tables, and violations, are left to protovalidate.

import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  type Message,
  ScalarType,
} from '@bufbuild/protobuf';
import { DurationSchema, Edition, FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  field as fieldOption,
  type FieldRules,
  FieldRulesSchema,
  Ignore,
  message as messageOption,
  MessageRulesSchema,
  oneof as oneofOption,
  OneofRulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { all, type Check, hasOnly, KINDS, PASS } from './rule-tables.ts';

type Fields = Readonly<Record<string, unknown>>;

const NOT_COMPILED: Check<Message> = () => false;
const compiled = new WeakMap<DescMessage, Check<Message>>();

/**
 * Checks a message with its compiled rules. True only if protovalidate finds the message valid too. False has no meaning:
 * protovalidate has to decide.
 */
export function satisfiesCompiledRules(schema: DescMessage, message: Message): boolean {
  return rulesOf(schema)(message);
}

/**
 * Reports if all rules of a message type could be compiled. For tests of a contract, to pin the requests that must be
 * cheap: rules of other kinds are enforced too, but take microseconds.
 */
export function hasCompiledRules(schema: DescMessage): boolean {
  return rulesOf(schema) !== NOT_COMPILED;
}

function rulesOf(schema: DescMessage): Check<Message> {
  let rules = compiled.get(schema);
  if (rules === undefined) {
    // A recursive type finds this value when it refers to itself, and so is not compiled.
    compiled.set(schema, NOT_COMPILED);
    rules = compileMessage(schema) ?? NOT_COMPILED;
    compiled.set(schema, rules);
  }
  return rules;
}

function compileMessage(schema: DescMessage): Check<Message> | undefined {
  const { file, typeName, oneofs } = schema;
  // Other editions have defaults and required fields; well-known types have representations of their own.
  if (file.edition !== Edition.EDITION_PROTO3) return undefined;
  if (typeName.startsWith('google.protobuf.')) return undefined;
  if (!hasOnly(getOption(schema, messageOption), MessageRulesSchema, [])) return undefined;
  const fields = all([
    ...schema.fields.filter(({ oneof }) => oneof === undefined).map(compileField),
    ...oneofs.map(compileOneof),
  ]);
  return fields && ((message) => message.$typeName === typeName && fields(message));
}

function compileField(field: DescField): Check<Fields> | undefined {
  const rules = getOption(field, fieldOption);
  const check =
    field.fieldKind === 'list' ? compileList(field, rules) : compileValue(field, rules, ['required']);
  if (check === undefined) return undefined;
  if (rules.ignore === Ignore.ALWAYS || (check === PASS && !rules.required)) return PASS;

  const { localName: name } = field;
  if (field.presence !== FeatureSet_FieldPresence.IMPLICIT) {
    // As in protobuf-es, a field is present if it is a property of the message itself, not of its prototype, and not undefined.
    if (rules.required) {
      return (message) => Object.hasOwn(message, name) && message[name] !== undefined && check(message[name]);
    }
    return (message) => message[name] === undefined || check(message[name]);
  }
  if (!rules.required && rules.ignore !== Ignore.IF_ZERO_VALUE) return (message) => check(message[name]);
  const isZero = zeroOf(field);
  // Without a check of its own, a value of a wrong type could count as present here and as zero for protobuf-es.
  if (isZero === undefined || check === PASS) return undefined;
  if (rules.required) return (message) => !isZero(message[name]) && check(message[name]);
  return (message) => isZero(message[name]) || check(message[name]);
}

function compileOneof(oneof: DescOneof): Check<Fields> | undefined {
  const rules = getOption(oneof, oneofOption);
  if (!hasOnly(rules, OneofRulesSchema, ['required'])) return undefined;
  const cases = new Map<unknown, Check>();
  for (const field of oneof.fields) {
    const check = compileValue(field, getOption(field, fieldOption), []);
    if (check === undefined || getOption(field, fieldOption).ignore !== Ignore.UNSPECIFIED) return undefined;
    cases.set(field.localName, check);
  }
  const { localName: name } = oneof;
  return (message) => {
    const chosen = message[name];
    if (typeof chosen !== 'object' || chosen === null) return false;
    const { case: member, value } = chosen as { case?: unknown; value?: unknown };
    if (member === undefined) return !rules.required;
    return cases.get(member)?.(value) ?? false;
  };
}

function compileList(field: DescField & { fieldKind: 'list' }, rules: FieldRules): Check | undefined {
  if (!hasOnly(rules, FieldRulesSchema, ['ignore', 'required', 'repeated'])) return undefined;
  const repeated = rules.type.case === 'repeated' ? rules.type.value : undefined;
  const items = repeated?.items;
  const list = repeated ? KINDS.repeated(repeated, field) : PASS;
  const item = compileValue(field, items, []);
  if (item === undefined || items?.ignore === Ignore.IF_ZERO_VALUE) return undefined;
  if (item === PASS || items?.ignore === Ignore.ALWAYS) return list;
  return all([
    list,
    (values) => {
      if (!Array.isArray(values)) return false;
      for (const value of values) if (!item(value)) return false;
      return true;
    },
  ]);
}

/** Compiles the check of a field's value, or of each item of a list. `others`: rules that may be set besides. */
function compileValue(field: DescField, rules: FieldRules | undefined, others: string[]): Check | undefined {
  const kind = kindOf(field);
  const known = kind === undefined ? others : [kind, ...others];
  if (rules && !hasOnly(rules, FieldRulesSchema, ['ignore', ...known])) return undefined;
  if (field.fieldKind === 'map') return undefined;
  if (field.message !== undefined && kind === undefined) {
    const nested = rulesOf(field.message);
    if (nested === NOT_COMPILED) return undefined;
    return (value) => typeof value === 'object' && value !== null && nested(value as Message);
  }
  return kind !== undefined && rules?.type.value !== undefined ? KINDS[kind](rules.type.value, field) : PASS;
}

function kindOf(field: DescField): 'string' | 'enum' | 'uint32' | 'uint64' | 'duration' | undefined {
  if (field.enum !== undefined) return 'enum';
  if (field.message?.typeName === DurationSchema.typeName) return 'duration';
  if (field.scalar === ScalarType.STRING) return 'string';
  if (field.scalar === ScalarType.UINT64) return 'uint64';
  return field.scalar === ScalarType.UINT32 ? 'uint32' : undefined;
}

/** Check for the zero value of a field with implicit presence. Undefined for types that have no rules here. */
function zeroOf(field: DescField): Check | undefined {
  if (field.fieldKind === 'list') return (value) => Array.isArray(value) && value.length === 0;
  const kind = kindOf(field);
  if (kind === undefined || kind === 'duration') return undefined;
  const zero = { string: '', enum: field.enum?.values[0]?.number, uint32: 0, uint64: 0n }[kind];
  return (value) => value === zero;
}
