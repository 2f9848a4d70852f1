import { describe, expect, it } from '@jest/globals';
import { readGatewayRequest } from '../index.ts';

const TOKEN = 'AB12'.repeat(16);
const BASE = `/rest/version/1/anonymous/${TOKEN}`;
const REALM = 'tokenrealm=support.example';
const START = {
  type: 'callStart',
  to: 'CD'.repeat(32),
  from: 'EF'.repeat(32),
  sdp: 'v=0\r\n',
  notifyChannelId: '0198c0de-0000',
};
const bodyOf = (start: object) => JSON.stringify({ callMeRequest: start });
const read = (method: string, path: string, body?: string, query = `?${REALM}`) =>
  readGatewayRequest({ method, uri: `${BASE}${path}${query}`, body });
const start = (body: string) => read('POST', '/callMe', body);

describe('readGatewayRequest', () => {
  it.each([
    ['POST', '/subscription', 'SUBSCRIBE'],
    ['PUT', '/subscription/0198-a_b~c', 'RENEW_SUBSCRIPTION'],
    ['DELETE', '/subscription/0198', 'END_SUBSCRIPTION'],
    ['POST', '/callMe', 'START_CALL'],
    ['PUT', '/callMe/callSessions/ac1.2:x@y', 'CONTINUE_CALL'],
    ['DELETE', '/callMe/callSessions/0198', 'END_CALL'],
  ])('reads %s …%s as %s, with the account token and the realm', (method, path, step) => {
    expect(read(method, path)).toEqual({ step, realm: 'support.example', accountToken: TOKEN });
  });

  it('reads the rest of the set from the body that starts a call', () => {
    const more = { supported: ['earlymedia'], customParameters: [{ name: 'a', value: 'ü"\\\n' }] };
    expect(start(bodyOf({ ...START, ...more }))).toMatchObject({
      step: 'START_CALL',
      callStart: { fromToken: START.from, toToken: START.to, channelId: START.notifyChannelId },
    });
  });

  it('reads a realm that is encoded, once', () => {
    expect(read('POST', '/subscription', undefined, '?tokenrealm=a%20b%2Bc')?.realm).toBe('a b+c');
    for (const value of ['a%2520b', 'a%25', 'a%00', 'a%c3%a4', 'a%ff', 'a%2', 'a+b', '', 'a'.repeat(129)])
      expect(read('POST', '/subscription', undefined, `?tokenrealm=${value}`)).toBeUndefined();
  });

  it.each([
    ['no query', ''],
    ['an empty query', '?'],
    ['the realm twice', `?${REALM}&${REALM}`],
    ['another member behind', `?${REALM}&a=b`],
    ['another member before', `?a=b&${REALM}`],
    ['a second question mark', `?${REALM}?${REALM}`],
    ['a fragment', `?${REALM}#x`],
    ['the name in capitals', `?TOKENREALM=support.example`],
    ['the name encoded', `?%74okenrealm=support.example`],
    ['a line end', `?${REALM}\n`],
  ])('reads nothing with %s', (_, query) => {
    expect(read('POST', '/subscription', undefined, query)).toBeUndefined();
  });

  it.each([
    ['another method', 'GET', `${BASE}/subscription`],
    ['a method in small letters', 'post', `${BASE}/subscription`],
    ['the method of another path', 'PUT', `${BASE}/callMe`],
    ['another resource', 'POST', `${BASE}/callMe/callSessions`],
    ['a session of dots', 'PUT', `${BASE}/callMe/callSessions/..`],
    ['a session with a path in it', 'PUT', `${BASE}/callMe/callSessions/a/b`],
    ['an encoded slash', 'POST', `/rest/version/1/anonymous/${TOKEN}%2Fsubscription`],
    ['an encoded letter', 'POST', `/rest/version/1/anonymous/${TOKEN}/%73ubscription`],
    ['a letter encoded twice', 'POST', `/rest/version/1/anonymous/${TOKEN}/%2573ubscription`],
    ['a slash twice', 'POST', `/rest//version/1/anonymous/${TOKEN}/subscription`],
    ['a slash at the end', 'POST', `${BASE}/subscription/`],
    ['dots', 'POST', `/x/..${BASE}/subscription`],
    ['a parameter of a segment', 'POST', `/rest/version/1/anonymous/${TOKEN};a=b/subscription`],
    ['a prefix', 'POST', `/x${BASE}/subscription`],
    ['another version', 'POST', `/rest/version/2/anonymous/${TOKEN}/subscription`],
    ['no token', 'POST', '/rest/version/1/anonymous//subscription'],
    ['half a token', 'POST', `/rest/version/1/anonymous/${TOKEN.slice(0, 31)}/subscription`],
    ['a user instead of a token', 'POST', '/rest/version/1/anonymous/support@kandy.example/subscription'],
    ['a token of 64 KiB', 'POST', `/rest/version/1/anonymous/${'A'.repeat(65_536)}/subscription`],
    ['a host before it', 'POST', `http://gateway.example${BASE}/subscription`],
  ])('reads nothing with %s', (_, method, path) => {
    expect(readGatewayRequest({ method, uri: `${path}?${REALM}` })).toBeUndefined();
  });

  const text = bodyOf(START);
  it.each([
    ['no JSON', 'from=a&to=b'],
    ['a list', `[${text}]`],
    ['another request', JSON.stringify({ subscribeRequest: {} })],
    ['another request beside it', JSON.stringify({ callMeRequest: START, subscribeRequest: {} })],
    ['another type', bodyOf({ ...START, type: 'audit' })],
    ['no from token', bodyOf({ ...START, from: undefined })],
    ['an empty to token', bodyOf({ ...START, to: '' })],
    ['a user instead of a token', bodyOf({ ...START, to: 'sip:support@kandy.example' })],
    ['a list for a token', bodyOf({ ...START, to: [START.to] })],
    ['no channel', bodyOf({ ...START, notifyChannelId: undefined })],
    ['a member that is not known', bodyOf({ ...START, TO: START.from })],
    ['a member twice', text.replace('"to":', `"to":"${START.from}","to":`)],
    ['the request twice', text.replace('{', `{"callMeRequest":{},`)],
    ['a name with an escape', text.replace('"to"', '"\\u0074o"')],
    ['white space', ` ${text}`],
    ['something behind', `${text}{}`],
    ['a byte order mark', `\ufeff${text}`],
    ['the prototype', text.replace('{"type"', '{"__proto__":{"to":"x"},"type"')],
    ['no end', text.slice(0, -1)],
    ['a depth of 200,000', `{"callMeRequest":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
  ])('reads no call from a body with %s', (_, body) => {
    expect(start(body)).toBeUndefined();
  });
});
