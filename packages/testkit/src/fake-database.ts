import { randomBytes } from 'node:crypto';
import type {
  Freeze,
  FreezeScope,
  KeyMove,
  RecordOutcome,
  StateChange,
  StoredRealmKey,
  StoredRevision,
} from '@callpass/domain';
import { FakeLedger } from './fake-ledger.ts';

interface Answer {
  readonly bodyHash: Uint8Array;
  readonly answer: Uint8Array;
  readonly expireTimeMs: number;
}

const RECORDED: RecordOutcome = { outcome: 'recorded' };

/** What stores in memory share when they stand for instances on one database. */
export class FakeDatabase {
  readonly ledgerSecret: Uint8Array = randomBytes(32);
  readonly revisions: StoredRevision[] = [];
  readonly ledger = new FakeLedger();
  version = 0;
  #keys: StoredRealmKey[] = [];
  readonly #freezes = new Map<string, Freeze>();
  readonly #answers = new Map<string, Answer>();

  /** Makes a change, or says what is in its way and leaves everything as it is. */
  change(change: StateChange): RecordOutcome {
    const outcome = this.#change(change);
    if (outcome.outcome === 'recorded' && change.kind !== 'rememberAnswer') this.version++;
    return outcome;
  }

  /** By realm, newest version first. */
  get keys(): readonly StoredRealmKey[] {
    const order = (a: StoredRealmKey, b: StoredRealmKey) =>
      a.realm === b.realm ? b.version - a.version : a.realm < b.realm ? -1 : 1;
    return this.#keys.toSorted(order);
  }

  get freezes(): readonly Freeze[] {
    return [...this.#freezes.values()];
  }

  /** The answer remembered and not expired at `nowMs`. */
  answer(query: { client: string; requestId: string; nowMs: number }): Answer | undefined {
    const answer = this.#answers.get(idOf(query));
    return answer && answer.expireTimeMs > query.nowMs ? answer : undefined;
  }

  #change(change: StateChange): RecordOutcome {
    switch (change.kind) {
      case 'applyConfiguration': {
        const currentRevision = this.revisions.length;
        if (currentRevision !== change.expectedRevision)
          return { outcome: 'revisionConflict', currentRevision };
        const { document, applyTimeMs, appliedBy } = change;
        const copy = Uint8Array.from(document);
        this.revisions.push({ revision: currentRevision + 1, document: copy, applyTimeMs, appliedBy });
        return RECORDED;
      }
      case 'addKey': {
        const newest = Math.max(
          0,
          ...this.#keys.filter((k) => k.realm === change.realm).map((k) => k.version),
        );
        if (change.version !== newest + 1) return { outcome: 'keyConflict' };
        const { realm, version, fingerprint, createTimeMs } = change;
        const keyText = Uint8Array.from(change.keyText);
        this.#keys.push({ ...NEW_KEY, realm, version, fingerprint, createTimeMs, keyText });
        return RECORDED;
      }
      case 'moveKeys':
        return this.#moveKeys(change.moves);
      case 'freeze':
        this.#freezes.set(scopeId(change.freeze.scope), change.freeze);
        return RECORDED;
      case 'unfreeze':
        return this.#freezes.delete(scopeId(change.scope)) ? RECORDED : { outcome: 'freezeUnknown' };
      case 'rememberAnswer': {
        const before = this.answer(change);
        if (before) return { outcome: 'answeredBefore', bodyHash: before.bodyHash, answer: before.answer };
        const { bodyHash, answer, expireTimeMs } = change;
        this.#answers.set(idOf(change), { bodyHash, answer, expireTimeMs });
        return RECORDED;
      }
    }
  }

  #moveKeys(moves: readonly KeyMove[]): RecordOutcome {
    const keys = [...this.#keys];
    for (const move of moves) {
      const at = keys.findIndex((key) => key.realm === move.realm && key.version === move.version);
      const key = keys[at];
      if (key?.state !== move.from) return { outcome: 'keyConflict' };
      keys[at] = moved(key, move);
    }
    const active = keys.filter((key) => key.state === 'ACTIVE').map((key) => key.realm);
    if (new Set(active).size !== active.length) return { outcome: 'keyConflict' };
    this.#keys = keys;
    return RECORDED;
  }
}

const NEW_KEY = {
  state: 'PENDING',
  activateTimeMs: undefined,
  retireTimeMs: undefined,
  destroyTimeMs: undefined,
  validateUntilMs: undefined,
} as const;

function moved(key: StoredRealmKey, { to, timeMs, validateUntilMs }: KeyMove): StoredRealmKey {
  switch (to) {
    case 'PENDING':
      throw new TypeError('a key never becomes pending again');
    case 'ACTIVE':
      return { ...key, state: to, activateTimeMs: timeMs };
    case 'RETIRED':
      return { ...key, state: to, retireTimeMs: timeMs, validateUntilMs };
    case 'DESTROYED':
      return { ...key, state: to, destroyTimeMs: timeMs, keyText: undefined };
  }
}

function scopeId({ kind, value }: FreezeScope): string {
  return JSON.stringify([kind, value]);
}

function idOf({ client, requestId }: { client: string; requestId: string }): string {
  return JSON.stringify([client, requestId]);
}
