import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import type {
  LedgerAnchor as AnchorMessage,
  LedgerAnchorSchema,
  LedgerChainSchema,
} from '@callpass/contract';
import { hexOf, bytesOf, type ExportedChain, type LedgerAnchor } from '@callpass/domain';

/** The message of a chain's kept part. */
export function chainToMessage(chain: ExportedChain): MessageInitShape<typeof LedgerChainSchema> {
  return {
    writerId: chain.writerId,
    firstSequence: BigInt(chain.firstSequence),
    lastSequence: BigInt(chain.lastSequence),
    lastHash: bytesOf(chain.lastHash),
    anchorHash: bytesOf(chain.anchorHash),
  };
}

/** The message of an anchor. */
export function anchorToMessage(anchor: LedgerAnchor): MessageInitShape<typeof LedgerAnchorSchema> {
  return {
    storeId: anchor.storeId,
    time: timestampFromMs(Date.parse(anchor.time)),
    changeCount: BigInt(anchor.changeCount),
    chainCount: BigInt(anchor.chainCount),
    chains: anchor.chains.map(chainToMessage),
    proof: bytesOf(anchor.proof),
  };
}

/** The anchor of a message. */
export function anchorOf(message: AnchorMessage): LedgerAnchor {
  return {
    storeId: message.storeId,
    time: new Date(message.time ? timestampMs(message.time) : 0).toISOString(),
    changeCount: Number(message.changeCount),
    chainCount: Number(message.chainCount),
    chains: message.chains.map(({ writerId, firstSequence, lastSequence, lastHash, anchorHash }) => ({
      writerId,
      firstSequence: Number(firstSequence),
      lastSequence: Number(lastSequence),
      lastHash: hexOf(lastHash),
      anchorHash: hexOf(anchorHash),
    })),
    proof: hexOf(message.proof),
  };
}
