import { Composer, CST, type Document, type LineCounter, Parser } from 'yaml';
import { describeYamlFault } from './describe-yaml-fault.ts';

/** The deepest nesting of lists and maps. Configuration and settings need eight levels. The YAML library recurses into each level. */
const MAX_DEPTH = 64;

/** The most faults that are named. */
const MAX_FAULTS = 100;

// YAML 1.2, 5.1: a text has none of these. The YAML library uses some of them as marks of its own.
// eslint-disable-next-line no-control-regex -- the rule is about control characters
const CONTROL_CHARACTER = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/** A place in a text that is not YAML, or not the YAML that is taken. */
export interface YamlFault {
  /** Place in the text, in characters from 0. */
  readonly offset: number;
  /** The fault and the remedy. */
  readonly message: string;
}

/** A text that cannot be read as YAML. */
export class YamlError extends Error {
  readonly code = 'YAML_INVALID';
  /** The first 100 faults. */
  readonly faults: readonly YamlFault[];

  constructor(faults: readonly YamlFault[]) {
    super('the text cannot be read as YAML');
    this.name = 'YamlError';
    this.faults = faults.slice(0, MAX_FAULTS);
  }
}

/**
 * Reads a text that is one YAML document, in time that grows with its length. Double keys are left to the reader of the nodes,
 * because the YAML library compares each key of a map with every other.
 *
 * @throws {YamlError} naming the first 100 faults.
 */
export function readYaml(text: string, lines: LineCounter): Document {
  const document = compose(text, lines);
  if (Array.isArray(document)) throw new YamlError(document);
  return document;
}

function compose(text: string, lines: LineCounter): Document | YamlFault[] {
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
      if (tooDeep)
        return [
          { offset: tooDeep.offset, message: `is nested in more than ${MAX_DEPTH} levels; take some away` },
        ];
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
        ? 'has a tag (!) that is not known here; leave it out'
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
