/**
 * Reads OTLP JSON that may be anything: what has the wrong shape becomes empty, never an exception.
 * Source: OTLP 1.x, "JSON Protobuf Encoding" (64-bit integers are texts, ids are hex texts, enums are numbers).
 */

const MAX_DEPTH = 32;

/** A JSON object of which nothing is known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An attribute value, as plain JavaScript. Integers past 2^53 are bigint; bytes stay base64 text. */
export type AttributeValue =
  string | number | bigint | boolean | null | AttributeValue[] | { [key: string]: AttributeValue };

/** Attributes by name. */
export type Attributes = Record<string, AttributeValue>;

/** The value as an object; anything else is empty. */
export function readObject(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The value as a list of objects; anything else is empty. */
export function readObjects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.map(readObject) : [];
}

/** The value as text; anything else is the empty text. */
export function readText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The value as a number, also from a text; anything else is `undefined`. */
export function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) && value !== 'NaN' ? undefined : number;
}

/** The value as a list of numbers; what is no number is left out. */
export function readNumbers(value: unknown): number[] {
  return Array.isArray(value) ? value.map(readNumber).filter((item) => item !== undefined) : [];
}

/** The value as a 64-bit integer, from a decimal text or a number; anything else is 0. */
export function readInteger(value: unknown): bigint {
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value);
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : 0n;
}

/** The list of `{key, value}` as a plain object; the last of equal keys wins. */
export function readAttributes(value: unknown, depth = 0): Attributes {
  // fromEntries defines own properties, so a key such as __proto__ stays a key.
  return Object.fromEntries(
    readObjects(value).map((item) => [readText(item['key']), readAnyValue(item['value'], depth)]),
  );
}

/** One `AnyValue`; an empty or unknown one, and one nested deeper than 32 levels, is `null`. */
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
