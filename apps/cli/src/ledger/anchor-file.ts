import { fromJson, type JsonValue, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type LedgerAnchor as AnchorMessage, LedgerAnchorSchema, type LedgerChain } from '@callpass/contract';
import { bytesOf, type ExportedChain, hexOf, type LedgerAnchor } from '@callpass/ledger';
import { wrongUse } from '../failure.ts';
import { readText } from '../read-file.ts';
import type { Terminal } from '../terminal.ts';

/**
 * Reads anchors from a file, or from stdin for `-`: one as protojson, or one on each line. Throws a Failure of use for a file that
 * holds anything else.
 */
export async function readAnchors(file: string, stdin: Terminal['stdin']): Promise<readonly AnchorMessage[]> {
  const text = await readText(file, stdin);
  const anchors = messagesOf(
    parse(text) ??
      text
        .split('\n')
        .filter((line) => line.trim() !== '')
        .map(parse),
  );
  if (anchors === undefined || anchors.length === 0)
    throw wrongUse(`${file} holds no anchor: callpass ledger anchor prints one`);
  return anchors;
}

function messagesOf(value: unknown): AnchorMessage[] | undefined {
  const list = Array.isArray(value) ? (value as unknown[]) : [value];
  try {
    const messages = list.map((json) => fromJson(LedgerAnchorSchema, json as JsonValue));
    return messages.every(({ proof }) => proof.length > 0) ? messages : undefined;
  } catch {
    return undefined;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The anchor of a message. */
export function anchorOf(message: AnchorMessage): LedgerAnchor {
  return {
    storeId: message.storeId,
    time: timeOf(message),
    changeCount: Number(message.changeCount),
    chainCount: Number(message.chainCount),
    chains: message.chains.map(exportedChain),
    proof: hexOf(message.proof),
  };
}

/** The message of an anchor. */
export function messageOf(anchor: LedgerAnchor): MessageInitShape<typeof LedgerAnchorSchema> {
  return {
    storeId: anchor.storeId,
    time: timestampFromMs(Date.parse(anchor.time)),
    changeCount: BigInt(anchor.changeCount),
    chainCount: BigInt(anchor.chainCount),
    chains: anchor.chains.map(({ writerId, firstSequence, lastSequence, lastHash, anchorHash }) => ({
      writerId,
      firstSequence: BigInt(firstSequence),
      lastSequence: BigInt(lastSequence),
      lastHash: bytesOf(lastHash),
      anchorHash: bytesOf(anchorHash),
    })),
    proof: bytesOf(anchor.proof),
  };
}

/** Time of an anchor, RFC 3339 in UTC with ms. */
export function timeOf({ time }: Pick<AnchorMessage, 'time'>): string {
  return new Date(time ? timestampMs(time) : 0).toISOString();
}

/** The part of a chain in a message. */
export function exportedChain(chain: LedgerChain): ExportedChain {
  return {
    writerId: chain.writerId,
    firstSequence: Number(chain.firstSequence),
    lastSequence: Number(chain.lastSequence),
    lastHash: hexOf(chain.lastHash),
    anchorHash: hexOf(chain.anchorHash),
  };
}
