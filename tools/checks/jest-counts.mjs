// A Jest reporter: leaves how many tests passed and failed where CALLPASS_TEST_COUNTS says, for the sum over all projects.
import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export default class CountsReporter {
  #rootDir;

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onRunComplete(_contexts, results) {
    const folder = process.env.CALLPASS_TEST_COUNTS;
    if (!folder) return;
    // A suite that does not even load counts as one failure: it has no tests to count.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const counts = {
      passed: results.numPassedTests,
      failed,
      skipped: results.numPendingTests + results.numTodoTests,
    };
    writeFileSync(join(folder, `${basename(this.#rootDir)}-${process.pid}.json`), JSON.stringify(counts));
  }
}
