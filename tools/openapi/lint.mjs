// Lint of apps/edge/openapi.json, by Redocly's rules.
import { join } from 'node:path';
import { createConfig, lint } from '@redocly/openapi-core';
import { ROOT } from '../launch/prepare.mjs';

/** The problems of the document, as one text; `undefined` when there is none. */
export async function lintOpenapi() {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const problems = await lint({ ref: join(ROOT, 'apps', 'edge', 'openapi.json'), config });
  return problems.length === 0
    ? undefined
    : problems
        .map(({ ruleId, message, location }) => `${location[0]?.pointer}: ${message} (${ruleId})`)
        .join('\n');
}
