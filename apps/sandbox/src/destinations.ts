import { generateKeyText } from './key-text.ts';

/** A realm of the sandbox with its key, as the ready file tells it. The key is made at start and lives here only. */
export interface SandboxRealm {
  readonly name: string;
  readonly key: string;
  readonly cipher: 'AES_128_ECB' | 'AES_256_CBC_HMAC_SHA256';
  readonly expirySeconds: number;
}

/** The three destinations of the sandbox: one for each cipher, and one with unrestricted calls. */
export const DESTINATIONS = ['support', 'support-cbc', 'lobby'] as const;

const EXPIRY_SECONDS = 600;

/** The realms of this run, each with a new key. */
export function createRealms(): readonly SandboxRealm[] {
  return [
    {
      name: 'support.example',
      key: generateKeyText(16),
      cipher: 'AES_128_ECB',
      expirySeconds: EXPIRY_SECONDS,
    },
    {
      name: 'support-cbc.example',
      key: generateKeyText(32),
      cipher: 'AES_256_CBC_HMAC_SHA256',
      expirySeconds: EXPIRY_SECONDS,
    },
  ];
}

/** The configuration document that the sandbox applies, like any operator. */
export function configurationDocument(realms: readonly SandboxRealm[]): string {
  return `
realms:
${realms
  .map(
    ({ name, cipher, expirySeconds }) =>
      `  - { name: ${name}, cipher: ${cipher}, tokenLifetime: ${expirySeconds}s, maxClockSkew: 30s }`,
  )
  .join('\n')}
destinations:
  - id: support
    realm: support.example
    account: anonymous@kandy.example
    callees: [support@kandy.example]
  - id: support-cbc
    realm: support-cbc.example
    account: anonymous@kandy.example
    callees: [support@kandy.example]
  - id: lobby
    mode: UNRESTRICTED
    account: anonymous@kandy.example
    callees: [lobby@kandy.example]
`;
}
