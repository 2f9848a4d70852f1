import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { visit } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
}, 180_000);
// Undefined where it could not be started.
afterAll(() => (stage as Stage | undefined)?.close());

const FAILED_LOADS = /Failed to load resource/;

it('a service that is down is said so, nothing is placed, and the next click works once it is back', async () => {
  const visitor = await visit(stage.browser, stage.control.page);
  const before = (await stage.control.calls()).length;
  await stage.control.stop('server');
  await visitor.page.click('#call');
  await visitor.shows('unavailable');
  expect(await visitor.page.textContent('#headline')).toBe('Calls are not possible right now');
  expect((await stage.control.calls()).length).toBe(before);
  await visitor.screenshots('unavailable');
  await stage.control.start('server');
  await expect(callUntilConnected(visitor)).resolves.toBe('connected');
  await visitor.page.click('#hang-up');
  visitor.expectNoErrors(FAILED_LOADS);
  await visitor.close();
}, 120_000);

it('an edge that is restarted does not need the page to be opened again, and a call under way goes on', async () => {
  const visitor = await visit(stage.browser, stage.control.page);
  await visitor.page.click('#call');
  await visitor.shows('connected');
  await stage.control.stop('edge');
  const before = await visitor.audioBytes();
  await visitor.page.waitForTimeout(1000);
  expect((await visitor.audioBytes()).received).toBeGreaterThan(before.received);
  await visitor.page.click('#hang-up');
  await visitor.choose('support-cbc');
  await visitor.page.click('#call');
  await visitor.shows('unavailable');
  await stage.control.start('edge');
  await expect(callUntilConnected(visitor)).resolves.toBe('connected');
  await visitor.page.click('#hang-up');
  visitor.expectNoErrors(FAILED_LOADS);
  await visitor.close();
}, 120_000);

/** Clicks as a patient visitor does: again after a setback, since whoever comes back needs a moment. */
async function callUntilConnected(visitor: Awaited<ReturnType<typeof visit>>): Promise<string | undefined> {
  let state: string | undefined;
  for (let clicks = 0; clicks < 20 && state !== 'connected'; clicks++) {
    await visitor.page.click('#call');
    await visitor.page.locator('#stage:is([data-state="connected"], [data-state="unavailable"])').waitFor();
    state = (await visitor.page.getAttribute('#stage', 'data-state')) ?? undefined;
    if (state !== 'connected') await visitor.page.waitForTimeout(500);
  }
  return state;
}
