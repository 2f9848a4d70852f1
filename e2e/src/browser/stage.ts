import type { Browser } from 'playwright-core';
import { startSandbox } from '../processes.ts';
import { launchBrowser } from './browser.ts';
import { controlOf } from './sandbox-control.ts';

/** A sandbox and a browser, for all tests of a file. */
export interface Stage {
  readonly browser: Browser;
  readonly control: ReturnType<typeof controlOf>;
  close(): Promise<void>;
}

/** Starts both; where the sandbox does not start, no browser is left behind. */
export async function startStage(args: readonly string[] = []): Promise<Stage> {
  const sandbox = await startSandbox(args);
  const browser = await launchBrowser().catch(async (error: unknown) => {
    await sandbox.stop();
    throw error;
  });
  return {
    browser,
    control: controlOf(sandbox),
    async close() {
      await browser.close();
      await sandbox.stop();
    },
  };
}
