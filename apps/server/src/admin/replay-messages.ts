import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import {
  ConfigurationSchema,
  ReplayCaveat_Cause,
  ReplayDifference_Outcome,
  type ReplayCaveatSchema,
  type ReplayConfigurationRequest,
  type ReplayConfigurationResponseSchema,
  type ReplayDifferenceSchema,
  type ReplayReportSchema,
} from '@callpass/contract';
import {
  limitScopeOf,
  type LimitScope,
  type ReplayCaveat,
  type ReplayCounts,
  type ReplayDifference,
  type ReplayReason,
  type ReplayReport,
  type ReplayStep,
} from '@callpass/domain';
import { times } from '../state/messages.ts';
import type { ReplayRequest } from './replay-configuration.ts';

/** Differences in an answer: more than anybody reads, and few enough for one message. */
const MAX_DIFFERENCES = 1000;

/** The request in the terms of the use case. */
export function replayFromMessage(request: ReplayConfigurationRequest): ReplayRequest {
  const { configuration = create(ConfigurationSchema), since, destination, timeZone } = request;
  return { configuration, startTimeMs: since && timestampMs(since), destination, timeZone };
}

/** A step as the contract's message. */
export function replayToMessage({
  read,
  total,
  report,
}: ReplayStep): MessageInitShape<typeof ReplayConfigurationResponseSchema> {
  if (report) return { part: { case: 'report', value: reportToMessage(report) } };
  return { part: { case: 'progress', value: { readCount: BigInt(read), totalCount: BigInt(total) } } };
}

function reportToMessage(report: ReplayReport): MessageInitShape<typeof ReplayReportSchema> {
  const { differences, hours, timeZone, caveats } = report;
  return {
    ...countsOf(report),
    ...times({ firstTime: report.firstTimeMs, lastTime: report.lastTimeMs }),
    differences: differences.slice(0, MAX_DIFFERENCES).map(differenceToMessage),
    omittedDifferenceCount: BigInt(Math.max(0, differences.length - MAX_DIFFERENCES)),
    hours: hours.map(({ weekday, hour, ...counts }) => ({ weekday: weekday + 1, hour, ...countsOf(counts) })),
    timeZone,
    caveats: caveats.map(caveatToMessage),
  };
}

function countsOf(counts: ReplayCounts) {
  return {
    issuedCount: BigInt(counts.issued),
    refusedCount: BigInt(counts.refused),
    wouldBeRefusedCount: BigInt(counts.wouldBeRefused),
    wouldBeGrantedCount: BigInt(counts.wouldBeGranted),
  };
}

const OUTCOMES = {
  REFUSED: ReplayDifference_Outcome.WOULD_BE_REFUSED,
  GRANTED: ReplayDifference_Outcome.WOULD_BE_GRANTED,
} satisfies Record<ReplayDifference['outcome'], ReplayDifference_Outcome>;

function differenceToMessage(difference: ReplayDifference): MessageInitShape<typeof ReplayDifferenceSchema> {
  const { outcome, reason, rule, destination, client, count, firstTimeMs, lastTimeMs, examples } = difference;
  return {
    outcome: OUTCOMES[outcome],
    ...{ reason, rule, destination, client },
    text: TEXTS[reason](difference),
    count: BigInt(count),
    ...times({ firstTime: firstTimeMs, lastTime: lastTimeMs }),
    examples: examples.map(({ timeMs, issuanceId, traceId }) => ({
      time: timestampFromMs(timeMs),
      issuanceId,
      traceId,
    })),
  };
}

/** Refusals in words that follow a number of requests. */
const TEXTS: Readonly<Record<ReplayReason, (difference: ReplayDifference) => string>> = {
  CLIENT_UNKNOWN: () => 'from a client that does not exist',
  CLIENT_NOT_GRANTED: () => 'from a client without the grant',
  DESTINATION_UNKNOWN: () => 'for a destination that does not exist',
  DESTINATION_DISABLED: () => 'for a disabled destination',
  DESTINATION_CLOSED: () => 'closed at that hour',
  SUBJECT_REQUIRED: () => 'without a visitor',
  CALLEE_NOT_ALLOWED: () => 'to a callee that is not allowed',
  CALLER_NOT_ALLOWED: () => 'from a caller that is not allowed',
  KEY_NOT_ACTIVE: () => 'for a realm without an active key',
  LIMIT_EXCEEDED: ({ rule, limit }) => {
    const scope = limitScopeOf(rule);
    const most = limit ? ` of ${limit.max} in ${limit.windowMs / 1000} s` : '';
    return `over the limit${most} for ${scope === undefined ? 'it' : LIMITED[scope]}`;
  },
};

const LIMITED: Readonly<Record<LimitScope, string>> = {
  SUBJECT: 'one visitor',
  CLIENT: 'one client',
  DESTINATION: 'the destination',
  REALM: 'the realm',
  OVERALL: 'all destinations',
};

function caveatToMessage({
  cause,
  reason,
  count,
}: ReplayCaveat): MessageInitShape<typeof ReplayCaveatSchema> {
  const text = CAVEATS[cause](reason);
  return { cause: ReplayCaveat_Cause[cause], reason, count: BigInt(count), text };
}

/** Caveats in words that follow a number. */
const CAVEATS: Readonly<Record<ReplayCaveat['cause'], (reason: string) => string>> = {
  REFUSED_OTHERWISE: (reason) => `refused with ${reason}, which no configuration decides: left out`,
  COUNTED_TOGETHER: () => 'refused and counted in one entry with others, without times: left out',
  REMOVED: () => 'entries removed by retention: the ledger does not reach back to the beginning',
  NO_SUBJECT: () => 'without a visitor, where rules depend on the visitor',
  UNCOUNTED: () => 'issued while the counters were out of reach: replayed without limits',
  DEFAULT_ADDRESS: () =>
    'that would be refused have the default callee or caller of today, and would be granted if they named none',
};
