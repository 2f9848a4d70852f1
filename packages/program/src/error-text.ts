/**
 * Text of an error, for messages. The error of a name with several addresses has no words of its own: each was tried, and each is told.
 */
export function errorText(error: unknown): string {
  const tried = error instanceof AggregateError && error.message === '' ? error.errors : [error];
  return tried.map((one) => (one instanceof Error ? one.message : String(one))).join(', ');
}
