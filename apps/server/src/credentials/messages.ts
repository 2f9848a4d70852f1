import { create } from '@bufbuild/protobuf';
import { timestampFromMs, type Timestamp } from '@bufbuild/protobuf/wkt';
import {
  TokenKind,
  ValidateTokenResponseSchema,
  Verdict,
  enumNames,
  type ValidateTokenResponse,
} from '@callpass/contract';
import type { TokenVerification, TokenKind as CoreTokenKind } from '@callpass/token-core';

/** A verification as the contract's message. `stale`: it is by a state that may not be the newest. */
export function verificationToMessage(
  verification: TokenVerification,
  stale: boolean,
): ValidateTokenResponse {
  return create(ValidateTokenResponseSchema, {
    verdict: Verdict[verification.verdict],
    user: verification.user ?? '',
    keyVersion: verification.keyVersion ?? 0,
    stale,
    ...times({ issueTime: verification.issueTimeMs, expireTime: verification.expireTimeMs }),
  });
}

const kindOf = enumNames(TokenKind);

/** The kind asked for; `undefined` for any. */
export function kindFromMessage(kind: TokenKind): CoreTokenKind | undefined {
  return kind === TokenKind.TOKEN_KIND_UNSPECIFIED ? undefined : kindOf(kind);
}

/** Leaves out the times that are not set: protobuf-es tells an absent field from one that is undefined. */
export function times<K extends string>(
  values: Readonly<Record<K, number | undefined>>,
): Partial<Record<K, Timestamp>> {
  const present: Partial<Record<K, Timestamp>> = {};
  for (const key in values) {
    const value = values[key];
    if (value !== undefined) present[key] = timestampFromMs(value);
  }
  return present;
}
