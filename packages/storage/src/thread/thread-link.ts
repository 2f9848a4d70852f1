import type { ResourceLimits, Worker } from 'node:worker_threads';
import { endThread, startThread } from '#threads';
import { StoreError } from '@callpass/domain';
import type { StoreLimits } from '../limits.ts';
import type { Migrated } from '../schema/migrate-store.ts';
import { fromWireError } from './messages.ts';
import type {
  OpenedStore,
  ThreadCalls,
  ThreadMessage,
  ThreadMethod,
  ThreadRequest,
  ThreadStart,
} from './messages.ts';

interface Pending {
  readonly resolve: (value: never) => void;
  readonly reject: (error: StoreError) => void;
}

/** Options of {@link ThreadLink.open}. */
interface LinkOptions {
  /** Brings the store to this version's schema first. Default: it stays as it is. */
  readonly migrate?: boolean | undefined;
  /** Hears what that has done, also where the store cannot be opened after it. */
  readonly onMigrated?: ((migrated: Migrated) => void) | undefined;
  /** Bounds on the heap of the threads. */
  readonly memory?: ResourceLimits;
}

type Argument<M extends ThreadMethod> = Parameters<ThreadCalls[M]>[0];
type Reply<M extends ThreadMethod> = Awaited<ReturnType<ThreadCalls[M]>>;

/**
 * The store's thread as seen from outside: one message for a call, one for its reply. A thread that dies takes its calls
 * with it, as `STORE_UNAVAILABLE`, and the next call starts another.
 */
export class ThreadLink {
  readonly #start: Omit<ThreadStart, 'migrate'>;
  readonly #memory: ResourceLimits | undefined;
  readonly #onMigrated: LinkOptions['onMigrated'];
  readonly #pending = new Map<number, Pending>();
  readonly #listeners = new Set<() => void>();
  #worker: Worker | undefined;
  #opening: Promise<Worker> | undefined;
  #lastId = 0;

  private constructor(start: Omit<ThreadStart, 'migrate'>, { memory, onMigrated }: LinkOptions) {
    this.#start = start;
    this.#memory = memory;
    this.#onMigrated = onMigrated;
  }

  /** Starts the thread. Rejects with what kept it from opening the store. A thread after this one does not migrate. */
  static async open(
    start: Omit<ThreadStart, 'migrate'>,
    options: LinkOptions,
  ): Promise<{ link: ThreadLink } & OpenedStore> {
    const link = new ThreadLink(start, options);
    return { link, ...(await link.#open(options.migrate)).opened };
  }

  /** Opens the same store in another thread, with other limits and bounds on its heap. */
  async another(limits: Partial<StoreLimits>, memory: ResourceLimits): Promise<ThreadLink> {
    const { link, ledgerSecret } = await ThreadLink.open(
      {
        ...this.#start,
        sealKey: Uint8Array.from(this.#start.sealKey),
        limits: { ...this.#start.limits, ...limits },
      },
      { memory },
    );
    ledgerSecret.fill(0);
    return link;
  }

  /** Calls under way. */
  get busy(): number {
    return this.#pending.size;
  }

  /** Calls the listener when the thread hears of a changed state, until the function given back is called. */
  onStateChanged(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Makes a call. It has no time limit of its own. */
  call<M extends ThreadMethod>(method: M, argument: Argument<M>): Promise<Reply<M>> {
    return this.#worker && this.#opening === undefined
      ? this.#send(this.#worker, method, argument)
      : this.#reopen().then((worker) => this.#send(worker, method, argument));
  }

  /** Lets the thread finish what it was asked, then ends it; kills it after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    await this.#opening?.catch(() => undefined);
    const worker = this.#worker;
    this.#start.sealKey.fill(0);
    if (worker === undefined) return;
    const timer = setTimeout(() => void worker.terminate(), limitMs);
    await this.#send(worker, 'close', undefined).catch(() => undefined);
    clearTimeout(timer);
    // A thread that still owes a reply is stuck.
    await (this.#pending.size === 0 ? endThread(worker) : worker.terminate());
  }

  #send<M extends ThreadMethod>(worker: Worker, method: M, argument: Argument<M>): Promise<Reply<M>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#pending.set(id, { resolve, reject });
      worker.postMessage({ id, method, argument } satisfies ThreadRequest);
    });
  }

  #reopen(): Promise<Worker> {
    this.#opening ??= this.#open()
      .then(({ worker, opened }) => {
        opened.ledgerSecret.fill(0);
        return worker;
      })
      .finally(() => {
        this.#opening = undefined;
      });
    return this.#opening;
  }

  async #open(migrate = false): Promise<{ worker: Worker; opened: OpenedStore }> {
    const worker = startThread(this.#memory);
    worker.on('message', (message: ThreadMessage) => this.#receive(message));
    worker.on('error', (cause) => this.#lose(worker, cause));
    worker.on('exit', () => this.#lose(worker, undefined));
    this.#worker = worker;
    try {
      return { worker, opened: await this.#send(worker, 'open', { ...this.#start, migrate }) };
    } catch (error) {
      this.#worker = undefined;
      await endThread(worker);
      throw error;
    }
  }

  #receive(message: ThreadMessage): void {
    if (message.kind === 'migrated') {
      this.#onMigrated?.(message.migrated);
      return;
    }
    if (message.kind === 'stateChanged') {
      for (const listener of this.#listeners) listener();
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.kind === 'reply') pending?.resolve(message.value as never);
    else pending?.reject(fromWireError(message.error));
  }

  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    const error = new StoreError('STORE_UNAVAILABLE', 'the thread of the store ended', { cause });
    for (const pending of lost) pending.reject(error);
  }
}
