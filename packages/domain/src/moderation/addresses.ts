import { assertUser } from '@callpass/token-core';

/** A list of addresses and `*@domain`, ready to be asked. */
export interface AddressMatcher {
  /**
   * Tells whether an address is in the list, in constant time. The user part must be the same to the letter, the domain up to
   * the case of A to Z. False for everything that is not one `user@domain`, so that no wildcard lets odd bytes through,
   * and for the user `*`, which stands for others and is nobody's address.
   */
  matches(address: string): boolean;
}

/** Tells whether an entry of a list stands for all users of a domain. */
export function isWildcard(address: string): boolean {
  return address.startsWith('*@');
}

/** Makes a list ready to be asked. An empty list matches nothing. */
export function compileAddresses(addresses: readonly string[]): AddressMatcher {
  const exact = new Set<string>();
  const domains = new Set<string>();
  for (const address of addresses) {
    if (isWildcard(address)) domains.add(lowerAscii(address.slice(2)));
    else exact.add(normalize(address));
  }
  return {
    matches(address) {
      if (isWildcard(address) || !isUser(address)) return false;
      return (
        exact.has(normalize(address)) || domains.has(lowerAscii(address.slice(address.indexOf('@') + 1)))
      );
    },
  };
}

function normalize(address: string): string {
  const at = address.indexOf('@') + 1;
  return address.slice(0, at) + lowerAscii(address.slice(at));
}

/** Not `toLowerCase` alone: it would take the Kelvin sign for a k, and another domain for ours. */
function lowerAscii(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text;
}

function isUser(text: string): boolean {
  try {
    assertUser(text);
    return true;
  } catch {
    return false;
  }
}
