const patterns = new Map<string, RegExp>();

/**
 * Compiles a pattern of a contract to a regular expression of the JavaScript engine, once. Throws SyntaxError for an invalid
 * pattern. Patterns come from our own contracts, never from a client, and must not need backtracking. Protovalidate's RE2 in
 * JavaScript would take several times as long.
 */
export function patternOf(source: string): RegExp {
  let pattern = patterns.get(source);
  if (pattern === undefined) patterns.set(source, (pattern = new RegExp(source, 'u')));
  return pattern;
}
