import type { Clock, EntryDraft, Store } from '@callpass/domain';
import { SPAN_COMMIT, traceId } from '@callpass/telemetry';
import type { Principal } from '../state/principal.ts';
import type { Refusal } from './refusal.ts';
import { step } from './steps.ts';

/** Ports that recording needs. */
export interface RecordDependencies {
  readonly state: { readonly snapshot: { readonly revision: number } };
  readonly store: Pick<Store, 'record'>;
  readonly clock: Clock;
}

/** Fields of the entry that the request gives; those that do not apply are left out. */
export type RefusedRequest = Omit<EntryDraft, 'kind' | 'timeMs' | 'client' | 'reason' | 'rule'>;

/** Records that a recognised client was refused. Resolves when the entry is durable; throws StoreError when it cannot be. */
export async function recordRefusal(
  { state, store, clock }: RecordDependencies,
  principal: Principal,
  refusal: Refusal,
  asked: RefusedRequest = {},
): Promise<void> {
  const entry: EntryDraft = {
    kind: 'REFUSED',
    timeMs: clock.now(),
    client: principal.client,
    reason: refusal.reason,
    rule: refusal.details.rule ?? '',
    configurationRevision: state.snapshot.revision,
    traceId: traceId() ?? '',
    ...asked,
  };
  await step(SPAN_COMMIT, (span) =>
    store.record(entry, { onCommit: span.recording ? span.sharedCommit : undefined }),
  );
}
