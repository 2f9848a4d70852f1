import { type Alias, type Document, isAlias, isScalar, type Node, visit } from 'yaml';

/** Bounds on what aliases (`*name`) add to a document when they are replaced by what they stand for. */
export interface AliasLimits {
  /** Lists, maps and values that are added. Default: 100,000. */
  readonly maxNodes: number;
  /** Characters of values that are added. Default: 4 Mi. */
  readonly maxCharacters: number;
}

const ALIAS_LIMITS: AliasLimits = { maxNodes: 100_000, maxCharacters: 4 * 1024 * 1024 };

/** The longest part of a name that a text quotes, in characters. */
const MAX_QUOTED = 64;

/** Reads the nodes of a document with aliases followed, and counts what these add. */
export class AliasReader {
  readonly #document: Document;
  readonly #limits: AliasLimits;
  #targets: Map<Alias, Node> | undefined;
  #outermost: Alias | undefined;
  #nodes = 0;
  #characters = 0;
  #exceeded = false;

  constructor(document: Document, limits: AliasLimits = ALIAS_LIMITS) {
    this.#document = document;
    this.#limits = limits;
  }

  /**
   * Reads a node, or the one that an alias stands for. Reports an alias that leads nowhere, and once the one that adds too much;
   * from there on nothing is read within aliases. `undefined` for what is not read.
   */
  read<T>(
    node: Node | null,
    reading: (node: Node | null) => T,
    report: (alias: Alias, message: string) => void,
  ): T | undefined {
    if (!isAlias(node)) return this.#counts(node, report) ? reading(node) : undefined;
    if (this.#exceeded) return undefined;
    this.#targets ??= resolveAliases(this.#document);
    const target = this.#targets.get(node);
    if (target === undefined) {
      report(
        node,
        `*${quotable(node.source)} names no anchor that is written before it; write the value out`,
      );
      return undefined;
    }
    const outer = this.#outermost;
    this.#outermost ??= node;
    try {
      return this.read(target, reading, report);
    } finally {
      this.#outermost = outer;
    }
  }

  #counts(node: Node | null, report: (alias: Alias, message: string) => void): boolean {
    if (this.#outermost === undefined) return true;
    if (this.#exceeded) return false;
    this.#nodes++;
    if (isScalar(node)) this.#characters += String(node.value).length;
    const { maxNodes, maxCharacters } = this.#limits;
    if (this.#nodes <= maxNodes && this.#characters <= maxCharacters) return true;
    this.#exceeded = true;
    report(
      this.#outermost,
      `*${quotable(this.#outermost.source)} repeats too much: all aliases together may stand for ${maxNodes} values ` +
        `and ${maxCharacters} characters; write the values out`,
    );
    return false;
  }
}

/** The beginning of a name that somebody has chosen, for a text. */
export function quotable(text: string): string {
  return text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
}

/** The node that each alias stands for. An alias that names no anchor before it, or one that contains it, has none. */
function resolveAliases(document: Document): Map<Alias, Node> {
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
