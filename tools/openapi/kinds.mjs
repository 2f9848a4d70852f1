// Kinds of the edge's operations. Those of a kind have the same headers, parameters and problems.

/** Operations that are a kind of their own. */
const SINGLE = ['getLiveness', 'getReadiness', 'getHumanCheck'];

/** The kind of an operation: `authorize`, one of {@link SINGLE}, or `issue` for all others. */
export function kindOf(operationId) {
  if (operationId.startsWith('authorize')) return 'authorize';
  return SINGLE.includes(operationId) ? operationId : 'issue';
}
