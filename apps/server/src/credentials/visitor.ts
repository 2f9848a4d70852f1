import type { EntryVisitor, KeyedHash } from '@callpass/domain';

/**
 * Client and subject of a request. The hash is computed only where a rule needs it; the ledger's is computed where the
 * ledger is written.
 */
export class Visitor {
  readonly client: string;
  /** `undefined` where the client names nobody. */
  readonly subject: string | undefined;
  readonly #keyedHash: KeyedHash;
  #hash: string | undefined;

  constructor(client: string, subject: string, keyedHash: KeyedHash) {
    this.client = client;
    this.subject = subject === '' ? undefined : subject;
    this.#keyedHash = keyedHash;
  }

  /**
   * The visitor for the ledger: the hash where it was computed already, otherwise in clear, so that the store's thread
   * computes it.
   */
  get forRecord(): EntryVisitor | undefined {
    if (this.#hash !== undefined) return { hash: this.#hash };
    return this.subject === undefined ? undefined : { clear: this.subject };
  }

  get subjectHash(): string {
    return (this.#hash ??= this.#keyedHash.subject(this.subject ?? ''));
  }
}
