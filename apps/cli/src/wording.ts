const PLAIN = /^[A-Za-z0-9_@%+=:,./][A-Za-z0-9_@%+=:,./-]*$/;

/** Operands of a command as a POSIX shell wants them typed, behind `--` where one could be taken for an option. */
export function operands(...values: readonly (string | number)[]): string {
  const texts = values.map(String);
  const quoted = texts.map((text) => (PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`));
  return [...(texts.some((text) => text.startsWith('-')) ? ['--'] : []), ...quoted].join(' ');
}

/** A realm may have more destinations than anybody wants to read. */
export const MOST_SHOWN = 20;

/** A service by its name in grpc.health.v1, where the server as a whole has none. */
export function serviceName(service: string): string {
  return service === '' ? 'the server' : service;
}

/** A number with a comma after each thousand. */
export function counted(value: number | bigint): string {
  return value.toLocaleString('en-US');
}

/** Names in a sentence, or the first twenty and how many more there are. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return 'none';
  const shown = names.slice(0, MOST_SHOWN).join(', ');
  return names.length > MOST_SHOWN ? `${shown} and ${names.length - MOST_SHOWN} more` : shown;
}
