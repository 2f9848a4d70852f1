// `npm run check`: everything that is checked besides tests: contract, drift of generated code, lint, house rules. Arguments are
// names of checks, or `--reading` or `--writing`: those that only read the sources, which may run beside other things, and the
// others.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { ENV, ROOT } from '../launch/prepare.mjs';
import { lintOpenapi } from '../openapi/lint.mjs';
import { checkPackages } from '../packages/check.mjs';
import { checkBoundaries } from './boundary-canary.mjs';
import { checkDependencies } from './dependencies.mjs';
import { checkDeploymentFiles } from './deployment-files.mjs';
import { checkContractComments, checkDocstringRule } from './docstrings.mjs';
import { checkImportCircles } from './import-circles.mjs';
import { checkRunbooks } from './runbooks.mjs';

const GENERATED = [
  'third_party',
  'packages/contract/src/gen',
  'packages/rpc-protos/src/gen',
  'packages/grpc-kit/src/testing/gen',
  'docs/errors.md',
  'docs/guides/edge.md',
  'apps/edge/openapi.json',
];

const CHECKS = {
  'contract lint': () => run('buf', ['lint']),
  'contract format': () => run('buf', ['format', '--diff', '--exit-code', 'proto']),
  'contract breaks nothing': () =>
    run('buf', [
      'breaking',
      'proto',
      '--against',
      `.git#ref=${readText('proto/breaking-base').trim()},subdir=proto`,
    ]),
  'generated code is current': () => {
    const before = generatedState();
    return (
      run('npm', ['run', '--silent', 'generate']) ??
      (generatedState() === before ? undefined : 'npm run generate changed files: commit them')
    );
  },
  'project references are in sync': () => run('nx', ['sync:check']),
  format: () => run('prettier', ['--check', '--log-level=warn', '.']),
  // One ESLint for all projects loads their types once; `nx run-many -t lint` would start one for each, and --concurrency=2 two.
  lint: () => drawGraph() ?? run('eslint', ['.']),
  'no circles of imports': checkImportCircles,
  'boundary canary': () => drawGraph() ?? checkBoundaries(),
  'docstring canary': checkDocstringRule,
  'comments of the contract': checkContractComments,
  'a line for each dependency': checkDependencies,
  'lint of openapi.json': lintOpenapi,
  'deployment files': checkDeploymentFiles,
  'published packages': checkPackages,
  'a release can be made': checkRelease,
  'a page for each alert and reason': checkRunbooks,
  'picture of the page is current': () => run('node', ['tools/picture/page.mjs', '--check']),
  'lock file names no registry': () =>
    /"resolved": "https?:/.test(readText('package-lock.json'))
      ? 'package-lock.json records download addresses'
      : undefined,
  "no machine's paths": () =>
    grepTracked('(^|[^.A-Za-z0-9_-])/(work|farm|home|Users)/[a-z]', ['tools/checks/run.mjs']),
  'no private keys': () => grepTracked('-----BEGIN ([A-Z]+ )?PRIVATE KEY', ['tools/checks/run.mjs']),
};

/** Checks that write into the workspace for a moment. */
const WRITING = ['generated code is current', 'boundary canary', 'docstring canary', 'published packages'];

const all = Object.keys(CHECKS);
const asked = process.argv.slice(2);
const names =
  {
    '--writing': WRITING,
    '--reading': all.filter((name) => !WRITING.includes(name)),
  }[asked[0]] ?? (asked.length > 0 ? asked : all);
let failed = 0;
for (const name of names) {
  if (!CHECKS[name]) throw new Error(`no check is named ${name}; there are: ${all.join(', ')}`);
  const start = Date.now();
  const problem = await CHECKS[name]();
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  if (problem !== undefined) failed++;
  console.log(
    `${problem === undefined ? styleText('green', 'ok    ') : styleText('red', 'FAILED')} ${name} (${seconds} s)`,
  );
  if (problem !== undefined) console.log(problem);
}
console.log(`\n${names.length - failed} passed, ${failed} failed`);
const counts = process.env.CALLPASS_TEST_COUNTS;
if (counts && existsSync(counts)) {
  writeFileSync(
    join(counts, `checks-${process.pid}.json`),
    JSON.stringify({ passed: names.length - failed, failed, skipped: 0 }),
  );
}
process.exit(failed > 0 ? 1 : 0);

/** Runs a command; gives its output if it fails, else nothing. */
function run(command, args) {
  mkdirSync(join(ROOT, '.nx'), { recursive: true });
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: ENV,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return undefined;
  return `${result.error?.message ?? ''}${result.stdout}${result.stderr}`;
}

/** A dry run names the next version and shows its changelog, also without tags, a remote or a name for commits. */
function checkRelease() {
  const { status, stdout, stderr } = spawnSync('nx', ['release', '--dry-run', '--skip-publish'], {
    cwd: ROOT,
    env: ENV,
    encoding: 'utf8',
  });
  const shown = /New version .* written to manifest/.test(stdout) && /^.{0,9}\+ ## \S/m.test(stdout);
  return status === 0 && shown ? undefined : `${stdout}${stderr}`;
}

/** The graph of projects by which ESLint knows their boundaries. */
function drawGraph() {
  return run('nx', ['graph', `--file=${join('.nx', 'graph.json')}`]);
}

function readText(name) {
  return readFileSync(join(ROOT, name), 'utf8');
}

/** State of the generated files in git, with their contents. */
function generatedState() {
  const git = (...args) =>
    spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }).stdout;
  return git('diff', 'HEAD', '--', ...GENERATED) + git('status', '--porcelain', '--', ...GENERATED);
}

function grepTracked(pattern, except) {
  const paths = ['.', ...except.map((path) => `:!${path}`)];
  const { stdout } = spawnSync('git', ['grep', '-nIE', pattern, '--', ...paths], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return stdout === '' ? undefined : stdout;
}
