import { ROOT_CONTEXT, SpanKind, trace, TraceFlags } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { withUntrustedParent } from '@callpass/telemetry';
import { describe, expect, it } from '@jest/globals';
import { createSampler } from './sampler.ts';

const TRACE = '0'.repeat(31) + '1';

function decide(env: NodeJS.ProcessEnv, parent: 'none' | 'sampled' | 'not sampled', trusted: boolean) {
  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: TRACE,
    spanId: 'b7ad6b7169203331',
    traceFlags: parent === 'sampled' ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  });
  const context = parent === 'none' ? ROOT_CONTEXT : trusted ? remote : withUntrustedParent(remote);
  const { decision } = createSampler(env).shouldSample(context, TRACE, 'name', SpanKind.SERVER, {}, []);
  return decision === SamplingDecision.RECORD_AND_SAMPLED;
}
const sampler = (name: string, arg?: string) => ({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg });

describe('createSampler', () => {
  it.each([
    [sampler('parentbased_traceidratio', '0'), false],
    [sampler('parentbased_always_off'), false],
    [sampler('parentbased_traceidratio', '1'), true],
    [sampler('parentbased_always_on'), true],
    [{}, true],
    [sampler('nonsense'), true],
    [sampler('parentbased_traceidratio', 'nonsense'), true],
  ])('%j: a trusted parent decides, an untrusted one decides nothing', (env, root) => {
    expect(decide(env, 'none', true)).toBe(root);
    expect(decide(env, 'sampled', true)).toBe(true);
    expect(decide(env, 'not sampled', true)).toBe(false);
    expect(decide(env, 'sampled', false)).toBe(root);
    expect(decide(env, 'not sampled', false)).toBe(root);
  });

  it.each([
    [sampler('always_on'), true],
    [sampler('always_off'), false],
    [sampler('traceidratio', '0'), false],
    [sampler('traceidratio', '1'), true],
  ])('%j looks at no parent', (env, decision) => {
    for (const trusted of [true, false])
      for (const parent of ['none', 'sampled', 'not sampled'] as const)
        expect(decide(env, parent, trusted)).toBe(decision);
  });

  it('is not swayed by a chosen trace id of an untrusted parent', () => {
    // Its low bits make every ratio keep it.
    const env = sampler('parentbased_traceidratio', '0.000001');
    expect(decide(env, 'none', true)).toBe(true);
    expect(Array.from({ length: 200 }, () => decide(env, 'sampled', false))).not.toContain(true);
  });
});
