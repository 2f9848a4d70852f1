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

/** What interceptors of one call leave for each other and for the handler. */
export class CallState {
  readonly #values = new Map<CallKey<unknown>, unknown>();

  /** The value, or undefined when none was set. */
  get<T>(key: CallKey<T>): T | undefined {
    return this.#values.get(key) as T | undefined;
  }

  /** The value; throws when no interceptor has set it, which is a mistake in how interceptors are ordered. */
  require<T>(key: CallKey<T>): T {
    if (!this.#values.has(key)) throw new TypeError(`no interceptor has set ${key.description} on this call`);
    return this.#values.get(key) as T;
  }

  /** Sets or replaces the value. */
  set<T>(key: CallKey<T>, value: T): void {
    this.#values.set(key, value);
  }
}
