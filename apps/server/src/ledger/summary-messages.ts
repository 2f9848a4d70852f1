import type { MessageInitShape } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import type { IssuedGroupSchema, IssuedSummarySchema, SummarizeEntriesRequest } from '@callpass/contract';
import type { IssuedCounts, IssuedFilter, KeyedHash } from '@callpass/domain';
import { invalidField } from '../errors/refusal.ts';
import { freezeToMessage, keyToMessage, times } from '../state/messages.ts';
import type { IssuedSummary } from './issued-summary.ts';

/** Groups in an answer: more than anybody reads, and few enough for one message. */
const MAX_GROUPS = 1000;

/** The credentials that are asked for; a visitor by the keyed hash. */
export function filterFromMessage(
  { issued, startTime }: SummarizeEntriesRequest,
  keyedHash: KeyedHash,
): IssuedFilter {
  const startTimeMs = startTime && timestampMs(startTime);
  switch (issued.case) {
    case undefined:
      throw invalidField('issued', 'names nothing');
    case 'key':
      return { realm: issued.value.realm, keyVersion: issued.value.version, startTimeMs };
    case 'client':
      return { client: issued.value, startTimeMs };
    case 'subject':
      return { subjectHash: keyedHash.subject(issued.value), startTimeMs };
    case 'subjectHash':
      return { subjectHash: issued.value, startTimeMs };
  }
}

/** A summary as the contract's message. */
export function summaryToMessage(
  { timeMs, groups, freezes, keys }: IssuedSummary,
  { subjectHash = '' }: IssuedFilter,
): MessageInitShape<typeof IssuedSummarySchema> {
  const sum = (count: 'issued' | 'alive') => groups.reduce((total, group) => total + group[count], 0);
  const lastExpireTimeMs = Math.max(0, ...groups.map((group) => group.lastExpireTimeMs));
  return {
    issuedCount: BigInt(sum('issued')),
    aliveCount: BigInt(sum('alive')),
    groups: groups.slice(0, MAX_GROUPS).map(groupToMessage),
    omittedGroupCount: BigInt(Math.max(0, groups.length - MAX_GROUPS)),
    freezes: freezes.map(freezeToMessage),
    realmKeys: keys.map(keyToMessage),
    subjectHash,
    ...times({
      time: timeMs,
      lastExpireTime: lastExpireTimeMs || undefined,
      firstIssueTime: groups.length > 0 ? Math.min(...groups.map((group) => group.firstTimeMs)) : undefined,
      lastIssueTime: groups.length > 0 ? Math.max(...groups.map((group) => group.lastTimeMs)) : undefined,
    }),
  };
}

function groupToMessage(group: IssuedCounts): MessageInitShape<typeof IssuedGroupSchema> {
  const { client, destination, realm, keyVersion, issued, alive } = group;
  return {
    ...{ client, destination, realm, keyVersion },
    issuedCount: BigInt(issued),
    aliveCount: BigInt(alive),
    ...times({
      firstIssueTime: group.firstTimeMs,
      lastIssueTime: group.lastTimeMs,
      lastExpireTime: group.lastExpireTimeMs || undefined,
    }),
  };
}
