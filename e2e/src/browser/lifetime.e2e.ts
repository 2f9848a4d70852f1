import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { visit } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

const EXPIRY_SECONDS = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await startStage(['--expiry', String(EXPIRY_SECONDS)]);
}, 180_000);
// Undefined where it could not be started.
afterAll(() => (stage as Stage | undefined)?.close());

it('credentials that ran out while the page was open are asked for again before the call, and those that did not are not', async () => {
  const issued: { expiresAt: string; credentials: { accountToken: string } }[] = [];
  const visitor = await visit(stage.browser, stage.control.page);
  visitor.page.on('response', (response) => {
    if (/\/credentials$/.test(response.url())) void response.json().then((json) => issued.push(json));
  });
  const callAndHangUp = async () => {
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await visitor.page.click('#hang-up');
    await visitor.shows('ended');
  };
  await callAndHangUp();
  await visitor.page.click('summary');
  // Until now the page shows how long they are good for; this waits for the real end of a real lifetime.
  await visitor.page.locator('#tokens .number', { hasText: 'expired' }).first().waitFor();
  expect(Date.parse(issued[0]?.expiresAt ?? '')).toBeLessThanOrEqual(Date.now());
  await callAndHangUp();
  await callAndHangUp();
  expect(issued).toHaveLength(2);
  expect(issued[1]?.credentials.accountToken).not.toBe(issued[0]?.credentials.accountToken);
  visitor.expectNoErrors();
  await visitor.close();
}, 120_000);

it('a call with tokens that have run out is refused with 65, and the next click gets new ones', async () => {
  let stale: Record<string, unknown> | undefined;
  const visitor = await visit(stage.browser, stage.control.page, {
    prepare: (page) =>
      page.route('**/v1/destinations/*/credentials', async (route) => {
        const response = await route.fetch();
        const json = (await response.json()) as { expiresAt: string };
        if (stale === undefined) {
          // A slow network: the answer arrives when its tokens are over.
          stale = json;
          await new Promise((resolve) => setTimeout(resolve, Date.parse(json.expiresAt) - Date.now() + 1000));
        }
        await route.fulfill({ response, json });
      }),
  });
  // Longer than the page waits otherwise.
  await visitor.page.evaluate(() => {
    AbortSignal.timeout = () => new AbortController().signal;
  });
  await visitor.page.click('#call');
  await visitor.shows('refused');
  expect(await visitor.page.textContent('#headline')).toBe('That took too long');
  expect(await visitor.page.textContent('#advice')).toContain('(Code 65)');
  await visitor.screenshots('gateway-65');
  await visitor.page.click('#call');
  await visitor.shows('connected');
  await visitor.page.click('#hang-up');
  visitor.expectNoErrors(/Failed to load resource: the server responded with a status of 403/);
  await visitor.close();
}, 120_000);
