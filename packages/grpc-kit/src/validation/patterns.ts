const patterns = new Map<string, RegExp>();

/**
 * The engine's own regular expression for a pattern of a contract, compiled once; throws SyntaxError for what is none.
 * Patterns come from our own contracts, never from a client: the library's RE2 in JavaScript costs several times as
 * much. A pattern must therefore not backtrack.
 */
export function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) patterns.set(source, (pattern = new RegExp(source, 'u')));
  return pattern;
}
