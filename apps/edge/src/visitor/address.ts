import { isIPv4, isIPv6 } from 'node:net';

/** Length of the longest address with port, zone and brackets that is read; longer text is no address. */
const MAX_LENGTH = 128;
const IPV4 = /^(\d{1,10})\.(\d{1,10})\.(\d{1,10})\.(\d{1,10})$/;
const IPV4_CANONICAL = /^[1-9]\d{0,2}(\.(0|[1-9]\d{0,2})){3}$/;
const MAPPED_TEXT = '::ffff:';
const PORT = /:\d{1,10}$/;
const GROUPS = 8;
const MAX_BYTE = 255;

/**
 * The one form of an IP address, so that one visitor stays one: IPv4 without leading zeros, which are decimal, IPv6 as eight
 * groups of hexadecimal digits without leading zeros, and an IPv4 address mapped to IPv6 (RFC 4291, 2.5.5.2) as IPv4. Accepts
 * what proxies add: a port, brackets, quotes, a zone. `undefined` for everything that is no address.
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  // The two forms of a socket's peer are the frequent ones.
  const plain = text.startsWith(MAPPED_TEXT) ? text.slice(MAPPED_TEXT.length) : text;
  if (IPV4_CANONICAL.test(plain) && isIPv4(plain)) return plain;
  const bare = withoutQuotes(text.trim());
  const bracketed = /^\[([^[\]]+)\](:\d{1,10})?$/.exec(bare)?.[1];
  if (bracketed !== undefined) return parseIPv6(bracketed);
  return parseIP(bare) ?? (PORT.test(bare) ? parseIP(bare.replace(PORT, '')) : undefined);
}

/**
 * The network that one holder has all of: an IPv4 address, or the first 64 bits of an IPv6 address. Expects an address as
 * `parseAddress` gives it.
 */
export function holderOf(address: string): string {
  return firstGroups(address, 4);
}

/** The network of an IPv4 /24 or an IPv6 /48: what one site has. Expects a holder or an address. */
export function siteOf(address: string): string {
  return address.includes(':') ? firstGroups(address, 3) : address.slice(0, address.lastIndexOf('.'));
}

function firstGroups(address: string, count: number): string {
  return address.includes(':') ? address.split(':', count).join(':') : address;
}

function withoutQuotes(text: string): string {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).trim() : text;
}

function parseIP(text: string): string | undefined {
  return parseIPv4(withoutZone(text)) ?? parseIPv6(text);
}

function withoutZone(text: string): string {
  const zone = text.indexOf('%');
  return zone === -1 ? text : text.slice(0, zone);
}

function parseIPv4(text: string): string | undefined {
  const parts = IPV4.exec(text)?.slice(1).map(Number);
  return parts?.every((part) => part <= MAX_BYTE) ? parts.join('.') : undefined;
}

function parseIPv6(zoned: string): string | undefined {
  const text = withoutZone(zoned);
  const tailAt = text.lastIndexOf(':') + 1;
  if (tailAt === 0) return undefined;
  const tail = text.slice(tailAt);
  const embedded = tail.includes('.') ? parseIPv4(tail) : undefined;
  const plain = embedded === undefined ? text : `${text.slice(0, tailAt)}${toGroups(embedded)}`;
  if (!isIPv6(plain)) return undefined;
  const [left = [], right] = plain.split('::').map((half) => (half === '' ? [] : half.split(':')));
  const zeros = Array<string>(right === undefined ? 0 : GROUPS - left.length - right.length).fill('0');
  const groups = [...left, ...zeros, ...(right ?? [])].map((group) => Number.parseInt(group, 16));
  return mappedIPv4(groups) ?? groups.map((group) => group.toString(16)).join(':');
}

function toGroups(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

/** Prefix of IPv4 addresses mapped to IPv6. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff];

function mappedIPv4(groups: readonly number[]): string | undefined {
  if (MAPPED.some((group, at) => groups[at] !== group)) return undefined;
  return groups
    .slice(MAPPED.length)
    .flatMap((group) => [group >> 8, group & MAX_BYTE])
    .join('.');
}
