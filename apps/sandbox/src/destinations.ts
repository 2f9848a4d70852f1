import { randomInt } from 'node:crypto';
import type { SandboxClients } from './clients.ts';

/** A realm of the sandbox with its key, as the ready file tells it. The key is made at start and lives here only. */
export interface SandboxRealm {
  readonly name: string;
  readonly key: string;
  readonly cipher: 'AES_128_ECB' | 'AES_256_CBC_HMAC_SHA256';
  readonly expirySeconds: number;
}

/** The three destinations of the sandbox: one for each cipher, and one with unrestricted calls. */
export const DESTINATIONS = ['support', 'support-cbc', 'lobby'] as const;

/** Choices of the page: the title is for visitors, `about` for developers. */
export function destinationChoices(expirySeconds: number) {
  return [
    { id: 'support', title: 'Support', about: `AES_128_ECB, tokens valid for ${expirySeconds} s` },
    {
      id: 'support-cbc',
      title: 'Support 2',
      about: `AES_256_CBC_HMAC_SHA256, tokens valid for ${expirySeconds} s`,
    },
    { id: 'lobby', title: 'Reception', about: 'unrestricted, no tokens' },
  ];
}

/** The realms of this run, each with a new key. */
export function createRealms(expirySeconds: number): readonly SandboxRealm[] {
  return [
    {
      name: 'support.example',
      key: generateKeyText(16),
      cipher: 'AES_128_ECB',
      expirySeconds,
    },
    {
      name: 'support-cbc.example',
      key: generateKeyText(32),
      cipher: 'AES_256_CBC_HMAC_SHA256',
      expirySeconds,
    },
  ];
}

/** The configuration document that the sandbox applies, like any operator. */
export function configurationDocument(realms: readonly SandboxRealm[], clients: SandboxClients): string {
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
clients:
  - name: web-edge
    identities: [{ tokenSha256: "${clients.edge.sha256}" }]
    grants: [{ role: ISSUER, destinations: [${DESTINATIONS.join(', ')}] }]
  - name: webrtc-gateway
    identities: [{ tokenSha256: "${clients.gateway.sha256}" }]
    grants: [{ role: VALIDATOR, realms: [${realms.map(({ name }) => name).join(', ')}] }]
`;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** A random key as somebody could type it into the vendor's portal: letters and digits from the system's CSPRNG. */
function generateKeyText(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}
