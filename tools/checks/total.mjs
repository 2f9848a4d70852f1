// Sums the counts that test runs left in a folder and prints the one line that CI reads. A step that failed without a failed
// test (it did not even start) counts as one failure, so that the line never looks better than the run.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder, failedSteps] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
for (const file of readdirSync(folder)) {
  const counts = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  for (const key of Object.keys(total)) total[key] += counts[key];
}
// Whatever a test needs is installed here, so a skipped test is one that nobody runs.
if (process.env.CI && total.skipped > 0) total.failed += total.skipped;
if (Number(failedSteps) > 0 && total.failed === 0) total.failed = Number(failedSteps);
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);
