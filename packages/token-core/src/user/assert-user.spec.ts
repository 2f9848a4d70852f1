import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { assertUser, UserInvalidError, type UserFault } from './assert-user.ts';

const atLength = (bytes: number): string => `${'u'.repeat(bytes - 2)}@d`;

const atLengthOf = (extra: number): string => `u@${'d'.repeat(extra)}`;

describe('assertUser', () => {
  it.each([
    'user1@kandy.io',
    'u@k',
    'zoë@kandy.example.com',
    '電話@例え.jp',
    '😀@kandy.example',
    '+49.30-1=2_3%20@10.0.0.1',
    'siphon@kandy.io',
    atLength(256),
    `${'ë'.repeat(127)}@d`,
  ])('accepts %s', (user) => {
    expect(() => assertUser(user)).not.toThrow();
  });

  const refused: [UserFault, string[]][] = [
    ['EMPTY', ['']],
    ['TOO_LONG', [atLength(257), `${'ë'.repeat(128)}@d`, 'x'.repeat(100_000)]],
    ['SEMICOLON', ['a;b@c', 'a@b;1700000000123', ';@b']],
    ['CONTROL_CHARACTER', ['a\u0000@b', 'a@b\n', 'a\u001f@b', 'a\u007f@b', 'a\u0080@b', 'a@b\u009f']],
    ['NOT_UNICODE', ['a\ud800@b', 'a@b\udc00']],
    ['SIP_PREFIX', ['sip:a@b', 'SIP:a@b', 'sips:a@b']],
    ['NOT_USER_AT_DOMAIN', ['a', '@', 'a@', '@b', 'a@b@c', 'a@@b']],
  ];
  it.each(refused.flatMap(([reason, users]) => users.map((user) => ({ reason, user }))))(
    'refuses for $reason: $user',
    ({ reason, user }) => {
      const refusal = refusalOf(user);
      expect(refusal).toBeInstanceOf(UserInvalidError);
      expect(refusal).toMatchObject({ code: 'USER_INVALID', reason });
      if (user.length > 2) expect(refusal.message).not.toContain(user);
    },
  );

  it('accepts what the rule, read plainly, accepts, and nothing else', () => {
    const near = fc.string({
      unit: fc.constantFrom(...'@;:sipSIP ~\u001f\u007f\u0080\u009fëa', '😀', '\ud800'),
      maxLength: 12,
    });
    const text = fc.oneof(near, fc.tuple(near, near).map((sides) => sides.join('@')), fc.nat({ max: 300 }).map(atLengthOf)); // prettier-ignore
    fc.assert(
      fc.property(text, (user) => {
        const sides = user.split('@');
        const holds =
          sides.length === 2 &&
          sides.every((side) => side !== '') &&
          Buffer.byteLength(user) <= 256 &&
          !/[;\p{Cc}]/u.test(user) &&
          user.isWellFormed() &&
          !/^sips?:/i.test(user);
        return isAccepted(user) === holds;
      }),
      { numRuns: 20_000 },
    );
  });

  it('takes what is no string for a mistake of the programmer', () => {
    for (const user of [undefined, null, 7, {}]) {
      expect(() => assertUser(user as string)).toThrow(TypeError);
    }
  });
});

function refusalOf(user: string): UserInvalidError {
  try {
    assertUser(user);
  } catch (error) {
    return error as UserInvalidError;
  }
  throw new Error('the user was accepted');
}

function isAccepted(user: string): boolean {
  try {
    assertUser(user);
    return true;
  } catch {
    return false;
  }
}
