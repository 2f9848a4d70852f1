// Descriptions begin with a noun or a third-person verb: in code by a lint rule, in the contract by a search.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ESLint } from 'eslint';
import { ROOT } from '../launch/prepare.mjs';
import { QUESTION_WORDS } from '../lint/docstrings.mjs';

const RULE = 'docstrings/opening';

const CANARIES = {
  'packages/token-core/src/docstring-canary.ts': '/** What it is. */\nexport const canary = 1;\n',
  'packages/token-core/src/docstring-canary.spec.ts':
    'interface Canary {\n  /** How many. */\n  count: number;\n}\nexport const canary: Canary = { count: 1 };\n',
  'tools/checks/docstring-canary.mjs': '/**\n * Whether it is one.\n */\nexport const canary = true;\n',
};

/** Returns the canaries that the lint rule did not report, or undefined. */
export async function checkDocstringRule() {
  const silent = [];
  for (const [file, text] of Object.entries(CANARIES)) {
    const path = join(ROOT, file);
    writeFileSync(path, text);
    try {
      const [result] = await new ESLint({ cwd: ROOT }).lintFiles([path]);
      const reported = result?.messages.some(({ ruleId, severity }) => ruleId === RULE && severity === 2);
      if (!reported) silent.push(`${RULE} did not report the docstring of ${file}`);
    } finally {
      rmSync(path);
    }
  }
  return silent.length > 0 ? silent.join('\n') : undefined;
}

/** Returns the comments of our .proto files that begin like a question, or undefined. */
export function checkContractComments() {
  const folder = join(ROOT, 'proto', 'callpass');
  const found = readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.proto'))
    .flatMap((name) => questionsIn(name, readFileSync(join(folder, name), 'utf8').split('\n')));
  return found.length > 0 ? found.join('\n') : undefined;
}

/** Lines that begin a comment with a question word; a line below another line of comment continues it. */
function questionsIn(name, lines) {
  const comment = /^\s*\/\/\s*(.*)$/;
  return lines.flatMap((line, index) => {
    const text = comment.test(lines[index - 1] ?? '') ? undefined : /\/\/\s*(.*)$/.exec(line)?.[1];
    return text !== undefined && QUESTION_WORDS.test(text)
      ? [`proto/callpass/${name}:${index + 1}: ${text}`]
      : [];
  });
}
