// Protovalidate walks a message by reflection and costs microseconds even where nothing is wrong. Most requests have
// rules of a few simple kinds only: these are compiled here, from the very options that protovalidate reads, to a check
// that can say "valid" and nothing else. What is not in the tables of rules is left to protovalidate.

import { type DescField, type DescMessage, getOption, type Message, ScalarType } from '@bufbuild/protobuf';
import { Edition, FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import {
  field as fieldOption,
  type FieldRules,
  FieldRulesSchema,
  Ignore,
  message as messageOption,
  MessageRulesSchema,
} from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { all, type Check, hasOnly, KINDS, PASS } from './rule-tables.ts';

type Fields = Readonly<Record<string, unknown>>;

const NOT_PLAIN: Check<Message> = () => false;
const compiled = new WeakMap<DescMessage, Check<Message>>();

/**
 * Whether a message keeps its rules, as far as can be told without protovalidate: true only where protovalidate finds it
 * valid. False says nothing, protovalidate has to judge.
 */
export function isPlainlyValid(schema: DescMessage, message: Message): boolean {
  return rulesOf(schema)(message);
}

/**
 * Whether messages of this type can be found valid without protovalidate. For the tests of a contract, to pin what has
 * to be cheap: a rule of another kind is obeyed all the same, but costs microseconds.
 */
export function hasPlainRules(schema: DescMessage): boolean {
  return rulesOf(schema) !== NOT_PLAIN;
}

function rulesOf(schema: DescMessage): Check<Message> {
  let rules = compiled.get(schema);
  if (rules === undefined) {
    // A type that contains itself finds this when it comes back to itself, and so is not plain.
    compiled.set(schema, NOT_PLAIN);
    rules = compileMessage(schema) ?? NOT_PLAIN;
    compiled.set(schema, rules);
  }
  return rules;
}

function compileMessage(schema: DescMessage): Check<Message> | undefined {
  const { file, typeName, oneofs } = schema;
  // Other editions have defaults and required fields; oneofs and well-known types are held in forms of their own.
  if (file.edition !== Edition.EDITION_PROTO3 || oneofs.length > 0) return undefined;
  if (typeName.startsWith('google.protobuf.')) return undefined;
  if (!hasOnly(getOption(schema, messageOption), MessageRulesSchema, [])) return undefined;
  const fields = all(schema.fields.map(compileField));
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
    // Present is what protobuf-es takes for it: a property of the message itself, not of its prototype, and no undefined.
    if (rules.required) {
      return (message) => Object.hasOwn(message, name) && message[name] !== undefined && check(message[name]);
    }
    return (message) => message[name] === undefined || check(message[name]);
  }
  if (!rules.required && rules.ignore !== Ignore.IF_ZERO_VALUE) return (message) => check(message[name]);
  const isZero = zeroOf(field);
  // Without a check of its own, a value of another type could count as present here and as zero for protobuf-es.
  if (isZero === undefined || check === PASS) return undefined;
  if (rules.required) return (message) => !isZero(message[name]) && check(message[name]);
  return (message) => isZero(message[name]) || check(message[name]);
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

/** The check of a field's value, or of each item of a list. `others`: what may stand beside the rules of the value. */
function compileValue(field: DescField, rules: FieldRules | undefined, others: string[]): Check | undefined {
  const kind = kindOf(field);
  const known = kind === undefined ? others : [kind, ...others];
  if (rules && !hasOnly(rules, FieldRulesSchema, ['ignore', ...known])) return undefined;
  if (field.fieldKind === 'map') return undefined;
  if (field.message !== undefined) {
    const nested = rulesOf(field.message);
    if (nested === NOT_PLAIN) return undefined;
    return (value) => typeof value === 'object' && value !== null && nested(value as Message);
  }
  return kind !== undefined && rules?.type.value !== undefined ? KINDS[kind](rules.type.value, field) : PASS;
}

function kindOf(field: DescField): 'string' | 'enum' | 'uint32' | undefined {
  if (field.enum !== undefined) return 'enum';
  if (field.scalar === ScalarType.STRING) return 'string';
  return field.scalar === ScalarType.UINT32 ? 'uint32' : undefined;
}

/** What counts as left out where a field has no presence of its own. Undefined for types that have no rules here. */
function zeroOf(field: DescField): Check | undefined {
  if (field.fieldKind === 'list') return (value) => Array.isArray(value) && value.length === 0;
  const kind = kindOf(field);
  if (kind === undefined) return undefined;
  const zero = kind === 'string' ? '' : kind === 'enum' ? field.enum?.values[0]?.number : 0;
  return (value) => value === zero;
}
