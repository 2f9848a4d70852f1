import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import type { GroupCommit } from './group-commit.ts';
import { withSpan, withStep, type StepSpan } from './span.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

const COMMIT: GroupCommit = {
  ...{ outcome: 'committed', startedAtMs: 100, durationMs: 40, size: 3, bytes: 900, queued: 2 },
};

let sdk: RecordingSdk;
beforeEach(() => {
  sdk = startRecordingSdk(1);
});
afterEach(() => sdk.stop());

/** Steps of two requests that wait for one commit. */
async function share(commit: GroupCommit): Promise<void> {
  const settled = Promise.withResolvers<void>();
  const waiting: StepSpan[] = [];
  const request = () =>
    withSpan('callpass.test.request', () =>
      withStep('callpass.ledger.commit', (span) => {
        waiting.push(span);
        return settled.promise;
      }),
    );
  const requests = [request(), request()];
  for (const span of waiting) span.sharedCommit(commit);
  settled.resolve();
  await Promise.all(requests);
}

it('one span stands for the commit that two requests shared, linked with the step of each, both ways', async () => {
  await share({ ...COMMIT });
  const spans = await sdk.spans();
  const [group, ...others] = spans.filter(({ name }) => name === 'callpass.ledger.group_commit');
  const steps = spans.filter(({ name }) => name === 'callpass.ledger.commit');
  expect(others).toEqual([]);
  expect(group?.attributes).toEqual({
    'callpass.ledger.outcome': 'committed',
    'callpass.ledger.entries': 3,
    'callpass.ledger.bytes': 900,
    'callpass.ledger.queued': 2,
  });
  expect(group?.duration).toEqual([0, 40_000_000]);
  const ids = (span: { context: { spanId: string } }[] | undefined) =>
    span?.map(({ context }) => context.spanId);
  expect(ids(group?.links)).toEqual(steps.map((step) => step.spanContext().spanId));
  for (const step of steps) expect(ids(step.links)).toEqual([group?.spanContext().spanId]);
  expect(new Set(steps.map((step) => step.spanContext().traceId)).size).toBe(2);
});

it('a commit that failed is a fault', async () => {
  await share({ ...COMMIT, outcome: 'overdue' });
  const group = (await sdk.spans()).find(({ name }) => name === 'callpass.ledger.group_commit');
  expect(group?.status.code).toBe(SpanStatusCode.ERROR);
  expect(group?.attributes['error.type']).toBe('LEDGER_UNAVAILABLE');
});
