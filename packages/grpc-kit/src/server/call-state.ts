/** Names a value that interceptors hand to handlers, and remembers its type. Made by {@link createCallKey}. */
export interface CallKey<T> {
  readonly description: string;
  /** Only for the type; never there at run time. */
  readonly type?: T;
}

/** Makes a key of its own: two keys of one description are two keys. */
export function createCallKey<T>(description: string): CallKey<T> {
  return Object.freeze({ description });
}

interface Entry {
  readonly key: CallKey<unknown>;
  value: unknown;
  readonly next: Entry | undefined;
}

/** What interceptors of one call leave for each other and for the handler. */
export class CallState {
  // A chain of the few there are: every call has one, and a table would be most of what a call's state takes.
  #first: Entry | undefined;

  /** The value, or undefined when none was set. */
  get<T>(key: CallKey<T>): T | undefined {
    return this.#find(key)?.value as T | undefined;
  }

  /** The value; throws when no interceptor has set it, which is a mistake in how interceptors are ordered. */
  require<T>(key: CallKey<T>): T {
    const entry = this.#find(key);
    if (entry === undefined) throw new TypeError(`no interceptor has set ${key.description} on this call`);
    return entry.value as T;
  }

  /** Sets or replaces the value. */
  set<T>(key: CallKey<T>, value: T): void {
    const entry = this.#find(key);
    if (entry === undefined) this.#first = { key, value, next: this.#first };
    else entry.value = value;
  }

  #find(key: CallKey<unknown>): Entry | undefined {
    let entry = this.#first;
    while (entry !== undefined && entry.key !== key) entry = entry.next;
    return entry;
  }
}
