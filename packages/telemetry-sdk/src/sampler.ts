import { diag, ROOT_CONTEXT } from '@opentelemetry/api';
import { hasUntrustedParent } from '@callpass/telemetry';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace';
import { traceIds } from './trace-ids.ts';

const ROOTS: Readonly<Record<string, (ratio: number) => Sampler>> = {
  always_on: () => new AlwaysOnSampler(),
  always_off: () => new AlwaysOffSampler(),
  traceidratio: (ratio) => new TraceIdRatioBasedSampler(ratio),
};
const PARENT_BASED = 'parentbased_';
const DEFAULT = 'parentbased_always_on';

/**
 * Creates the sampler that the standard variables `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` name, like the SDK. Where
 * the parent is not trusted (`withUntrustedParent`), it decides as for a new trace with a random id: neither the parent's
 * decision nor a chosen trace id has an influence.
 */
export function createSampler(env: NodeJS.ProcessEnv = process.env): Sampler {
  const sampler = standardSampler(env);
  return {
    shouldSample: (parent, traceId, ...rest) =>
      hasUntrustedParent(parent)
        ? sampler.shouldSample(ROOT_CONTEXT, traceIds.generateTraceId(), ...rest)
        : sampler.shouldSample(parent, traceId, ...rest),
    toString: () => sampler.toString(),
  };
}

function standardSampler(env: NodeJS.ProcessEnv): Sampler {
  const asked = env['OTEL_TRACES_SAMPLER']?.trim() || DEFAULT;
  const isKnown = Object.hasOwn(ROOTS, rootNameOf(asked));
  if (!isKnown) diag.error(`OTEL_TRACES_SAMPLER is invalid; ${DEFAULT} is used`);
  const name = isKnown ? asked : DEFAULT;
  const root = (ROOTS[rootNameOf(name)] as (ratio: number) => Sampler)(ratioIn(env));
  return name.startsWith(PARENT_BASED) ? new ParentBasedSampler({ root }) : root;
}

const rootNameOf = (name: string) => name.replace(PARENT_BASED, '');

/** Reads the ratio like the SDK: an invalid value counts as 1. */
function ratioIn(env: NodeJS.ProcessEnv): number {
  const text = env['OTEL_TRACES_SAMPLER_ARG']?.trim() ?? '';
  const ratio = Number(text);
  return text !== '' && ratio >= 0 && ratio <= 1 ? ratio : 1;
}
