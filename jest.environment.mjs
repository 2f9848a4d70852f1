import { TestEnvironment as NodeEnvironment } from 'jest-environment-node';

/** Threads of the store that wait for their next one: for all test files of this process. */
const keptThreads = [];

export default class extends NodeEnvironment {
  async setup() {
    await super.setup();
    this.global.keptThreads = () => keptThreads;
  }
}
