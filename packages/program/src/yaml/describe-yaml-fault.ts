import type { ErrorCode } from 'yaml';

const LAYOUT = 'the layout is wrong; indent with spaces, and alike what belongs together';

const FAULTS: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: 'an alias leads nowhere; define its anchor before it',
  BAD_DQ_ESCAPE:
    'a text in double quotes has an unknown escape; write the backslash twice or use single quotes',
  BAD_INDENT: LAYOUT,
  BLOCK_AS_IMPLICIT_KEY: LAYOUT,
  MULTILINE_IMPLICIT_KEY: LAYOUT,
  TAB_AS_INDENT: 'a tab indents; use spaces',
  BAD_DIRECTIVE: 'a line begins with %, which is for directives; quote the text',
  BAD_SCALAR_START: 'a text begins with a character that YAML keeps for itself; quote the text',
  BLOCK_IN_FLOW: 'a list or map of lines stands within brackets; write it in brackets too',
  DUPLICATE_KEY: 'a key stands twice; remove one of them',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters; shorten it',
  MISSING_CHAR: 'a quote, a bracket or a colon is missing; complete it',
  MULTIPLE_ANCHORS: 'a value has several anchors; leave one',
  MULTIPLE_DOCS: 'a second document begins; leave one in the file',
  MULTIPLE_TAGS: 'a value has several tags; leave them out',
  RESOURCE_EXHAUSTION: 'lists and maps stand too deep in each other; take some levels away',
};

/** Describes a fault of a YAML text: what is wrong there, and what to do, without words of the library that reads it. */
export function describeYamlFault(code: ErrorCode): string {
  return FAULTS[code] ?? 'this is no YAML; check indentation, quotes and brackets around here';
}
