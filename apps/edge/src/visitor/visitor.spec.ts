import { afterEach, describe, expect, it } from '@jest/globals';
import { lastSubject, startTestEdge, type TestEdge } from '../testing/test-edge.ts';
import type { EdgeOptions } from '../plugin/options.ts';

const [SECRET, NEXT] = ['s'.repeat(32), 'n'.repeat(32)];
const edges: TestEdge[] = [];
const start = async (options: Partial<EdgeOptions> = {}) => {
  const edge = await startTestEdge(options);
  edges.push(edge);
  return edge;
};
afterEach(() => Promise.all(edges.splice(0).map(({ app }) => app.close())));

/** Asks once and gives what the browser would keep, and who it was asked for. */
async function visit(edge: TestEdge, headers: Record<string, string> = {}, remoteAddress = '127.0.0.1') {
  const answer = await edge.issue(headers, { remoteAddress });
  const setCookie = answer.headers['set-cookie'] as string | undefined;
  return { setCookie, cookie: setCookie?.split(';')[0] ?? '', subject: lastSubject(edge.client), answer };
}

describe('a visitor', () => {
  it('is recognised by a cookie that scripts cannot read and other sites do not send', async () => {
    const edge = await start({ visitor: { secrets: [SECRET] } });
    const first = await visit(edge);
    expect(first.setCookie).toMatch(
      /^callpass-visitor=[\w-]{22}\.\S+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const again = await visit(edge, { cookie: `other=1; ${first.cookie}` });
    expect(again.subject).toBe(first.subject);
    expect(again.setCookie).toBeUndefined();
    expect((await visit(edge)).subject).not.toBe(first.subject);
  });

  it.each([
    ['another id', (cookie: string) => cookie.replace(/=.{4}/, '=AAAA')],
    ['a cut signature', (cookie: string) => cookie.slice(0, -3)],
    ['no signature', (cookie: string) => cookie.split('.')[0] ?? ''],
    ['no value', () => 'callpass-visitor='],
    ['rubbish', () => 'callpass-visitor=%00%ff; callpass-visitor'],
  ])('with a forged cookie (%s) is a new one, and no error', async (_what, forge) => {
    const edge = await start({ visitor: { secrets: [SECRET] } });
    const first = await visit(edge);
    const forged = await visit(edge, { cookie: forge(first.cookie) });
    expect(forged.answer.statusCode).toBe(200);
    expect(forged.subject).toMatch(/^[\w-]{22}$/);
    expect(forged.subject).not.toBe(first.subject);
    expect(forged.setCookie).toBeDefined();
  });

  it('stays the same while secrets are rotated, and gets a cookie under the new one', async () => {
    const before = await start({ visitor: { secrets: [SECRET] } });
    const first = await visit(before);
    const during = await start({ visitor: { secrets: [NEXT, SECRET] } });
    const second = await visit(during, { cookie: first.cookie });
    expect(second.subject).toBe(first.subject);
    const after = await start({ visitor: { secrets: [NEXT] } });
    expect((await visit(after, { cookie: second.cookie })).subject).toBe(first.subject);
    expect((await visit(after, { cookie: first.cookie })).subject).not.toBe(first.subject);
  });

  it('over HTTPS has a cookie that no plain page can plant', async () => {
    const edge = await start({ visitor: { secrets: [SECRET] }, trustedProxies: ['127.0.0.1'] });
    const secure = { 'x-forwarded-proto': 'https' };
    const first = await visit(edge, secure);
    expect(first.setCookie).toMatch(/^__Host-callpass-visitor=.*; Secure; SameSite=Lax$/);
    expect(first.answer.headers['strict-transport-security']).toBeDefined();
    expect((await visit(edge, { ...secure, cookie: first.cookie })).subject).toBe(first.subject);
    const planted = first.cookie.replace('__Host-', '');
    expect((await visit(edge, { ...secure, cookie: planted })).subject).not.toBe(first.subject);
  });

  it('is whom a listed proxy names, and whom a stranger names is nobody', async () => {
    const edge = await start({ visitor: { header: 'x-visitor' }, trustedProxies: ['10.0.0.0/8'] });
    const named = { 'x-visitor': 'member-7' };
    const byProxy = await visit(edge, named, '10.1.2.3');
    expect(byProxy.subject).toBe('member-7');
    expect(byProxy.setCookie).toBeUndefined();
    expect((await visit(edge, named, '192.0.2.1')).subject).toMatch(/^[\w-]{22}$/);
    expect((await visit(edge, { 'x-visitor': 'x'.repeat(257) }, '10.1.2.3')).subject).toMatch(/^[\w-]{22}$/);
  });

  it('has the address that listed proxies have seen; what a stranger forwards does not count', async () => {
    const edge = await start({ limits: { perAddress: 1 }, trustedProxies: ['10.0.0.0/8'] });
    const from = async (remoteAddress: string, forwardedFor: string) =>
      (await edge.issue({ 'x-forwarded-for': forwardedFor }, { remoteAddress })).statusCode;
    expect(await from('10.0.0.1', '192.0.2.1')).toBe(200);
    expect(await from('10.0.0.2', '192.0.2.2')).toBe(200);
    // The part that the visitor has made up stands left of what the proxy has added.
    expect(await from('10.0.0.1', '203.0.113.9, 192.0.2.1')).toBe(429);
    expect(await from('198.51.100.1', '192.0.2.3')).toBe(200);
    expect(await from('198.51.100.1', '192.0.2.4')).toBe(429);
  });

  it('is not recognised by a secret that is too short to be one', async () => {
    await expect(startTestEdge({ visitor: { secrets: ['short'] } })).rejects.toThrow(/32 characters/);
    await expect(startTestEdge({ trustedProxies: ['not an address'] })).rejects.toThrow(TypeError);
  });
});
