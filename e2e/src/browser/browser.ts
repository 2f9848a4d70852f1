import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { keep, plantTokensIn } from '../canary/keep.ts';
import { ROOT } from '../processes.ts';

/** Folder of screenshots, kept by CI and ignored by git. */
const SCREENSHOTS = join(ROOT, 'artifacts', 'screenshots');

/** Time for a machine that is busy with other things too. */
export const PATIENCE_MS = 30_000;

/** Debian's Chromium with a microphone that beeps, and without the look-ups it makes at its start. */
export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CALLPASS_E2E_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
    ],
  });
}

/** A visitor's tab on the click-to-call page. */
export interface Visit {
  readonly page: Page;
  /** The bytes of audio that have gone each way in the newest call, from `RTCPeerConnection.getStats`. */
  audioBytes(): Promise<{ sent: number; received: number }>;
  /** Waits until the page shows this state. */
  shows(state: string): Promise<void>;
  choose(destination: string): Promise<void>;
  /** Keeps a picture, and the same in dark and on a phone. */
  screenshots(name: string): Promise<void>;
  /** Fails where the page has thrown, or has written an error that `allowed` does not name. */
  expectNoErrors(allowed?: RegExp): void;
  close(): Promise<void>;
}

/** Options of {@link visit}. */
export interface VisitOptions extends BrowserContextOptions {
  /** Permission for the microphone. Default: granted. */
  readonly microphone?: boolean;
  /** Runs before the page is opened, for routes. */
  readonly prepare?: (page: Page) => Promise<unknown>;
}

/** Opens the page as a visitor of its own, with no cookies from before. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { microphone = true, prepare, ...rest } = options;
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    // Pictures show states, not the way between them.
    reducedMotion: 'reduce',
    permissions: microphone ? ['microphone'] : [],
    ...rest,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('pageerror', (error) => {
    keep('browser.txt', `${error.stack}\n`);
  });
  page.on('console', (message) => {
    keep('browser.txt', `${message.text()}\n`);
  });
  page.on('response', (response) => {
    if (response.headers()['content-type']?.includes('json'))
      response.text().then(plantTokensIn, () => undefined);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} ${message.location().url}`);
  });
  await page.addInitScript(keepConnections);
  await prepare?.(page);
  await page.goto(url);
  return {
    page,
    audioBytes: () => page.evaluate(readAudioBytes),
    shows: async (state) => {
      await page.locator(`#stage[data-state="${state}"]`).waitFor();
    },
    choose: (destination) =>
      page.locator('.choice', { has: page.locator(`[value="${destination}"]`) }).click(),
    screenshots: (name) => keepScreenshots(page, name),
    expectNoErrors(allowed) {
      expect(errors.filter((error) => allowed?.test(error) !== true)).toEqual([]);
    },
    close: () => context.close(),
  };
}

/** Runs in the page: keeps every connection that the SDK makes, so that their statistics can be read. */
function keepConnections(): void {
  const kept: RTCPeerConnection[] = [];
  const Original = RTCPeerConnection;
  Object.assign(globalThis, { keptConnections: kept });
  globalThis.RTCPeerConnection = new Proxy(Original, {
    construct(target, args: [RTCConfiguration?]) {
      const made = new target(...args);
      kept.push(made);
      return made;
    },
  });
}

/** Runs in the page. */
async function readAudioBytes(): Promise<{ sent: number; received: number }> {
  const { keptConnections } = globalThis as unknown as { keptConnections: RTCPeerConnection[] };
  let [sent, received] = [0, 0];
  for (const connection of keptConnections.slice(-1)) {
    for (const entry of (await connection.getStats()).values() as Iterable<Record<string, unknown>>) {
      if (entry['kind'] !== 'audio') continue;
      if (entry['type'] === 'outbound-rtp') sent += Number(entry['bytesSent']);
      if (entry['type'] === 'inbound-rtp') received += Number(entry['bytesReceived']);
    }
  }
  return { sent, received };
}

async function keepScreenshots(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  const viewport = page.viewportSize();
  const shoot = (kind: string) =>
    page.screenshot({ path: join(SCREENSHOTS, `${name}-${kind}.png`), fullPage: true });
  await page.emulateMedia({ colorScheme: 'light' });
  await shoot('light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await shoot('dark');
  await page.emulateMedia({ colorScheme: 'light' });
  for (const width of [390, 360]) {
    await page.setViewportSize({ width, height: 844 });
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      if (width === 390) await shoot(`phone-${colorScheme}`);
      // Nothing may stick out on a phone, the smallest ones included.
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  if (viewport) await page.setViewportSize(viewport);
}

/** Asks again and again until the answer is true. */
export async function eventually(ask: () => Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
