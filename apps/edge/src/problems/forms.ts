/** Form of a text that a request has: the pattern for the schema, and what to write for a person. */
export interface Form {
  readonly pattern: string;
  readonly description: string;
}

const UUID = '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';

/** Forms of the texts of a request, with the sentences of `proto/callpass/v1/field_rules.proto`. */
export const FORMS = {
  destinationId: {
    pattern: '^[a-z0-9][a-z0-9._-]*$',
    description:
      "must consist of the letters a-z, digits, '.', '_' and '-', and begin with a letter or digit",
  },
  address: {
    pattern: '^[^@;:\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@;:\\s\\x00-\\x1f\\x7f-\\x9f]+$',
    description: "must be an address such as user@domain, without 'sip:', spaces, ':' and ';'",
  },
  /** The quotes are those of a structured field, as the draft of the header `Idempotency-Key` has it. */
  idempotencyKey: { pattern: `^("${UUID}"|${UUID})$`, description: 'must be a UUID' },
} as const satisfies Readonly<Record<string, Form>>;

/** Fault that Ajv finds in a request. */
export interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

const DESCRIPTIONS: Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => string>> = {
  pattern: ({ pattern }) =>
    Object.values(FORMS).find((form) => form.pattern === pattern)?.description ?? 'must have another form',
  maxLength: ({ limit }) => `must be at most ${String(limit)} characters`,
  minLength: () => 'must not be empty',
  type: ({ type }) => `must be ${typeName(type)}`,
  // The name of a member that is too much is the asker's own text, so it is not given back.
  additionalProperties: () => 'has a member that is not known; the page openapi.json of this edge lists them',
};

/** Describes a fault: what to write, without the value and without a word of Ajv. */
export function describeFault({ keyword, params = {} }: SchemaFault): string {
  return DESCRIPTIONS[keyword]?.(params) ?? 'must be as openapi.json of this edge describes it';
}

function typeName(type: unknown): string {
  const names = (Array.isArray(type) ? type : [type]).filter((name) => name !== 'null');
  return names.map((name) => (name === 'string' ? 'one text' : `an ${String(name)}`)).join(' or ');
}
