import { randomBytes } from 'node:crypto';
import { type EntryDraft } from '@callpass/domain';

/** Creates an ISSUED entry with all fields set. Each issue has its own fingerprints. */
export function sampleEntry(fields: Partial<EntryDraft> = {}): EntryDraft {
  const all: Required<EntryDraft> = {
    kind: 'ISSUED',
    timeMs: 1_800_000_000_000,
    client: 'web-edge',
    destination: 'support',
    realm: 'support.example',
    keyVersion: 3,
    callee: 'support@kandy.example',
    caller: 'anonymous@kandy.example',
    visitor: { hash: '0123456789abcdef0123456789abcdef' },
    reason: 'none',
    rule: 'default',
    configurationRevision: 7,
    traceId: 'fedcba9876543210fedcba9876543210',
    issuanceId: '019b0000-0000-7000-8000-000000000000',
    expireTimeMs: 1_800_000_600_000,
    fingerprints: { account: randomBytes(16), from: randomBytes(16), to: randomBytes(16) },
  };
  return { ...all, ...fields };
}
