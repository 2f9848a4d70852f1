import { describe, expect, it } from '@jest/globals';
import { readGrant, readProblem } from './answers.ts';

const NOW = Date.UTC(2026, 10, 25, 9);
const answer = {
  callee: 'support@kandy.example',
  credentials: { accountToken: 'A', fromToken: 'F', toToken: 'T', realm: 'support.example' },
  callOptions: { from: 'anonymous@kandy.example' },
  refreshAt: '2026-11-25T09:08:00.000Z',
  expiresAt: '2026-11-25T09:10:00.000Z',
};

describe('a grant', () => {
  it('is read with its times on the visitor’s clock, however wrong that is', () => {
    const hour = 3_600_000;
    const grant = readGrant(answer, hour, NOW + hour);
    expect(grant.expiresAtMs).toBe(NOW + hour + 600_000);
    expect(grant.refreshAtMs).toBe(NOW + hour + 480_000);
    expect(grant.credentials).toEqual(answer.credentials);
  });

  it('of an unrestricted call has no tokens and no end', () => {
    const grant = readGrant(
      { callee: 'l@k.example', credentials: {}, callOptions: { from: 'a@k.example' } },
      0,
      NOW,
    );
    expect(grant).toMatchObject({ credentials: {}, refreshAtMs: undefined, expiresAtMs: undefined });
  });

  it.each([
    ['no object', null],
    ['a list', []],
    ['the vendor’s error in a 200', { message: 'Identifier not found!' }],
    ['no callee', { ...answer, callee: undefined }],
    ['no caller', { ...answer, callOptions: {} }],
    ['no credentials', { ...answer, credentials: undefined }],
    ['a token missing', { ...answer, credentials: { ...answer.credentials, toToken: undefined } }],
    ['a token that is empty', { ...answer, credentials: { ...answer.credentials, toToken: '' } }],
  ])('%s is no grant, so no call is placed', (_what, body) => {
    expect(() => readGrant(body, 0, NOW)).toThrow(TypeError);
  });
});

describe('a problem', () => {
  it('is read with its reason and when to come back', () => {
    const body = { reason: 'DESTINATION_CLOSED', opensAt: '2026-11-25T10:00:00Z' };
    expect(readProblem(403, body, '3600')).toEqual({
      status: 403,
      reason: 'DESTINATION_CLOSED',
      opensAtMs: NOW + 3_600_000,
      retryAfterMs: 3_600_000,
    });
  });

  it('is read with the edge’s text for people', () => {
    expect(readProblem(403, { reason: 'FROZEN', title: 'stopped' }, null).title).toBe('stopped');
  });

  it.each([undefined, null, 'text', [], { reason: 7, opensAt: 'soon' }])(
    '%j says no more than its status',
    (body) => {
      expect(readProblem(502, body, 'Wed, 25 Nov 2026 10:00:00 GMT')).toEqual({ status: 502 });
    },
  );
});
