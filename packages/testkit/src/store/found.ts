import { expect } from '@jest/globals';
import { faultOf, newChain, type ChainHead, type LedgerEntry, type Store } from '@callpass/domain';
import { NOW_MS, REALM } from './changes.ts';

/** Finds the issues of {@link sampleEntry}, in the order of their sequence numbers. */
export function issued(store: Store): Promise<readonly LedgerEntry[]> {
  return store.findIssued({ realm: REALM, timeMs: NOW_MS });
}

/** Checks that each writer's entries form a complete chain from its start. */
export function expectUnbroken(entries: readonly LedgerEntry[]): void {
  const heads = new Map<string, ChainHead>();
  for (const entry of entries) {
    const head = heads.get(entry.writerId) ?? newChain(entry.writerId);
    expect(faultOf(head, entry)).toBeUndefined();
    heads.set(entry.writerId, entry);
  }
}

/** Decodes UTF-8. */
export function text(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('utf8');
}

/** Encodes bytes in hexadecimal, to compare them. */
export function bytes(value: Uint8Array | undefined): string | undefined {
  return value && Buffer.from(value).toString('hex');
}

/** Converts bytes to text, since one store returns Buffers and another plain arrays. */
export function plain(value: unknown): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(value, (_, field: unknown) => {
      if (field instanceof Uint8Array) return bytes(field);
      return isBufferJson(field) ? Buffer.from(field.data).toString('hex') : field;
    }),
  ) as Record<string, unknown>;
}

function isBufferJson(field: unknown): field is { type: 'Buffer'; data: number[] } {
  return typeof field === 'object' && field !== null && 'type' in field && field.type === 'Buffer';
}
