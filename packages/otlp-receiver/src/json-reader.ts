/**
 * Readers of untrusted OTLP JSON: a value of the wrong type is read as empty and never throws.
 * Source: OTLP 1.x, "JSON Protobuf Encoding" (64-bit integers are texts, ids are hex texts, enums are numbers).
 */

const MAX_DEPTH = 32;

/** JSON object with unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Attribute value in JavaScript. Integers above 2^53 are bigint; bytes are base64 text. */
export type AttributeValue =
  string | number | bigint | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };

/** Attributes by name. */
export type Attributes = Record<string, AttributeValue>;

/** Reads an object; anything else is empty. */
export function readObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** Reads a list of objects; anything else is empty. */
export function readObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(readObject) : [];
}

/** Reads a text; anything else is the empty text. */
export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** Reads a number, also from a text; anything else is `undefined`. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) && value !== 'NaN' ? undefined : number;
}

/** Reads a list of numbers; other items are left out. */
export function readNumbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(readNumber).filter((item) => item !== undefined) : [];
}

/** Reads a 64-bit integer from a decimal text or a number; anything else is 0. */
export function readInteger(value: unknown): bigint {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : 0n;
}

/** Reads a list of `{key, value}` to an object; of equal keys the last counts. */
export function readAttributes(value: unknown, depth = 0): Attributes {
  // fromEntries defines own properties, so a key such as __proto__ stays a key.
  return Object.fromEntries(
    readObjects(value).map((item) => [readText(item['key']), readAnyValue(item['value'], depth)]),
  );
}

/** Reads an `AnyValue`; an empty or unknown one, and one below 32 levels of nesting, is `null`. */
export function readAnyValue(value: unknown, depth = 0): AttributeValue {
  if (depth > MAX_DEPTH) return null;
  const any = readObject(value);
  if (typeof any['stringValue'] === 'string') return any['stringValue'];
  if (typeof any['boolValue'] === 'boolean') return any['boolValue'];
  if (any['intValue'] !== undefined) return narrow(readInteger(any['intValue']));
  if (any['doubleValue'] !== undefined) return readNumber(any['doubleValue']) ?? null;
  if (typeof any['bytesValue'] === 'string') return any['bytesValue'];
  if (any['arrayValue'] !== undefined) {
    return readObjects(readObject(any['arrayValue'])['values']).map((item) => readAnyValue(item, depth + 1));
  }
  if (any['kvlistValue'] !== undefined)
    return readAttributes(readObject(any['kvlistValue'])['values'], depth + 1);
  return null;
}

function narrow(integer: bigint): number | bigint {
  const number = Number(integer);
  return Number.isSafeInteger(number) ? number : integer;
}
