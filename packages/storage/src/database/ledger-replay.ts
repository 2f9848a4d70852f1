import { setImmediate as breathe } from 'node:timers/promises';
import {
  ENTRY_KINDS,
  Replay,
  StoreError,
  type EntryKind,
  type ReplayPlan,
  type ReplayStep,
} from '@callpass/domain';
import { entryKind } from '@callpass/ledger';
import { sql, type Kysely, type SqlBool } from 'kysely';
import type { Tables } from '../schema/tables.ts';
import { ROWS_PER_STEP, stretchOf, wholeStretch, type Stretch } from './entry-search.ts';

/** Rows in memory at a time: so few die young, and the heap of the thread stays small. */
const ROWS_PER_READ = 500;

const KINDS = (['ISSUED', 'REFUSED', 'ENTRIES_REMOVED'] satisfies EntryKind[]).map(
  (kind) => ENTRY_KINDS[kind],
);

/** The replay of a thread that makes no other. See `Store.replay`. */
export class LedgerReplays {
  readonly #db: Kysely<Tables>;
  #current: LedgerReplay | undefined;

  constructor(db: Kysely<Tables>) {
    this.#db = db;
  }

  /** One step of the current replay, which a plan begins. Throws StoreError where there is none: its thread was lost. */
  async step(plan: ReplayPlan | undefined): Promise<ReplayStep> {
    if (plan) this.#current = await LedgerReplay.begin(this.#db, plan);
    if (!this.#current) throw new StoreError('STORE_UNAVAILABLE', 'the replay was lost with its thread');
    return this.#current.step();
  }
}

/** A replay of the ledger as it is at its beginning, one step after the other. */
class LedgerReplay {
  readonly #db: Kysely<Tables>;
  readonly #startTimeMs: number | undefined;
  readonly #replay: Replay;
  readonly #stretch: Stretch;
  #done: number;

  private constructor(db: Kysely<Tables>, plan: ReplayPlan, ledger: { removed: number; stretch: Stretch }) {
    this.#db = db;
    this.#startTimeMs = plan.startTimeMs;
    this.#replay = new Replay(plan, ledger.removed);
    this.#stretch = ledger.stretch;
    this.#done = ledger.stretch[0] - 1;
  }

  /** Looks for the part of the ledger that the plan asks for. */
  static async begin(db: Kysely<Tables>, plan: ReplayPlan): Promise<LedgerReplay> {
    const { startTimeMs } = plan;
    const stretch =
      startTimeMs === undefined
        ? await wholeStretch(db)
        : await stretchOf(db, [startTimeMs, Number.MAX_SAFE_INTEGER], breathe);
    const { removed } = await db
      .selectFrom('ledger_writers')
      .select((eb) => eb.fn.coalesce(eb.fn.sum<number>('anchor_sequence'), eb.lit(0)).as('removed'))
      .executeTakeFirstOrThrow();
    return new LedgerReplay(db, plan, { removed: Number(removed), stretch: stretch ?? [1, 0] });
  }

  /** Replays the next entries. */
  async step(): Promise<ReplayStep> {
    const [first, last] = this.#stretch;
    const to = Math.min(this.#done + ROWS_PER_STEP, last);
    while (this.#done < to) await this.#read(Math.min(this.#done + ROWS_PER_READ, to));
    const progress = { read: to - first + 1, total: last - first + 1 };
    return to < last ? progress : { ...progress, report: this.#replay.report };
  }

  async #read(to: number): Promise<void> {
    const startTimeMs = this.#startTimeMs;
    const rows = await this.#db
      .selectFrom('ledger')
      .select(['kind', 'client', 'destination', 'realm', 'callee', 'caller', 'reason', 'rule'])
      .select(['time_ms as timeMs', 'subject_hash as subjectHash'])
      .select(['trace_id as traceId', 'issuance_id as issuanceId'])
      .where('position', '>', this.#done)
      .where('position', '<=', to)
      .where('kind', 'in', KINDS)
      // Written so that no database goes by the index on time here.
      .$if(startTimeMs !== undefined, (q) => q.where(sql<SqlBool>`time_ms + 0 >= ${startTimeMs}`))
      .orderBy('position')
      .execute();
    for (const row of rows) this.#replay.add({ ...row, kind: entryKind(row.kind) });
    this.#done = to;
  }
}
