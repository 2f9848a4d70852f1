import type { LoadGenerator } from './generator.ts';
import { startH2load } from './h2load.ts';
import { startOwnGenerator } from './own-generator.ts';

/** The load generators there are; the first by default. */
export const GENERATORS = ['own', 'h2load'] as const;

/** One of {@link GENERATORS}. */
export type GeneratorName = (typeof GENERATORS)[number];

/** Our own, or `h2load` (nghttp2) for a second opinion. */
export function chooseGenerator(asked: GeneratorName): LoadGenerator {
  return asked === 'h2load' ? startH2load() : startOwnGenerator();
}
