// The commit that files are made from, in the form in which a package.json has it.
import { execFileSync } from 'node:child_process';
import { ROOT } from '../launch/prepare.mjs';

/**
 * The commit and its time: what `--version`, telemetry and health say. From `CALLPASS_COMMIT` and `CALLPASS_COMMIT_TIME` where a
 * build has no .git, as that of an image with an engine. None where neither is known.
 */
export function buildFacts() {
  const { CALLPASS_COMMIT: commit, CALLPASS_COMMIT_TIME: time } = process.env;
  if (commit) return { gitHead: commit, ...(time && { builtFrom: time }) };
  const git = (...args) =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return { gitHead: git('rev-parse', 'HEAD'), builtFrom: git('show', '-s', '--format=%cI', 'HEAD') };
  } catch {
    return {};
  }
}
