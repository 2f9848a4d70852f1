import { describe, expect, it } from '@jest/globals';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { IssueCredentialsResponseSchema } from '@callpass/contract';
import { isFresh } from './freshness.ts';
import { makeAnonymousArguments } from './make-anonymous-arguments.ts';

const timeLimited = create(IssueCredentialsResponseSchema, {
  grant: {
    case: 'timeLimited',
    value: { accountToken: 'AA', fromToken: 'BB', toToken: 'CC', realm: 'support.example' },
  },
  callee: 'support@kandy.example',
  caller: 'anonymous@kandy.example',
  expireTime: timestampFromMs(600_000),
  refreshTime: timestampFromMs(480_000),
});
const unrestricted = create(IssueCredentialsResponseSchema, {
  grant: { case: 'unrestricted', value: {} },
  callee: 'lobby@kandy.example',
  caller: 'anonymous@kandy.example',
});

describe('makeAnonymousArguments', () => {
  it('gives callee, the four credentials and the caller, as the plain objects that the SDK takes', () => {
    const [callee, credentials, callOptions] = makeAnonymousArguments(timeLimited, {
      audio: true,
      from: 'x@y',
    });
    expect(callee).toBe('support@kandy.example');
    expect(credentials).toEqual({
      accountToken: 'AA',
      fromToken: 'BB',
      toToken: 'CC',
      realm: 'support.example',
    });
    expect(callOptions).toEqual({ audio: true, from: 'anonymous@kandy.example' });
  });

  it('gives empty credentials for an unrestricted call', () => {
    expect(makeAnonymousArguments(unrestricted)).toEqual([
      'lobby@kandy.example',
      {},
      { from: 'anonymous@kandy.example' },
    ]);
  });

  it('never makes an unrestricted call of an answer without a grant', () => {
    const empty = create(IssueCredentialsResponseSchema, { callee: 'a@b', caller: 'c@d' });
    expect(() => makeAnonymousArguments(empty)).toThrow(/no grant/);
  });
});

describe('isFresh', () => {
  it('ends at the refresh time, not at the expiry', () => {
    expect(isFresh(timeLimited, 479_999)).toBe(true);
    expect(isFresh(timeLimited, 480_000)).toBe(false);
  });

  it('never ends for unrestricted calls', () => {
    expect(isFresh(unrestricted, Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('never holds for time-limited credentials without a refresh time, or for no grant', () => {
    const { refreshTime: _, ...timeless } = timeLimited;
    expect(isFresh(create(IssueCredentialsResponseSchema, timeless), 0)).toBe(false);
    expect(isFresh(create(IssueCredentialsResponseSchema), 0)).toBe(false);
  });
});
