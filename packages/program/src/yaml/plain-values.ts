import { isMap, isScalar, isSeq, LineCounter, type Node, type YAMLMap } from 'yaml';
import { AliasReader } from './aliases.ts';
import { readYaml, YamlError, type YamlFault } from './read-yaml.ts';

// A line end and a tab may stand in a text; the rest is for terminals, and no path or name has it.
// eslint-disable-next-line no-control-regex -- the rule is about control characters
const CONTROL_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/;

const hasControlCharacter = (value: unknown) => typeof value === 'string' && CONTROL_CHARACTER.test(value);

/** A document as plain values, and where they stand. */
export interface PlainYaml {
  /** `null` for a text without content. */
  readonly value: unknown;
  readonly root: Node | null;
}

/**
 * Reads a YAML text into texts, numbers, booleans, lists and objects, with aliases replaced.
 *
 * @throws {YamlError} naming the first 100 faults: form, double keys, and aliases that lead nowhere or add too much.
 */
export function readPlainYaml(text: string, lines = new LineCounter()): PlainYaml {
  const document = readYaml(text, lines);
  const root = document.contents;
  const faults: YamlFault[] = [];
  const report = (node: Node | null, message: string) => {
    faults.push({ offset: node?.range?.[0] ?? 0, message });
  };
  const aliases = new AliasReader(document);
  const read = (node: Node | null): unknown => aliases.read(node, valueOf, report);
  const value = read(root);
  if (faults.length > 0) throw new YamlError(faults);
  return { value, root };

  function valueOf(node: Node | null): unknown {
    if (isSeq(node)) return node.items.map((item) => read(item as Node | null));
    if (isMap(node)) return objectOf(node);
    const scalar = isScalar(node) ? node.value : null;
    if (hasControlCharacter(scalar)) report(node, 'has a control character in its text; leave it out');
    return scalar;
  }

  function objectOf({ items }: YAMLMap): object {
    const entries = new Map<string, unknown>();
    for (const pair of items) {
      const key = pair.key as Node | null;
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) report(key, 'has a key that is no text; write a text before the colon');
      else if (entries.has(name)) report(key, 'a key stands twice; remove one of them');
      else if (hasControlCharacter(name)) report(key, 'has a control character in a key; leave it out');
      else entries.set(name, read(pair.value as Node | null));
    }
    return Object.fromEntries(entries);
  }
}
