import {
  verifyLedger,
  type AnchorProver,
  type Clock,
  type LedgerStore,
  type LedgerVerification,
  type VerificationRange,
} from '@callpass/domain';
import type { LedgerAnchor } from '@callpass/domain';
import { invalidField, Refusal } from '../errors/refusal.ts';

/** Ports that verification needs. */
export interface VerifyDependencies {
  readonly store: Pick<LedgerStore, 'listChains' | 'readChain' | 'readStateRecord'>;
  readonly anchors: AnchorProver;
  readonly clock: Clock;
}

/**
 * Verifies the ledger or a part of it. Of the whole ledger, if it holds, the result has an anchor.
 *
 * @throws {Refusal} `REQUEST_INVALID` for an anchor beside a part of the ledger.
 */
export async function verify(
  { store, anchors, clock }: VerifyDependencies,
  range: VerificationRange,
): Promise<LedgerVerification & { anchor?: LedgerAnchor }> {
  const { anchor, writerId, firstSequence, lastSequence } = range;
  const whole = writerId === undefined && !firstSequence && !lastSequence;
  if (anchor && !whole) throw invalidField('anchor', 'concerns all chains: leave the other fields out');
  const timeMs = clock.now();
  const found = await verifyLedger(store, range);
  if (anchor && !anchors.isGenuine(anchor)) {
    const text = 'the anchor was altered, or is of another store';
    return { ...found, faults: [{ writerId: '', sequence: 0, text }, ...found.faults] };
  }
  if (!whole || found.faults.length > 0) return found;
  return { ...found, anchor: anchors.prove({ ...found, timeMs }) };
}

/**
 * Takes an anchor of the heads as they are now, without reading the entries.
 *
 * @throws {Refusal} `STATE_ALTERED` where anything is not as this service left it: an anchor would vouch for it.
 */
export async function takeAnchor({ store, anchors, clock }: VerifyDependencies): Promise<LedgerAnchor> {
  const timeMs = clock.now();
  const state = await store.readStateRecord();
  const chains = await store.listChains();
  if (state.faults.length > 0 || chains.length < state.chainCount || chains.some(({ genuine }) => !genuine))
    throw new Refusal('STATE_ALTERED');
  return anchors.prove({ chains, state, timeMs });
}
