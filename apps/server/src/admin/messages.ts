import type { MessageInitShape } from '@bufbuild/protobuf';
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  ConfigurationChange_Kind,
  REASONS,
  type ConfigurationChangeSchema,
  type ConfigurationRevisionSchema,
  type TryIssueResponseSchema,
} from '@callpass/contract';
import type { Change, RevisionRecord } from '@callpass/domain';
import { times } from '../state/messages.ts';
import type { Tried } from './try-issue.ts';

/** A revision without its document. */
export function revisionToMessage(
  record: RevisionRecord,
): MessageInitShape<typeof ConfigurationRevisionSchema> {
  return {
    revision: record.revision,
    appliedBy: record.appliedBy,
    applyTime: timestampFromMs(record.applyTimeMs),
  };
}

/** One difference between two documents. */
export function changeToMessage(change: Change): MessageInitShape<typeof ConfigurationChangeSchema> {
  const text = (value: Change['before']) => (value === undefined ? '' : JSON.stringify(value));
  return {
    kind: ConfigurationChange_Kind[change.kind],
    path: change.path,
    before: text(change.before),
    after: text(change.after),
  };
}

/** The outcome of a trial as the contract's message, with a text for people. */
export function triedToMessage(tried: Tried): MessageInitShape<typeof TryIssueResponseSchema> {
  const limits = tried.readings.map(({ check, taken }) => ({
    name: check.name,
    max: check.max,
    window: durationFromMs(check.windowMs),
    shadow: check.shadow,
    ...(taken !== undefined && { taken }),
  }));
  if (tried.allowed) {
    const { callee, caller, unrestricted } = tried;
    const text = unrestricted ? 'the call would be granted, unrestricted' : 'credentials would be issued';
    return { allowed: true, text, callee, caller, limits };
  }
  const { refusal, atMs } = tried;
  const { rule = '', message = REASONS[refusal.reason].message, retryAfterMs } = refusal.details;
  const opens = refusal.reason === 'DESTINATION_CLOSED' && retryAfterMs !== undefined;
  return {
    allowed: false,
    reason: refusal.reason,
    rule,
    text: message,
    limits,
    ...times({ openTime: opens ? atMs + retryAfterMs : undefined }),
  };
}
