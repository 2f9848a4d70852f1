import { create } from '@bufbuild/protobuf';
import {
  TokenKind,
  ValidateTokenResponseSchema,
  Verdict,
  enumNames,
  type ValidateTokenResponse,
} from '@callpass/contract';
import { times } from '../state/messages.ts';
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
