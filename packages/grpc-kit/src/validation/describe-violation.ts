import type { DescField, DescOneof } from '@bufbuild/protobuf';
import type { Violation } from '@bufbuild/protovalidate';

/** Part of a violation's path that names what breaks the rule. */
type Subject = Violation['field'][number];

/** Texts in place of those of protovalidate that do not say what to write, by the id of the rule. */
const TEXTS: Readonly<Record<string, (subject: Subject | undefined) => string>> = {
  required: (subject) => (isOneof(subject) ? exactlyOne(subject) : 'must be given'),
  'enum.defined_only': oneOfTheValues,
  'enum.not_in': oneOfTheValues,
};

/** Rule whose text quotes a regular expression. A contract uses a predefined rule with a message instead. */
const PATTERN = 'string.pattern';

/** Describes a violation: what to write, without the value and without a word of protovalidate or CEL. */
export function describeViolation({ ruleId, message, field }: Violation): string {
  const subject = field.findLast((part) => part.kind === 'field' || part.kind === 'oneof');
  if (ruleId === PATTERN) return 'has characters or a form that this field does not allow';
  return TEXTS[ruleId]?.(subject) ?? plain(message);
}

function plain(message: string): string {
  return message
    .replace(/^value /, '')
    .replace(/^does not have prefix `(.*)`$/, 'must begin with $1')
    .replace(/^must be at least 1 characters$/, 'must not be empty')
    .replace(/\b1 item\(s\)/, '1 item')
    .replace('(s)', 's');
}

function exactlyOne({ fields }: DescOneof): string {
  return `must have exactly one of ${fields.map(({ name }) => name).join(', ')}`;
}

function oneOfTheValues(subject: Subject | undefined): string {
  const values = isField(subject) ? (subject.enum?.values ?? []) : [];
  const names = values.filter(({ number }) => number !== 0).map(({ name }) => name);
  return `must be one of ${names.join(', ')}`;
}

function isOneof(subject: Subject | undefined): subject is DescOneof {
  return subject?.kind === 'oneof';
}

function isField(subject: Subject | undefined): subject is DescField {
  return subject?.kind === 'field';
}
