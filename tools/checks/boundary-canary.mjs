// Imports that the house forbids, linted with the real configuration: each must be reported. Without it nobody would notice
// that the rule is off: it stays silent when it is disabled, mistyped, or has no project graph.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { ROOT } from '../launch/prepare.mjs';
import { checkImportCircles } from './import-circles.mjs';

const ROOMS = '@nx/enforce-module-boundaries';
const ORDER = 'no-restricted-imports';
const SERVER = 'apps/server/src';

const CANARIES = [
  [ROOMS, 'packages/token-core/src', '@callpass/domain', 'the core imports the domain'],
  [ROOMS, 'packages/domain/src', '@callpass/storage', 'the domain imports an adapter'],
  [ROOMS, 'apps/cli/src', '@callpass/domain', 'the command line is more than a client'],
  [ROOMS, 'packages/storage/src', '@callpass/testkit', 'code that ships imports test code'],
  [ROOMS, 'packages/domain/src', '../../token-core/src/index.ts', 'a project reaches into another'],
  [ORDER, `${SERVER}/state`, '../errors/refusal.ts', 'the state imports the errors'],
  [ORDER, `${SERVER}/errors`, '../access/identify.ts', 'the errors import a stage of a request'],
  [ORDER, `${SERVER}/admission`, '../access/identify.ts', 'a stage of a request imports one beside it'],
  [ORDER, `${SERVER}/access`, '../credentials/issue.ts', 'a stage of a request imports a later one'],
  [ORDER, `${SERVER}/credentials`, '../admin/service.ts', 'what everybody calls imports administration'],
  [ORDER, `${SERVER}/admin`, '../server.ts', 'a folder of the server imports the whole'],
  [ORDER, SERVER, './drain.ts', 'a place without a row imports something'],
];

/** Gives what was not reported, or nothing. */
export async function checkBoundaries() {
  process.chdir(ROOT);
  const paths = CANARIES.map(([, folder], index) => join(ROOT, folder, `boundary-canary-${index}.ts`));
  const silent = [];
  try {
    CANARIES.forEach(([, , imported], index) => writeFileSync(paths[index], importing(imported)));
    const results = await new ESLint({ cwd: ROOT }).lintFiles(paths);
    CANARIES.forEach(([rule, folder, imported, meaning], index) => {
      const result = results.find(({ filePath }) => filePath === paths[index]);
      const reported = result?.messages.some(({ ruleId, severity }) => ruleId === rule && severity === 2);
      if (!reported) silent.push(`${rule} did not report that ${meaning} (${folder} imports ${imported})`);
    });
  } finally {
    for (const path of paths) rmSync(path, { force: true });
  }
  if (!circleIsReported()) silent.push('two files that import each other were not reported');
  return silent.length > 0 ? silent.join('\n') : undefined;
}

function circleIsReported() {
  const one = join(ROOT, SERVER, 'boundary-canary.ts');
  const other = join(ROOT, SERVER, 'state', 'boundary-canary.ts');
  writeFileSync(one, "import type * as canary from './state/boundary-canary.ts';\n");
  writeFileSync(other, importing('../boundary-canary.ts'));
  try {
    return checkImportCircles()?.includes('boundary-canary.ts') ?? false;
  } finally {
    rmSync(one);
    rmSync(other);
  }
}

function importing(path) {
  return `export * as canary from '${path}';\n`;
}
