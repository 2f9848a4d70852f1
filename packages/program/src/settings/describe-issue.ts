import type { z } from 'zod';

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text; put it in quotes if it looks like a number',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list; begin each item with "- "',
  object: 'keys with values; indent them under it',
  record: 'keys with values; indent them under it',
};

/**
 * Describes a wrong value of a setting: what is expected there, without the value and without words of the library that checks it.
 * A rule with a text of its own does not come here.
 */
export function describeIssue(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${TYPES[issue.expected] ?? 'another kind of value; see the sample of the settings'}`;
    case 'too_small':
      return issue.origin === 'string'
        ? 'expected a text that is not empty'
        : `expected ${String(issue.minimum)} or more`;
    case 'too_big':
      return `expected ${String(issue.maximum)}${issue.origin === 'string' ? ' characters' : ''} or less`;
    case 'invalid_value':
      return `expected ${issue.values.map(String).join(', ')}`;
    case 'invalid_union':
      return 'expected true or false';
    case 'custom':
    case 'invalid_element':
    case 'invalid_format':
    case 'invalid_key':
    case 'not_multiple_of':
    case 'unrecognized_keys':
      return 'expected another value; see the sample of the settings';
  }
}
