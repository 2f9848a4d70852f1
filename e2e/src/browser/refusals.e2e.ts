import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { visit, type VisitOptions } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

let stage: Stage;

const account = 'anonymous@kandy.example';
const like = { realm: 'support.example', account, callees: ['support@kandy.example'] };
const CLOSED_TODAY_AND_ON = {
  timeZone: 'UTC',
  // One minute a week, so that the test does not depend on when it runs.
  open: [
    `${['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(new Date().getUTCDay() + 3) % 7]} 08:00-08:01`,
  ],
};

beforeAll(async () => {
  stage = await startStage();
  const more = [
    { id: 'switched-off', ...like, enabled: false },
    { id: 'closed', ...like, hours: CLOSED_TODAY_AND_ON },
    { id: 'busy', ...like, limits: [{ per: 'SUBJECT', max: 1, window: '120s' }] },
    { id: 'stopped', ...like },
    { id: 'no-callme', ...like, callees: ['no-callme@kandy.example'] },
  ];
  await stage.control.configure(({ destinations, clients }) => {
    destinations.push(...more);
    const issuer = clients
      .find(({ name }) => name === 'web-edge')
      ?.grants.find(({ role }) => /ISSUER/.test(role));
    issuer?.destinations?.push(...more.map(({ id }) => id));
  });
  await stage.control.callpass('freeze', 'destination', 'stopped', '--reason', 'e2e');
}, 180_000);
// Undefined where it could not be started.
afterAll(() => (stage as Stage | undefined)?.close());

/** The page with one more line to choose. */
function visitLine(id: string, options: VisitOptions = {}) {
  return visit(stage.browser, stage.control.page, {
    ...options,
    prepare: async (page) => {
      await page.route('**/sandbox/config.json', async (route) => {
        const response = await route.fetch();
        const config = (await response.json()) as { destinations: object[] };
        config.destinations = [...config.destinations.slice(0, 2), { id, title: 'Another line', about: '' }];
        await route.fulfill({ response, json: config });
      });
      await options.prepare?.(page);
    },
  });
}

it('no call can be asked for before the page knows where to', async () => {
  const known = Promise.withResolvers<void>();
  const visitor = await visit(stage.browser, stage.control.page, {
    prepare: (page) =>
      page.route('**/sandbox/config.json', async (route) => {
        await known.promise;
        await route.continue();
      }),
  });
  expect(await visitor.page.isDisabled('#call')).toBe(true);
  known.resolve();
  await visitor.page.locator('#call:enabled').waitFor();
  await visitor.close();
});

const REFUSED_LOADS = /Failed to load resource: the server responded with a status of 4/;

describe('a refusal of the edge', () => {
  it.each([
    ['switched-off', 'refused', 'This line is switched off at the moment'],
    ['stopped', 'refused', 'This line is switched off at the moment'],
    ['unheard-of', 'refused', 'This line cannot be called from here'],
    ['closed', 'closed', 'We are closed right now'],
  ])('of %s is shown as %s, in words', async (destination, state, headline) => {
    const visitor = await visitLine(destination);
    await visitor.choose(destination);
    await visitor.page.click('#call');
    await visitor.shows(state);
    expect(await visitor.page.textContent('#headline')).toBe(headline);
    if (state === 'closed')
      expect(await visitor.page.textContent('#advice')).toMatch(/^We open .*08:00.*your time/);
    await visitor.screenshots(destination);
    // Another line starts afresh.
    await visitor.choose('support');
    await visitor.shows('idle');
    visitor.expectNoErrors(REFUSED_LOADS);
    await visitor.close();
  });

  it('for a limit says when to come back, counts down, and does not ask before', async () => {
    const visitor = await visitLine('busy');
    await visitor.choose('busy');
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await visitor.page.click('#hang-up');
    // Credentials in hand are used again, so the limit shows only with a new page of the same visitor.
    await visitor.page.reload();
    await visitor.choose('busy');
    await visitor.page.click('#call');
    await visitor.shows('limited');
    const shown = async () =>
      /^Call again in (\d+):(\d\d)$/.exec((await visitor.page.textContent('#timer')) ?? '');
    const [, minutes, seconds] = (await shown()) ?? [];
    const wait = Number(minutes) * 60 + Number(seconds);
    expect(wait).toBeGreaterThan(30);
    expect(wait).toBeLessThanOrEqual(121);
    await visitor.page.waitForFunction(
      (first) => document.getElementById('timer')?.textContent !== first,
      (await shown())?.[0],
    );
    let asked = 0;
    visitor.page.on('request', (request) => (asked += /\/credentials$/.test(request.url()) ? 1 : 0));
    // By force: the button says that it waits, and a visitor may click all the same.
    await visitor.page.click('#call', { force: true });
    expect([asked, await visitor.page.getAttribute('#call', 'aria-disabled')]).toEqual([0, 'true']);
    await visitor.screenshots('limited');
    visitor.expectNoErrors(REFUSED_LOADS);
    await visitor.close();
  });

  it.each([
    ['SUBJECT_REQUIRED', 'Please sign in first'],
    ['CALLEE_NOT_ALLOWED', 'This line cannot be called from here'],
    ['CALLER_NOT_ALLOWED', 'This line cannot be called from here'],
  ])('for %s, which this page cannot provoke, has words too', async (reason, headline) => {
    const visitor = await visit(stage.browser, stage.control.page, {
      prepare: (page) =>
        page.route('**/v1/destinations/*/credentials', (route) =>
          route.fulfill({
            status: 403,
            contentType: 'application/problem+json',
            json: { type: 'about:blank', title: 'no', status: 403, reason, traceId: '0'.repeat(32) },
          }),
        ),
    });
    await visitor.page.click('#call');
    await visitor.shows('refused');
    expect(await visitor.page.textContent('#headline')).toBe(headline);
    visitor.expectNoErrors(REFUSED_LOADS);
    await visitor.close();
  });
});

describe('a refusal of the gateway', () => {
  const tamper = (change: (credentials: Record<string, string>) => void) => (page: Page) =>
    page.route('**/v1/destinations/*/credentials', async (route: Route) => {
      const response = await route.fetch();
      const json = (await response.json()) as { credentials: Record<string, string> };
      change(json.credentials);
      await route.fulfill({ response, json });
    });
  const spoil = (token = '') => `${token.startsWith('0') ? '1' : '0'}${token.slice(1)}`;

  it.each([
    [
      '46, at the subscription',
      46,
      (c: Record<string, string>) => (c['accountToken'] = spoil(c['accountToken'])),
    ],
    ['46, at the call', 46, (c: Record<string, string>) => (c['toToken'] = spoil(c['toToken']))],
    ['64', 64, (c: Record<string, string>) => (c['realm'] = 'other.example')],
  ])('with %s is told in words, with the code for whoever is asked', async (_what, code, change) => {
    const visitor = await visit(stage.browser, stage.control.page, { prepare: tamper(change) });
    await visitor.page.click('#call');
    await visitor.shows('refused');
    expect(await visitor.page.textContent('#advice')).toContain(`(Code ${code})`);
    await visitor.screenshots(`gateway-${code}`);
    visitor.expectNoErrors(REFUSED_LOADS);
    await visitor.close();
  });

  it('with 35 says that the line takes no calls from the web', async () => {
    await stage.control.setPortal({ unrestrictedCalls: true, notEnabled: ['no-callme@kandy.example'] });
    const visitor = await visitLine('no-callme');
    await visitor.choose('no-callme');
    await visitor.page.click('#call');
    await visitor.shows('refused');
    expect(await visitor.page.textContent('#headline')).toBe('This line does not take calls from the web');
    expect(await visitor.page.textContent('#advice')).toContain('(Code 35)');
    visitor.expectNoErrors(REFUSED_LOADS);
    await visitor.close();
  });
});

it('a microphone that is refused is said so, and no credentials are used up for it', async () => {
  let asked = 0;
  const visitor = await visit(stage.browser, stage.control.page, { microphone: false });
  visitor.page.on('request', (request) => (asked += /\/credentials$/.test(request.url()) ? 1 : 0));
  await visitor.page.click('#call');
  await visitor.shows('microphone');
  expect(await visitor.page.textContent('#headline')).toBe('Your microphone is blocked');
  expect(asked).toBe(0);
  await visitor.screenshots('microphone-blocked');
  visitor.expectNoErrors();
  await visitor.close();
});
