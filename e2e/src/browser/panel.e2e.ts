import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page, Route } from 'playwright-core';
import { eventually, visit, type Visit, type VisitOptions } from './browser.ts';
import { startStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
}, 180_000);
// Undefined where it could not be started.
afterAll(() => (stage as Stage | undefined)?.close());

const FAILED_LOADS = /Failed to load resource|WebSocket connection to/;
const CREDENTIALS = '**/v1/destinations/*/credentials';

/** The SDK tries its WebSocket again until the page gives up after half a minute. */
const GIVE_UP_MS = 60_000;

/** Calls with the panel open, and waits for the failure. */
async function failedCall(prepare: VisitOptions['prepare'], options: VisitOptions = {}): Promise<Visit> {
  const visitor = await visit(stage.browser, stage.control.page, { ...options, ...(prepare && { prepare }) });
  await visitor.page.click('summary');
  await visitor.page.click('#call');
  await visitor.page.locator('#diagnosis:visible').waitFor({ timeout: GIVE_UP_MS });
  return visitor;
}

/** The steps that the panel shows, as `step: status, outcome`. */
function stepsOf({ page }: Visit): Promise<string[]> {
  return page.$$eval('#steps tr', (rows) =>
    (rows as HTMLElement[]).map(
      ({ dataset, lastElementChild }) =>
        `${dataset['step']}: ${dataset['status']}, ${lastElementChild?.textContent}`,
    ),
  );
}

/** The step that failed with its outcome; expects the steps before it to be done and those after it not reached. */
async function failedStepOf(visitor: Visit): Promise<string | undefined> {
  const steps = await stepsOf(visitor);
  const at = steps.findIndex((step) => step.includes(': failed, '));
  const statuses = steps.map((step) => step.replace(/^\w+: (\w+),.*$/, '$1'));
  expect(statuses).toEqual(statuses.map((_, i) => (i < at ? 'done' : i === at ? 'failed' : 'pending')));
  return steps[at];
}

const cause = ({ page }: Visit) => page.textContent('#cause');
const next = ({ page }: Visit) => page.textContent('#next');
const rank = ({ page }: Visit) => page.getAttribute('#call', 'data-rank');

const abort = (pattern: string) => (page: Page) => page.route(pattern, (route) => route.abort());
const spoil = (token = '') => `${token.startsWith('0') ? '1' : '0'}${token.slice(1)}`;
const tamper = (change: (credentials: Record<string, string>) => void) => (page: Page) =>
  page.route(CREDENTIALS, async (route: Route) => {
    const response = await route.fetch();
    const json = (await response.json()) as { credentials: Record<string, string> };
    change(json.credentials);
    await route.fulfill({ response, json });
  });
const refuse =
  (status: number, reason: string, headers = {}) =>
  (page: Page) =>
    page.route(CREDENTIALS, (route) =>
      route.fulfill({
        status,
        headers,
        contentType: 'application/problem+json',
        json: { type: 'about:blank', title: 'fixed text', status, reason, traceId: '0'.repeat(32) },
      }),
    );

describe('a refusal of the gateway', () => {
  it('with 35 at the start of the call is not shown as a success, and another call is not the main action', async () => {
    await stage.control.setPortal({ unrestrictedCalls: true, notEnabled: ['support@kandy.example'] });
    const visitor = await failedCall(undefined);
    await stage.control.setPortal({ unrestrictedCalls: true, notEnabled: [] });
    expect(await failedStepOf(visitor)).toBe('call: failed, refused: code 35');
    expect(await cause(visitor)).toBe(
      'The gateway refused the start of the call (POST …/callMe) with code 35: the CallMe service is not enabled.',
    );
    expect(await next(visitor)).toContain('Enable CallMe');
    expect(await visitor.page.textContent('#see-page')).toBe('docs/guides/refused-call.md');
    expect([await visitor.page.textContent('#call'), await rank(visitor)]).toEqual([
      'Try again',
      'secondary',
    ]);
    await visitor.screenshots('panel-35');
    visitor.expectNoErrors(FAILED_LOADS);
    await visitor.close();
  });

  it('with 35 at the subscription names that step', async () => {
    await stage.control.setPortal({ unrestrictedCalls: true, notEnabled: ['lobby@kandy.example'] });
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('summary');
    await visitor.choose('lobby');
    await visitor.page.click('#call');
    await visitor.shows('refused');
    await stage.control.setPortal({ unrestrictedCalls: true, notEnabled: [] });
    expect(await failedStepOf(visitor)).toBe('subscription: failed, refused: code 35');
    await visitor.close();
  });

  it.each([
    ['subscription', 46, (c: Record<string, string>) => (c['accountToken'] = spoil(c['accountToken']))],
    ['call', 46, (c: Record<string, string>) => (c['toToken'] = spoil(c['toToken']))],
    ['subscription', 64, (c: Record<string, string>) => (c['realm'] = 'other.example')],
  ])('at the %s with %i names step and code', async (step, code, change) => {
    const visitor = await failedCall(tamper(change));
    expect(await failedStepOf(visitor)).toBe(`${step}: failed, refused: code ${code}`);
    expect(await cause(visitor)).toContain(`with code ${code}: `);
    expect(await rank(visitor)).toBe('secondary');
    visitor.expectNoErrors(FAILED_LOADS);
    await visitor.close();
  });
});

describe('a gateway that does not answer', () => {
  it('at the subscription is named', async () => {
    const visitor = await failedCall(abort('**/rest/**'));
    expect(await failedStepOf(visitor)).toBe('subscription: failed, no answer');
    expect(await rank(visitor)).toBe('primary');
    await visitor.close();
  }, 120_000);

  it('with its WebSocket is named', async () => {
    const visitor = await failedCall((page) =>
      page.routeWebSocket(/\/websocket\//, (socket) => socket.close({ code: 1011 })),
    );
    expect((await failedStepOf(visitor))?.replace(/,.*/, '')).toBe('websocket: failed');
    expect(await cause(visitor)).toContain('WebSocket for notifications');
    await visitor.close();
  }, 120_000);

  it('at the start of the call is named', async () => {
    const visitor = await failedCall(abort('**/callMe?**'));
    expect(await failedStepOf(visitor)).toBe('call: failed, no answer');
    await visitor.close();
  }, 120_000);

  it('because the SDK was not loaded is named', async () => {
    const visitor = await failedCall(abort('**/callme-sdk.js'));
    expect(await failedStepOf(visitor)).toBe('subscription: failed, SDK not loaded');
    await visitor.close();
  });

  it('during the call, after the audio connection has failed, ends the call and is named', async () => {
    const visitor = await visit(stage.browser, stage.control.page);
    await visitor.page.click('summary');
    await visitor.page.click('#call');
    await visitor.shows('connected');
    await visitor.page.evaluate(() => {
      const { keptConnections } = globalThis as unknown as { keptConnections: RTCPeerConnection[] };
      const connection = keptConnections.at(-1);
      if (connection === undefined) throw new Error('no connection');
      Object.defineProperty(connection, 'iceConnectionState', { get: () => 'failed' });
      connection.dispatchEvent(new Event('iceconnectionstatechange'));
    });
    await visitor.shows('unavailable');
    expect(await visitor.page.textContent('#headline')).toBe('The connection was lost');
    expect(await failedStepOf(visitor)).toBe('audio: failed, connection lost');
    await visitor.close();
  });
});

describe('a failure of the edge', () => {
  it.each([
    [403, 'FROZEN', 'secondary'],
    [403, 'CLIENT_NOT_GRANTED', 'secondary'],
    [403, 'DESTINATION_DISABLED', 'secondary'],
    [403, 'HUMAN_CHECK_REQUIRED', 'secondary'],
    [502, 'CLIENT_UNKNOWN', 'primary'],
    [503, 'SERVICE_UNREACHABLE', 'primary'],
    [422, 'A_REASON_OF_TOMORROW', 'secondary'],
  ])('%i %s is named with what to do next', async (status, reason, expectedRank) => {
    const visitor = await failedCall(refuse(status, reason));
    expect(await failedStepOf(visitor)).toBe(`credentials: failed, refused: ${status} ${reason}`);
    expect(await cause(visitor)).toBe(`The edge refused the credentials: ${status} ${reason}, fixed text.`);
    expect((await next(visitor))?.length).toBeGreaterThan(20);
    expect(await rank(visitor)).toBe(expectedRank);
    await visitor.close();
  });

  it('with Retry-After makes another call the main action only after that time', async () => {
    const visitor = await failedCall(refuse(429, 'LIMIT_EXCEEDED', { 'retry-after': '3' }));
    const button = async () => [
      await rank(visitor),
      await visitor.page.getAttribute('#call', 'aria-disabled'),
    ];
    expect(await button()).toEqual(['secondary', 'true']);
    await eventually(async () => (await rank(visitor)) === 'primary', 'the call is possible again');
    expect(await button()).toEqual(['primary', 'false']);
    await visitor.close();
  });

  it('that is no answer, or none that can be used, is named', async () => {
    const unreachable = await failedCall(abort(CREDENTIALS));
    expect(await failedStepOf(unreachable)).toBe('credentials: failed, no answer');
    await unreachable.close();
    const unusable = await failedCall((page) =>
      page.route(CREDENTIALS, (route) => route.fulfill({ json: { message: 'Identifier not found!' } })),
    );
    expect(await failedStepOf(unusable)).toBe('credentials: failed, unusable answer');
    await unusable.close();
  });
});

it('a lost network is called that, to the visitor too', async () => {
  const visitor = await visit(stage.browser, stage.control.page);
  await visitor.page.click('summary');
  await visitor.page.context().setOffline(true);
  await visitor.page.click('#call');
  await visitor.shows('unavailable');
  expect(await visitor.page.textContent('#headline')).toBe('You are offline');
  expect(await failedStepOf(visitor)).toBe('credentials: failed, offline');
  expect(await rank(visitor)).toBe('secondary');
  await visitor.close();
});

it('a microphone that is refused is the step that failed', async () => {
  const visitor = await failedCall(undefined, { microphone: false });
  expect(await failedStepOf(visitor)).toBe('microphone: failed, denied');
  expect(await rank(visitor)).toBe('secondary');
  await visitor.close();
});

it('no visitor is told of ciphers, whichever line is chosen', async () => {
  const visitor = await visit(stage.browser, stage.control.page);
  for (const destination of ['support', 'support-cbc', 'lobby']) {
    await visitor.choose(destination);
    expect(await visitor.page.locator('.card').innerText()).not.toMatch(/AES|ECB|CBC|cipher/i);
  }
  await visitor.close();
});

it('mute says what it does, and that it is on', async () => {
  const visitor = await visit(stage.browser, stage.control.page);
  await visitor.page.click('#call');
  await visitor.shows('connected');
  const mute = (pressed: boolean) =>
    visitor.page.getByRole('button', { name: 'Mute microphone', exact: true, pressed });
  await mute(false).click();
  await mute(true).waitFor();
  expect(await visitor.page.textContent('#headline')).toBe('Your microphone is off');
  await mute(true).click();
  await mute(false).waitFor();
  expect(await visitor.page.textContent('#headline')).toBe('Connected');
  await visitor.page.click('#hang-up');
  await visitor.close();
});

it.each(['light', 'dark'] as const)('the trace is readable on a phone, %s', async (colorScheme) => {
  const visitor = await visit(stage.browser, stage.control.page, {
    viewport: { width: 390, height: 844 },
    colorScheme,
  });
  await visitor.page.click('summary');
  await visitor.page.click('#call');
  await visitor.shows('connected');
  await visitor.page.locator('#spans tr[data-span="callpass.ledger.group_commit"]').waitFor();
  const rows = await visitor.page.$$eval('#spans tr', (all) =>
    all.map((row) => ({
      role: row.role,
      isCut: [...row.children].some((cell) => cell.scrollWidth > cell.clientWidth + 1),
      hasService: row.querySelector('.service')?.checkVisibility() === true,
      lines: Math.round((row.querySelector('th')?.clientHeight ?? 0) / 18),
      barSpace: row.querySelector('.bar')?.clientWidth ?? 0,
    })),
  );
  expect(rows.length).toBeGreaterThan(5);
  for (const row of rows) {
    expect(row).toMatchObject({ role: 'row', isCut: false, hasService: true });
    expect(row.lines).toBeLessThanOrEqual(2);
    expect(row.barSpace).toBeGreaterThan(120);
  }
  expect(await visitor.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await visitor.page.click('#hang-up');
  await visitor.close();
});
