// Makes the pictures of the page: a call, one on a phone, and a refused one there, in the sandbox and Chromium with a microphone
// that beeps.
//   node tools/picture/page.mjs           makes docs/images/page.png, page-phone.png and page-refused.png
//   node tools/picture/page.mjs --check   fails where the page has changed since (no browser needed)
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../launch/prepare.mjs';
import { withSandbox } from './with-sandbox.mjs';

const PICTURE = join(ROOT, 'docs', 'images', 'page.png');
const PHONE = join(ROOT, 'docs', 'images', 'page-phone.png');
const REFUSED = join(ROOT, 'docs', 'images', 'page-refused.png');
/** SHA-256 of the sources that the pictures were made from. */
const MADE_FROM = `${PICTURE}.made-from`;
const LIMIT_MS = 60_000;

const { pageSourcesHash } = await import('../../apps/sandbox/page/build.mjs');
if (process.argv.includes('--check')) {
  const current = existsSync(MADE_FROM) && readFileSync(MADE_FROM, 'utf8').trim() === pageSourcesHash();
  if (!current)
    console.log('docs/images/page.png shows an older page: node tools/picture/page.mjs makes it anew');
  process.exit(current ? 0 : 1);
}

await withSandbox(shoot);
writeFileSync(MADE_FROM, `${pageSourcesHash()}\n`);
console.log([PICTURE, PHONE, REFUSED].join('\n'));

async function shoot({ page: url, gateway }) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: process.env.CALLPASS_E2E_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--use-fake-device-for-media-stream',
    ],
  });
  try {
    const call = async (options) => {
      const context = await browser.newContext({ permissions: ['microphone'], ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(LIMIT_MS);
      await page.goto(url);
      await page.click('summary');
      await page.click('#call');
      return page;
    };
    const connected = async (options, path) => {
      const page = await call(options);
      await page.locator('#stage[data-state="connected"]').waitFor();
      await page.locator('#spans tr[data-span="callpass.ledger.group_commit"]').waitFor();
      await page.locator('#timer', { hasText: '0:05' }).waitFor();
      await page.screenshot({ path, fullPage: true });
      return page;
    };
    const onPhone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark' };
    const page = await connected({ viewport: { width: 1180, height: 800 }, colorScheme: 'light' }, PICTURE);
    await connected(onPhone, PHONE);

    await page.request.put(`${gateway}/sandbox/portal`, {
      data: { unrestrictedCalls: true, notEnabled: ['support@kandy.example'] },
    });
    const phone = await call(onPhone);
    const diagnosis = phone.locator('#diagnosis');
    await diagnosis.waitFor();
    const { y, height } = await diagnosis.boundingBox();
    await phone.setViewportSize({ width: 390, height: Math.ceil(y + height) + 20 });
    await phone.screenshot({ path: REFUSED });
  } finally {
    await browser.close();
  }
}
