// Imports that the house forbids, linted with the real configuration: each must be reported. Without it nobody would notice
// that the rule is off: it stays silent when it is disabled, mistyped, or has no project graph.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { ROOT } from '../launch/prepare.mjs';

const RULE = '@nx/enforce-module-boundaries';

const CANARIES = [
  ['packages/token-core/src/boundary-canary.ts', '@callpass/domain', 'the core imports the domain'],
  ['packages/domain/src/boundary-canary.ts', '@callpass/storage', 'the domain imports an adapter'],
  ['apps/cli/src/boundary-canary.ts', '@callpass/domain', 'the command line is more than a client'],
  ['packages/storage/src/boundary-canary.ts', '@callpass/testkit', 'code that ships imports test code'],
  [
    'packages/domain/src/boundary-canary.ts',
    '../../token-core/src/index.ts',
    'a project reaches into another',
  ],
];

/** Gives what was not reported, or nothing. */
export async function checkBoundaries() {
  process.chdir(ROOT);
  const silent = [];
  for (const [file, imported, meaning] of CANARIES) {
    const path = join(ROOT, file);
    writeFileSync(path, `export * as canary from '${imported}';\n`);
    try {
      const [result] = await new ESLint({ cwd: ROOT }).lintFiles([path]);
      const reported = result?.messages.some(({ ruleId, severity }) => ruleId === RULE && severity === 2);
      if (!reported) silent.push(`${RULE} did not report that ${meaning} (${file} imports ${imported})`);
    } finally {
      rmSync(path);
    }
  }
  return silent.length > 0 ? silent.join('\n') : undefined;
}
