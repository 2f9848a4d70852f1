import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, visit } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
}, 180_000);
// Undefined where it could not be started.
afterAll(() => (stage as Stage | undefined)?.close());

/** Time limit from the click to sound in both directions. */
const CLICK_TO_SOUND_MS = 15_000;

describe('a click', () => {
  it.each(['support', 'support-cbc', 'lobby'])(
    'on %s leads to a call with sound in both directions within 15 s',
    async (destination) => {
      const visitor = await visit(stage.browser, stage.control.page);
      await visitor.choose(destination);
      const start = Date.now();
      await visitor.page.click('#call');
      await visitor.shows('connected');
      const before = await visitor.audioBytes();
      await eventually(async () => {
        const { sent, received } = await visitor.audioBytes();
        return sent > before.sent && received > before.received && received > 0;
      }, 'audio both ways');
      expect(Date.now() - start).toBeLessThan(CLICK_TO_SOUND_MS);
      expect(await visitor.page.locator('#call-audio audio').count()).toBe(1);
      await visitor.page.click('#hang-up');
      await visitor.shows('ended');
      visitor.expectNoErrors();
      await visitor.close();
    },
  );
});

describe('a call', () => {
  it('ends for the gateway when the visitor hangs up', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await visitor.screenshots('connected');
    const [call] = await stage.control.calls();
    expect(call?.state).toBe('CONNECTED');
    await visitor.page.click('#hang-up');
    await visitor.shows('ended');
    await eventually(
      async () => (await stage.control.calls()).find(({ id }) => id === call?.id)?.state === 'ENDED',
      'the gateway sees the end',
    );
    expect(await visitor.page.textContent('#headline')).toBe('You hung up');
    await visitor.screenshots('ended');
    visitor.expectNoErrors();
    await visitor.close();
  });

  it('ends for the visitor when the other side hangs up, and can be placed again', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('#call');
    await visitor.shows('connected');
    const [call] = await stage.control.calls();
    await stage.control.hangUp(call?.id ?? '');
    await visitor.shows('ended');
    expect(await visitor.page.textContent('#headline')).toBe('The call has ended');
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await visitor.page.click('#hang-up');
    await visitor.shows('ended');
    visitor.expectNoErrors();
    await visitor.close();
  });

  it('sends silence while muted', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('#call');
    await visitor.shows('connected');
    const enabled = () =>
      visitor.page.evaluate(() => {
        const { keptConnections } = globalThis as unknown as { keptConnections: RTCPeerConnection[] };
        return keptConnections
          .at(-1)
          ?.getSenders()
          .map(({ track }) => track?.enabled);
      });
    expect(await enabled()).toEqual([true]);
    await visitor.page.click('#mute');
    await visitor.page.locator('#mute[aria-pressed="true"]').waitFor();
    await eventually(async () => (await enabled())?.[0] === false, 'the track is muted');
    await visitor.screenshots('muted');
    await visitor.page.click('#mute');
    await eventually(async () => (await enabled())?.[0] === true, 'the track is heard again');
    await visitor.page.click('#hang-up');
    visitor.expectNoErrors();
    await visitor.close();
  });

  it('needs no mouse: Tab, arrows and Enter lead through it, and the focus is never lost', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.screenshots('idle');
    const focused = () => visitor.page.evaluate(() => document.activeElement?.id);
    const press = (key: string) => visitor.page.keyboard.press(key);
    await press('Tab');
    await press('ArrowRight');
    await press('ArrowRight');
    expect(await visitor.page.inputValue(':checked')).toBe('lobby');
    await press('Tab');
    expect(await focused()).toBe('call');
    await press('Enter');
    await visitor.shows('connected');
    expect(await focused()).toBe('hang-up');
    await press('Shift+Tab');
    expect(await focused()).toBe('mute');
    await press('Space');
    expect(await focused()).toBe('mute');
    await press('Tab');
    await press('Enter');
    await visitor.shows('ended');
    expect(await focused()).toBe('call');
    await press('Tab');
    await press('Enter');
    expect(await visitor.page.locator('#panel[open]').count()).toBe(1);
    visitor.expectNoErrors();
    await visitor.close();
  });
});

describe('under the hood', () => {
  it('shows one trace from the browser’s request to the write of the ledger, and no whole token', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('summary');
    const answered = visitor.page.waitForResponse(/\/credentials$/);
    await visitor.page.click('#call');
    const { credentials } = (await (await answered).json()) as { credentials: Record<string, string> };
    await visitor.shows('connected');
    const services = () =>
      visitor.page.$$eval('#spans tr', (rows) =>
        (rows as HTMLElement[]).map(({ dataset }) => `${dataset['service']}: ${dataset['span']}`),
      );
    await eventually(async () => (await services()).some((span) => /ledger/.test(span)), 'the ledger write');
    const spans = await services();
    // The order of the rows is that of the tree: each lies under the one before.
    expect(spans[0]).toBe('browser: POST /v1/destinations/{id}/credentials');
    const at = (pattern: RegExp) => spans.findIndex((span) => pattern.test(span));
    const path = [/^browser/, /^callpass-edge/, /^callpass-server: .*IssueCredentials/, /ledger/].map(at);
    expect(path).toEqual([...path].sort((a, b) => a - b));
    expect(path).not.toContain(-1);
    expect(
      await visitor.page.$$eval('#tokens .number', (cells) => cells.map((cell) => cell.textContent)),
    ).toEqual([
      expect.stringMatching(/^\d:\d\d$/),
      expect.stringMatching(/^\d:\d\d$/),
      expect.stringMatching(/^\d:\d\d$/),
    ]);
    const html = await visitor.page.content();
    for (const name of ['accountToken', 'fromToken', 'toToken']) {
      expect(html).not.toContain(credentials[name]);
      expect(html).toContain(credentials[name]?.slice(0, 12));
    }
    expect(await visitor.page.evaluate(() => [localStorage.length, sessionStorage.length])).toEqual([0, 0]);
    await visitor.screenshots('under-the-hood');
    await visitor.page.click('#hang-up');
    visitor.expectNoErrors();
    await visitor.close();
  });
});
