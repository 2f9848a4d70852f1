/** A thing that must never be emitted, by what it is. */
export interface Planted {
  readonly what: string;
  readonly value: string;
}

/** Shorter texts would be found by chance. */
const LEAST_LENGTH = 8;

/** The forms in which a secret may slip out: as it is, in hexadecimal, in base64 of either alphabet, percent-encoded. */
function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  const forms = [value, bytes.toString('hex'), base64, base64.replaceAll('+', '-').replaceAll('/', '_')];
  return [...new Set([...forms, encodeURIComponent(value)])];
}

/**
 * What of the planted things stands in what was emitted, named by what it is and where, never by its value: the outcome of
 * a test is emitted too. Throws when something planted is too short to tell from chance.
 */
export function findPlanted(
  planted: readonly Planted[],
  emitted: Readonly<Record<string, string>>,
): string[] {
  const found: string[] = [];
  const places = Object.entries(emitted).map(([place, text]) => [place, text.toLowerCase()] as const);
  for (const { what, value } of planted) {
    if (value.length < LEAST_LENGTH) throw new RangeError(`${what} is too short`);
    const forms = formsOf(value).map((form) => form.toLowerCase());
    for (const [place, text] of places) {
      if (forms.some((form) => text.includes(form))) found.push(`${what} in ${place}`);
    }
  }
  return found;
}
