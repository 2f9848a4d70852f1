import {
  fromJson,
  type DescField,
  type DescMessage,
  type JsonObject,
  type JsonValue,
} from '@bufbuild/protobuf';
import { ConfigurationSchema, type Configuration } from '@callpass/contract';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml';
import { DocumentError, type DocumentProblem } from './document-error.ts';
import { locate, positionOf } from './locate.ts';

/** A configuration and the text it was read from. */
export interface ConfigurationDocument {
  readonly configuration: Configuration;
  /**
   * Finds the place of a path of the configuration in the text, so that a fault found later, by a server for example, can
   * name its line. Accepts JSON and proto field names; a path that is not in the text gives its nearest parent.
   */
  locate(path: string): { line: number; column: number };
}

/**
 * Reads a configuration document: YAML 1.2, and so JSON too, with the field names of protojson.
 *
 * Checks the form only: unknown and duplicate keys, values of the wrong type. The service checks the rules of the fields and
 * the references.
 *
 * @throws {DocumentError} naming the line of every fault.
 *
 * @example
 * ```ts
 * const { configuration, locate } = parseConfigurationDocument(readFileSync('callpass.yaml', 'utf8'));
 * locate('destinations[1].realm'); // { line: 12, column: 5 }
 * ```
 */
export function parseConfigurationDocument(text: string): ConfigurationDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    version: '1.2',
    schema: 'core',
  });
  if (document.errors.length > 0) {
    throw new DocumentError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return {
          line,
          column: col,
          path: '',
          message: (error.message.split('\n')[0] ?? '').replace(/ at line .*$/, ''),
        };
      }),
    );
  }

  const root = document.contents;
  const problems: DocumentProblem[] = [];
  const reader: Reader = {
    resolve: (node) => (isAlias(node) ? (node.resolve(document) ?? null) : node),
    report: (node, path, message) => problems.push({ ...positionOf(node, lines), path, message }),
  };

  const json = root === null ? {} : readMessage(ConfigurationSchema, root, '', reader);
  if (problems.length > 0) throw new DocumentError(problems);
  return {
    configuration: fromJson(ConfigurationSchema, json as JsonObject),
    locate: (path) => locate(root, path, lines),
  };
}

interface Reader {
  /** Resolves an alias (`*name`); returns any other node unchanged. */
  resolve(node: Node | null): Node | null;
  report(node: Node | null, path: string, message: string): void;
}

/** Walks text and descriptor together, so that each problem is found at its own node. */
function readMessage(desc: DescMessage, node: Node | null, path: string, reader: Reader): JsonValue {
  if (!isMap(node)) {
    reader.report(node, path, 'expected keys and values');
    return {};
  }
  const json: JsonObject = {};
  for (const [key, field, value] of entries(desc, node, path, reader)) {
    const fieldPath = path === '' ? field.jsonName : `${path}.${field.jsonName}`;
    json[key] = readField(desc, field, value, fieldPath, reader);
  }
  return json;
}

function* entries(
  desc: DescMessage,
  node: YAMLMap,
  path: string,
  reader: Reader,
): Generator<[string, DescField, Node | null]> {
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    const field = desc.fields.find((candidate) => candidate.jsonName === key || candidate.name === key);
    if (field) yield [key, field, reader.resolve(pair.value as Node | null)];
    else reader.report(pair.key as Node, path, `unknown key ${JSON.stringify(key)}`);
  }
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
    return node.items.map((written, index) => {
      const item = reader.resolve(written as Node);
      const itemPath = `${path}[${index}]`;
      if (field.listKind === 'message') return readMessage(field.message, item, itemPath, reader);
      const value = valueOf(item);
      tryDecode(desc, field, [value], item, itemPath, reader);
      return value;
    });
  }
  if (field.fieldKind === 'message' && !field.message.typeName.startsWith('google.protobuf.')) {
    return readMessage(field.message, node, path, reader);
  }
  const value = valueOf(node);
  tryDecode(desc, field, value, node, path, reader);
  return value;
}

function tryDecode(
  desc: DescMessage,
  field: DescField,
  value: JsonValue,
  node: Node | null,
  path: string,
  reader: Reader,
): void {
  if (value === null) {
    reader.report(node, path, 'has no value');
    return;
  }
  try {
    fromJson(desc, { [field.jsonName]: value });
  } catch {
    reader.report(node, path, expectation(field));
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

/** By ScalarType of descriptor.proto: the ones the document has. */
const SCALARS: Partial<Record<number, string>> = {
  8: 'true or false',
  9: 'a text',
  13: 'a whole number, 0 or more',
};

/** A scalar's value. What is no scalar is of the wrong type for every field that asks, and is reported as such. */
function valueOf(node: Node | null): JsonValue {
  if (node === null) return null;
  return isScalar(node) ? (node.value as JsonValue) : [];
}
