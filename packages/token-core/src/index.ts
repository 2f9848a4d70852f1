export { type Cipher } from './cipher/cipher-table.ts';
export { KeyDestroyedError, KeyLengthError, openRealmKey, type RealmKey } from './key/realm-key.ts';
export { generateKeyText, keyBytesOf } from './key/generate-key-text.ts';
export { assertUser, MAX_USER_BYTES, type UserFault, UserInvalidError } from './user/assert-user.ts';
export { type RandomSource, systemRandom } from './random/random-source.ts';
export {
  type CallToEncrypt,
  type CallUsers,
  encryptAll,
  encryptCredentials,
  type EncryptedCredentials,
  type EncryptOptions,
  encryptToken,
} from './token/encrypt.ts';
export { type DecryptedToken, type TimestampUnit, type TokenKind } from './token/plaintext.ts';
export { canonicalToken } from './token/form.ts';
export { decryptToken, type RealmKeyVersion } from './token/decrypt.ts';
export { type VerificationRules, verifyToken, type TokenVerification, type Verdict } from './token/verify.ts';
export {
  type CredentialsVerification,
  type CredentialsRules,
  verifyCredentials,
} from './token/verify-credentials.ts';
export { type Diagnosis, explainToken } from './explain/explain.ts';
export { type Finding, type FindingCode, type FindingDetails } from './explain/findings.ts';

export {
  type GatewayHttpRequest,
  type GatewayRequest,
  type GatewayStep,
  readGatewayRequest,
} from './gateway/gateway-request.ts';
// For other packages of this workspace.
export { createMessageAuthenticator, type MessageAuthenticator } from './cipher/hmac.ts';
