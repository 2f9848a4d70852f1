/** A value of JSON, as protojson gives it. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object of JSON. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

/** One difference between two documents. */
export interface Change {
  readonly kind: 'ADDED' | 'CHANGED' | 'REMOVED';
  /** Place in the document, for example `destinations[support].limits`; empty for the whole document. */
  readonly path: string;
  /** With CHANGED and REMOVED. */
  readonly before?: JsonValue;
  /** With ADDED and CHANGED. */
  readonly after?: JsonValue;
}

/** Members by which the elements of an array are told apart. */
const KEY_MEMBERS = ['name', 'id'] as const;

/**
 * Lists the changes between two documents: additions and changes in the order of `after`, then what was removed in the order
 * of `before`. Elements of an array that all have a `name` or `id` of their own are compared by it, whatever their
 * order; any other array is compared as one value. An array that is left out counts as empty, as in protojson. Takes
 * time in proportion to the documents.
 */
export function diffDocuments(before: JsonValue, after: JsonValue): Change[] {
  const changes: Change[] = [];
  const removals: Change[] = [];
  compare('', before, after);
  return [...changes, ...removals];

  function compare(path: string, old: JsonValue | undefined, now: JsonValue | undefined): void {
    const oldParts = partsOf(old, now);
    const nowParts = oldParts && partsOf(now, old);
    if (oldParts && nowParts) {
      for (const [name, value] of nowParts.values)
        compare(nowParts.pathOf(path, name), oldParts.values.get(name), value);
      for (const [name, value] of oldParts.values) {
        if (!nowParts.values.has(name)) compare(oldParts.pathOf(path, name), value, undefined);
      }
    } else if (old === undefined) {
      if (now !== undefined) changes.push({ kind: 'ADDED', path, after: now });
    } else if (now === undefined) {
      removals.push({ kind: 'REMOVED', path, before: old });
    } else if (!equal(old, now)) {
      changes.push({ kind: 'CHANGED', path, before: old, after: now });
    }
  }
}

interface Parts {
  readonly values: ReadonlyMap<string, JsonValue>;
  pathOf(path: string, name: string): string;
}

const memberPath = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
const elementPath = (path: string, name: string): string => `${path}[${name}]`;

/** The parts of `value` that can be compared one by one with those of `other`, if both have such parts. */
function partsOf(value: JsonValue | undefined, other: JsonValue | undefined): Parts | undefined {
  if (isObject(value)) {
    return isObject(other) ? { values: new Map(Object.entries(value)), pathOf: memberPath } : undefined;
  }
  const own = elementsOf(value);
  const others = elementsOf(other);
  if (!own || !others) return undefined;
  for (const member of KEY_MEMBERS) {
    const values = keyedBy(member, own);
    if (values && keyedBy(member, others)) return { values, pathOf: elementPath };
  }
  return undefined;
}

function elementsOf(value: JsonValue | undefined): readonly JsonValue[] | undefined {
  if (value === undefined) return [];
  return isArray(value) ? value : undefined;
}

function keyedBy(member: string, elements: readonly JsonValue[]): Map<string, JsonValue> | undefined {
  const values = new Map<string, JsonValue>();
  for (const element of elements) {
    const key = isObject(element) && Object.hasOwn(element, member) ? element[member] : undefined;
    if (typeof key !== 'string' || values.has(key)) return undefined;
    values.set(key, element);
  }
  return values;
}

function equal(a: JsonValue, b: JsonValue): boolean {
  if (isArray(a) && isArray(b)) {
    return a.length === b.length && a.every((element, index) => equal(element, b[index] as JsonValue));
  }
  if (isObject(a) && isObject(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && equal(a[name] as JsonValue, b[name] as JsonValue))
    );
  }
  return a === b;
}

function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isArray(value);
}
