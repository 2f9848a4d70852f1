/** Something in a configuration that does not hold. */
export interface Problem {
  /** Place in the document: `destinations[3].realm`, `clients[0].grants[1].destinations[0]`. */
  readonly path: string;
  /** The problem and what is needed. Echoes names and ids only. */
  readonly message: string;
}

/** Takes what a check finds. */
export type Report = (path: string, message: string) => void;

const MAX_QUOTED = 128;

/** A name or id for a message: on one line, cut to 128 characters. */
export function quote(name: string): string {
  return JSON.stringify(name.length > MAX_QUOTED ? `${name.slice(0, MAX_QUOTED)}…` : name);
}

/** The names a configuration defines. */
export interface KnownNames {
  has(name: string): boolean;
}

/** Collects the names of a list. One that stands twice is reported at its second place. */
export function indexNames<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { at, report }: { at: (index: number) => string; report: Report },
): KnownNames {
  const firstPlaces = new Map<string, number>();
  items.forEach((item, index) => {
    const name = nameOf(item);
    const first = firstPlaces.get(name);
    if (first === undefined) firstPlaces.set(name, index);
    else report(at(index), `${quote(name)} is taken by ${at(first)}; names must be unique`);
  });
  return firstPlaces;
}
