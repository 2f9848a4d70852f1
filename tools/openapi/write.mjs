// Writes apps/edge/openapi.json from the edge's routes. Part of `npm run generate`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { ROOT } from '../launch/prepare.mjs';
import { describeEdge } from './document.mjs';

const FILE = join(ROOT, 'apps', 'edge', 'openapi.json');

const document = await describeEdge();
writeFileSync(
  FILE,
  await format(JSON.stringify(document), { ...(await resolveConfig(FILE)), filepath: FILE }),
);
