/** Typed key of a value that interceptors pass to handlers. Created by {@link createCallKey}. */
export interface CallKey<T> {
  readonly description: string;
  /** Carries the type only; never set at run time. */
  readonly type?: T;
}

/** Creates a unique key: two keys with the same description differ. */
export function createCallKey<T>(description: string): CallKey<T> {
  return Object.freeze({ description });
}

interface Entry {
  readonly key: CallKey<unknown>;
  value: unknown;
  readonly next: Entry | undefined;
}

/** Values of one call that interceptors pass to each other and to the handler. */
export class CallState {
  // A linked list of a few entries: a map would take most of the memory of a call's state.
  #first: Entry | undefined;

  /** Gets the value, or undefined if none was set. */
  get<T>(key: CallKey<T>): T | undefined {
    return this.#find(key)?.value as T | undefined;
  }

  /** Gets the value. Throws TypeError if no interceptor has set it, which is a wrong order of interceptors. */
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
