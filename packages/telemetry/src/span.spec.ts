import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import { isRecording, setSpanAttributes, traceId, withSpan } from './span.ts';
import { FakeRpcError } from './testing/fake-calls.ts';
import { startRecordingSdk, type RecordingSdk } from './testing/recording-sdk.ts';

const NAME = 'callpass.test.work';

describe('withSpan', () => {
  let sdk: RecordingSdk;
  afterEach(() => sdk.stop());

  describe('in a sampled trace', () => {
    beforeEach(() => {
      sdk = startRecordingSdk(1);
    });

    it('gives back the value of synchronous work, without turning it into a promise', async () => {
      expect(withSpan(NAME, () => 42)).toBe(42);
      expect((await sdk.spans()).map((span) => span.name)).toEqual([NAME]);
    });

    it('ends the span of asynchronous work when it has settled, not before', async () => {
      const gate = Promise.withResolvers<string>();
      const result = withSpan(NAME, () => gate.promise);
      expect(await sdk.spans()).toHaveLength(0);
      gate.resolve('value');
      await expect(result).resolves.toBe('value');
      expect(await sdk.spans()).toHaveLength(1);
    });

    it.each([
      ['thrown', () => withSpan(NAME, () => fail(new RangeError('canary-message')))],
      ['rejected', () => withSpan(NAME, async () => fail(new RangeError('canary-message')))],
    ])('marks the span failed for an error that was %s, by class and without its text', async (_how, run) => {
      await expect(async () => run()).rejects.toBeInstanceOf(RangeError);
      const [span] = await sdk.spans();
      expect(span?.attributes).toEqual({ 'error.type': 'RangeError' });
      expect(span?.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(span?.events).toEqual([]);
    });

    it('leaves the span of a refusal unmarked', async () => {
      expect(() => withSpan(NAME, () => fail(new FakeRpcError(7)))).toThrow(FakeRpcError);
      const [span] = await sdk.spans();
      expect(span?.status.code).toBe(SpanStatusCode.UNSET);
      expect(span?.attributes).toEqual({});
    });

    it('has the attributes that describe a refusal', async () => {
      const describe = () => ({ 'callpass.reason': 'FROZEN' });
      expect(() => withSpan(NAME, () => fail(new FakeRpcError(7)), describe)).toThrow(FakeRpcError);
      expect((await sdk.spans())[0]?.attributes).toEqual({ 'callpass.reason': 'FROZEN' });
    });

    it('marks the span of a server fault with its status', async () => {
      expect(() => withSpan(NAME, () => fail(new FakeRpcError(14)))).toThrow(FakeRpcError);
      expect((await sdk.spans())[0]?.attributes).toEqual({ 'error.type': 'UNAVAILABLE' });
    });

    it.each([
      ['a name with a secret in it', Object.assign(new Error(), { name: 'token=canary' })],
      ['a thrown text', 'canary'],
      ['a thrown nothing', null],
    ])('records _OTHER for %s', async (_what, thrown) => {
      expect(() => withSpan(NAME, () => fail(thrown))).toThrow();
      expect((await sdk.spans())[0]?.attributes).toEqual({ 'error.type': '_OTHER' });
    });
  });

  describe('in a trace that is not sampled', () => {
    beforeEach(() => {
      sdk = startRecordingSdk(0);
    });

    it('makes no child span at all', () => {
      const outer = trace.getTracer('test').startSpan('call', {}, ROOT_CONTEXT);
      context.with(trace.setSpan(ROOT_CONTEXT, outer), () => {
        withSpan(NAME, () => expect(trace.getActiveSpan()).toBe(outer));
      });
      expect.assertions(1);
    });

    it('keeps one trace id from the root span down', () => {
      withSpan(NAME, () => {
        const id = traceId();
        expect(id).toMatch(/^[0-9a-f]{32}$/);
        withSpan(NAME, () => expect(traceId()).toBe(id));
      });
      expect.assertions(2);
    });
  });
});

describe('setSpanAttributes', () => {
  let sdk: RecordingSdk;
  beforeEach(() => {
    sdk = startRecordingSdk(1);
  });
  afterEach(() => sdk.stop());

  it('sets what is allowed, drops other names and undefined, and cuts long texts', async () => {
    withSpan(NAME, () =>
      setSpanAttributes({
        'callpass.key_version': 3,
        'callpass.realm': undefined,
        'callpass.destination': 'd'.repeat(300),
        ...({ 'enduser.id': 'canary', __proto__: null } as object),
      }),
    );
    expect((await sdk.spans())[0]?.attributes).toEqual({
      'callpass.key_version': 3,
      'callpass.destination': 'd'.repeat(256),
    });
  });

  it('does nothing outside a span, and does not read the attributes', () => {
    const read = jest.fn(() => 'x');
    setSpanAttributes(Object.defineProperty({}, 'callpass.realm', { enumerable: true, get: read }));
    expect(read).not.toHaveBeenCalled();
  });
});

describe('traceId and isRecording', () => {
  it('know of no trace when there is no SDK', () => {
    expect(withSpan(NAME, () => traceId())).toBeUndefined();
    expect(isRecording()).toBe(false);
  });

  it('distinguish a recorded span from one that is not', async () => {
    for (const ratio of [1, 0]) {
      const sdk = startRecordingSdk(ratio);
      expect(withSpan(NAME, () => isRecording())).toBe(ratio === 1);
      await sdk.stop();
    }
  });
});

function fail(error: unknown): never {
  throw error;
}
