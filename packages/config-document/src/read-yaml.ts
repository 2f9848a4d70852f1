import { type Alias, Composer, CST, type Document, type LineCounter, type Node, Parser, visit } from 'yaml';
import { describeYamlFault } from '@callpass/program/describe-yaml-fault';
import { DocumentError } from './document-error.ts';
import { positionAt } from './locate.ts';

/** The deepest nesting of lists and maps. A configuration needs eight levels. The YAML library recurses into each level. */
const MAX_DEPTH = 64;

/** The most faults that are named. */
const MAX_FAULTS = 100;

// YAML 1.2, 5.1: a text has none of these. The YAML library uses some of them as marks of its own.
// eslint-disable-next-line no-control-regex -- the rule is about control characters
const CONTROL_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** A place in a text that is not YAML, or not the YAML of a configuration. */
interface Fault {
  readonly offset: number;
  readonly message: string;
}

/**
 * Reads a text that is one YAML document, in time that grows with its length. Double keys are left to the reader of the nodes,
 * because the YAML library compares each key of a map with every other.
 *
 * @throws {DocumentError} naming the lines of the first 100 faults.
 */
export function readYaml(text: string, lines: LineCounter): Document {
  const document = compose(text, lines);
  if (!Array.isArray(document)) return document;
  throw new DocumentError(
    document
      .slice(0, MAX_FAULTS)
      .map(({ offset, message }) => ({ ...positionAt(offset, lines), path: '', message })),
  );
}

/** The node that each alias stands for. An alias that names no anchor before it, or one that contains it, has none. */
export function resolveAliases(document: Document): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(document, {
    Alias(_key, alias, path) {
      const target = anchors.get(alias.source);
      if (target !== undefined && !path.includes(target)) targets.set(alias, target);
    },
    Value(_key, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

function compose(text: string, lines: LineCounter): Document | Fault[] {
  const control = CONTROL_CHARACTER.exec(text);
  if (control) {
    for (const { index } of text.slice(0, control.index).matchAll(/^/gm)) lines.addNewLine(index);
    return [{ offset: control.index, message: 'has a control character; leave it out' }];
  }
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  let found = false;
  for (const token of new Parser(lines.addNewLine).parse(text)) {
    if (token.type === 'document') {
      if (found) return [{ offset: token.offset, message: 'begins a second document; a file holds one' }];
      found = true;
      const tooDeep = beyondDepth(token);
      if (tooDeep) return [{ offset: tooDeep.offset, message: `is nested in more than ${MAX_DEPTH} levels` }];
    }
    // The only document comes at the end.
    Array.from(composer.next(token));
  }
  const [document] = composer.end(true, text.length);
  if (document === undefined) throw new TypeError('the YAML library gave no document');
  const faults = [...document.errors, ...document.warnings];
  if (faults.length === 0) return document;
  return faults.map(({ pos: [offset], code }) => ({
    offset,
    message:
      code === 'TAG_RESOLVE_FAILED'
        ? 'has a tag that a configuration does not know; leave it out'
        : describeYamlFault(code),
  }));
}

/** The first token that is nested too deep. Looks without recursion. */
function beyondDepth(document: CST.Document): CST.Token | undefined {
  let level: CST.Token[] = [document.value].filter((token) => token !== undefined);
  for (let depth = 1; level.length > 0; depth++) {
    const collections = level.filter((token) => CST.isCollection(token));
    if (depth > MAX_DEPTH) return collections[0];
    level = collections.flatMap((collection) =>
      collection.items.flatMap(({ key, value }) => [key, value].filter((token) => token != null)),
    );
  }
  return undefined;
}
