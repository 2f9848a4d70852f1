import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  enumNames,
  LedgerEntry_Kind,
  type LedgerEntrySchema,
  type LedgerPositions,
  type LedgerPositionsSchema,
  type LedgerService,
} from '@callpass/contract';
import {
  exportedChain,
  joinFingerprints,
  type AnchorProver,
  type Clock,
  type KeyedHash,
  type LedgerEntry,
  type LedgerStore,
  type Store,
} from '@callpass/domain';
import type { Handlers } from '@callpass/grpc-kit';
import { PRINCIPAL, REAUTHORIZE, REAUTHORIZE_INTERVAL_MS } from '../access/identify.ts';
import { Refusal } from '../errors/refusal.ts';
import type { Snapshot } from '../state/snapshot.ts';
import { anchorOf, anchorToMessage, chainToMessage } from './anchor-message.ts';
import { listEntries, removeEntries, tailEntries, type Positions } from './entries.ts';
import { summarizeIssued } from './issued-summary.ts';
import { filterFromMessage, summaryToMessage } from './summary-messages.ts';
import { takeAnchor, verify } from './verify.ts';

const kindOf = enumNames(LedgerEntry_Kind);

/** The handlers of LedgerService: messages in, use cases, messages out. */
export function ledgerHandlers(dependencies: {
  readonly store: LedgerStore & Pick<Store, 'loadState'>;
  readonly anchors: AnchorProver;
  readonly state: { readonly snapshot: Snapshot };
  readonly clock: Clock;
  readonly keyedHash: KeyedHash;
  readonly health: { readonly draining: boolean };
}): Handlers<typeof LedgerService> {
  const { store } = dependencies;
  return {
    async listEntries(request) {
      const page = await listEntries(
        store,
        {
          startTimeMs: request.startTime && timestampMs(request.startTime),
          endTimeMs: request.endTime && timestampMs(request.endTime),
          destination: request.destination || undefined,
          client: request.client || undefined,
          kind: request.kind === LedgerEntry_Kind.KIND_UNSPECIFIED ? undefined : kindOf(request.kind),
          issuanceId: request.issuanceId || undefined,
          traceId: request.traceId || undefined,
        },
        { size: request.pageSize, token: request.pageToken },
      );
      return {
        entries: page.entries.map(({ entry }) => entryToMessage(entry)),
        nextPageToken: page.nextToken,
      };
    },

    async *tailEntries(request, call) {
      for await (const step of tailEntries(store, {
        after: request.after && positionsOf(request.after),
        wants: ({ destination, client }) =>
          (request.destination === '' || destination === request.destination) &&
          (request.client === '' || client === request.client),
        async beforeEach() {
          // It would not end by itself within the grace time.
          if (dependencies.health.draining) throw new Refusal('SERVER_STOPPING');
          await call.state.require(REAUTHORIZE)();
        },
        pollIntervalMs: REAUTHORIZE_INTERVAL_MS,
        signal: call.signal,
      })) {
        if ('entry' in step) yield { entry: entryToMessage(step.entry) };
        else if (request.resumable) yield { positions: positionsToMessage(step.positions) };
      }
    },

    async verifyLedger(request) {
      const found = await verify(dependencies, {
        writerId: request.writerId || undefined,
        firstSequence: Number(request.firstSequence),
        lastSequence: Number(request.lastSequence),
        anchor: request.anchor && anchorOf(request.anchor),
      });
      return {
        intact: found.faults.length === 0,
        entryCount: BigInt(found.entryCount),
        faults: found.faults.map(({ writerId, sequence, text }) => ({
          writerId,
          sequence: BigInt(sequence),
          text,
        })),
        chains: found.chains.map((chain) => chainToMessage(exportedChain(chain))),
        ...(found.anchor && { anchor: anchorToMessage(found.anchor) }),
      };
    },

    async getAnchor() {
      return { anchor: anchorToMessage(await takeAnchor(dependencies)) };
    },

    async *summarizeEntries(request, call) {
      const filter = filterFromMessage(request, dependencies.keyedHash);
      const steps = summarizeIssued(dependencies, filter, call.signal);
      let step = await steps.next();
      for (; !step.done; step = await steps.next()) {
        const { read, total } = step.value;
        yield {
          part: { case: 'progress', value: { readCount: BigInt(read), totalCount: BigInt(total) } },
        };
      }
      if (step.value) yield { part: { case: 'summary', value: summaryToMessage(step.value, filter) } };
    },

    async removeEntries(request, call) {
      const beforeTimeMs = request.beforeTime ? timestampMs(request.beforeTime) : 0;
      const count = await removeEntries(dependencies, call.state.require(PRINCIPAL), beforeTimeMs);
      return { entryCount: BigInt(count) };
    },
  };
}

function entryToMessage(entry: LedgerEntry): MessageInitShape<typeof LedgerEntrySchema> {
  const { kind, timeMs, expireTimeMs, fingerprints, sequence, ...same } = entry;
  return {
    ...same,
    kind: LedgerEntry_Kind[kind],
    sequence: BigInt(sequence),
    time: timestampFromMs(timeMs),
    ...(expireTimeMs > 0 ? { expireTime: timestampFromMs(expireTimeMs) } : {}),
    ...(fingerprints ? { tokenFingerprints: joinFingerprints(fingerprints) } : {}),
  };
}

function positionsOf({ chains }: LedgerPositions): Positions {
  return new Map(chains.map(({ writerId, sequence }) => [writerId, Number(sequence)]));
}

function positionsToMessage(positions: Positions): MessageInitShape<typeof LedgerPositionsSchema> {
  return {
    chains: Array.from(positions, ([writerId, sequence]) => ({ writerId, sequence: BigInt(sequence) })),
  };
}
