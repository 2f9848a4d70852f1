// `npm run release`: the next version, its changelog from the commits, a commit and a tag, by the conventions of nx release (nx.json).
// `-- --dry-run` shows them, `-- minor` names the step. Nothing is pushed or published: CONTRIBUTING.md says how.
import { prepare, run } from '../launch/prepare.mjs';

await prepare();
await run('nx', ['release', '--skip-publish', ...process.argv.slice(2)], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
