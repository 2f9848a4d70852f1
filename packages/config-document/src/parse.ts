import {
  fromJson,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from '@bufbuild/protobuf';
import { ConfigurationSchema, type Configuration } from '@callpass/contract';
import { AliasReader, quotable, readYaml, YamlError, type AliasLimits } from '@callpass/program/yaml';
import { type Document, isMap, isScalar, isSeq, LineCounter, type Node } from 'yaml';
import { DocumentError, type DocumentProblem } from './document-error.ts';
import { locate, positionAt, positionOf } from './locate.ts';

/** The most problems that are named. */
const MAX_PROBLEMS = 1000;

/** A configuration and the text it was read from. */
export interface ConfigurationDocument {
  readonly configuration: Configuration;
  /** True if the document is `{}`: no realms, destinations and clients, and that on purpose. */
  readonly empty: boolean;
  /**
   * Finds the place of a path of the configuration in the text, so that a fault found later, by a server for example, can
   * name its line. Accepts JSON and proto field names; a path that is not in the text gives its nearest parent.
   */
  locate(path: string): { line: number; column: number };
}

/**
 * Reads a configuration document: YAML 1.2, and so JSON too, with the field names of protojson.
 *
 * Checks the form only: unknown and duplicate keys, values of the wrong type, and that a document without content is written
 * as `{}`. The service checks the rules of the fields and the references.
 *
 * @throws {DocumentError} naming the lines of the first 1,000 faults.
 *
 * @example
 * ```ts
 * const { configuration, locate } = parseConfigurationDocument(readFileSync('callpass.yaml', 'utf8'));
 * locate('destinations[1].realm'); // { line: 12, column: 5 }
 * ```
 */
export function parseConfigurationDocument(text: string, aliasLimits?: AliasLimits): ConfigurationDocument {
  const lines = new LineCounter();
  const document = readDocument(text, lines);
  const root = document.contents;
  const reader = new Reader(new AliasReader(document, aliasLimits), lines);
  const json = isNothing(root) ? {} : readMessage(ConfigurationSchema, root, '', reader);
  reader.assertNoProblems();
  const configuration = fromJson(ConfigurationSchema, json as JsonObject);
  const { realms, destinations, clients } = configuration;
  const empty = realms.length + destinations.length + clients.length === 0;
  if (empty && !(isMap(root) && root.items.length === 0)) {
    reader.report(
      null,
      '',
      'the document is empty, and would remove every realm, destination and client; write {} if that is meant',
    );
    reader.assertNoProblems();
  }
  return { configuration, empty, locate: (path) => locate(root, path, lines) };
}

function readDocument(text: string, lines: LineCounter): Document {
  try {
    return readYaml(text, lines);
  } catch (error) {
    if (!(error instanceof YamlError)) throw error;
    throw new DocumentError(
      error.faults.map(({ offset, message }) => ({ ...positionAt(offset, lines), path: '', message })),
    );
  }
}

/** The nodes of a document with aliases followed, and the problems found in them. */
class Reader {
  readonly #aliases: AliasReader;
  readonly #lines: LineCounter;
  readonly #problems: DocumentProblem[] = [];

  constructor(aliases: AliasReader, lines: LineCounter) {
    this.#aliases = aliases;
    this.#lines = lines;
  }

  /** Reads a node, or the one that an alias (`*name`) stands for. */
  read(node: Node | null, path: string, reading: (node: Node | null) => JsonValue): JsonValue {
    const report = (alias: Node, message: string) => this.report(alias, path, message);
    return this.#aliases.read(node, reading, report) ?? null;
  }

  report(node: Node | null, path: string, message: string): void {
    this.#problems.push({ ...positionOf(node, this.#lines), path, message });
    if (this.#problems.length >= MAX_PROBLEMS) this.assertNoProblems();
  }

  /** @throws {DocumentError} if there is a problem. */
  assertNoProblems(): void {
    if (this.#problems.length > 0) throw new DocumentError(this.#problems);
  }
}

/** Walks text and descriptor together, so that each problem is found at its own node. */
function readMessage(desc: DescMessage, node: Node | null, path: string, reader: Reader): JsonValue {
  if (!isMap(node)) {
    reader.report(node, path, 'expected keys and values');
    return {};
  }
  const json: JsonObject = {};
  const seen = new Set<DescField>();
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const field = desc.fields.find((candidate) => candidate.jsonName === key || candidate.name === key);
    if (!field) {
      reader.report(pair.key as Node, path, unknownKey(key, desc));
    } else if (seen.has(field)) {
      reader.report(
        pair.key as Node,
        path,
        `key ${JSON.stringify(key)} is written twice; remove one of them`,
      );
    } else {
      seen.add(field);
      const fieldPath = path === '' ? field.jsonName : `${path}.${field.jsonName}`;
      json[key] = reader.read(pair.value as Node | null, fieldPath, (value) =>
        readField(desc, field, value, fieldPath, reader),
      );
    }
  }
  return json;
}

function readField(
  desc: DescMessage,
  field: DescField,
  node: Node | null,
  path: string,
  reader: Reader,
): JsonValue {
  if (field.fieldKind === 'list') {
    if (!isSeq(node)) {
      reader.report(node, path, 'expected a list');
      return [];
    }
    return node.items.map((item, index) => {
      const itemPath = `${path}[${index}]`;
      return reader.read(item as Node, itemPath, (value) =>
        field.listKind === 'message'
          ? readMessage(field.message, value, itemPath, reader)
          : readValue(desc, field, value, itemPath, reader),
      );
    });
  }
  if (field.fieldKind === 'message' && !field.message.typeName.startsWith('google.protobuf.')) {
    return readMessage(field.message, node, path, reader);
  }
  return readValue(desc, field, node, path, reader);
}

function readValue(
  desc: DescMessage,
  field: DescField,
  node: Node | null,
  path: string,
  reader: Reader,
): JsonValue {
  const value = valueOf(node);
  if (value === null) reader.report(node, path, 'has no value; write one, or leave the key out');
  else if (typeof value === 'string' && !value.isWellFormed()) {
    reader.report(node, path, 'has half of a surrogate pair, which is no Unicode text');
  } else if (!decodes(desc, field, value)) reader.report(node, path, expectation(field));
  return value;
}

function decodes(desc: DescMessage, field: DescField, value: JsonValue): boolean {
  if (field.scalar === ScalarType.STRING) return typeof value === 'string';
  try {
    fromJson(desc, { [field.jsonName]: field.fieldKind === 'list' ? [value] : value });
    return true;
  } catch {
    return false;
  }
}

function expectation(field: DescField): string {
  if (field.enum) {
    const names = field.enum.values.filter((value) => value.number !== 0).map((value) => value.name);
    return `expected one of ${names.join(', ')}`;
  }
  if (field.message?.typeName === 'google.protobuf.Duration')
    return 'expected a duration in seconds such as 600s';
  if (field.scalar === undefined) return 'has a value of the wrong type';
  return `expected ${SCALARS[field.scalar] ?? 'another type of value'}`;
}

const SCALARS: Partial<Record<ScalarType, string>> = {
  [ScalarType.BOOL]: 'true or false',
  [ScalarType.STRING]: 'a text',
  [ScalarType.UINT32]: 'a whole number, 0 or more',
};

function unknownKey(key: string, { fields }: DescMessage): string {
  if (key === '<<')
    return 'merge keys (<<) are not taken; write the keys out, or use an alias for a whole value';
  return `unknown key ${JSON.stringify(quotable(key))}; known here are ${fields.map(({ jsonName }) => jsonName).join(', ')}`;
}

/** True for a text of nothing but comments, spaces and marks, and for `null`. */
function isNothing(root: Node | null): boolean {
  return root === null || (isScalar(root) && root.value === null);
}

/** A scalar's value. What is no scalar is of the wrong type for every field that asks, and is reported as such. */
function valueOf(node: Node | null): JsonValue {
  if (node === null) return null;
  return isScalar(node) ? (node.value as JsonValue) : [];
}
