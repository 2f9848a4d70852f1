const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):\d{1,5}$/;

const LAST_PORT = 65_535;

/** Tells `host:port` from other text. An IPv6 address stands in brackets. */
export function isHostAndPort(text: string): boolean {
  return HOST_AND_PORT.test(text) && splitHostAndPort(text).port <= LAST_PORT;
}

/** Splits `host:port`; the host of an IPv6 address is given without its brackets. */
export function splitHostAndPort(address: string): { host: string; port: number } {
  const colon = address.lastIndexOf(':');
  return {
    host: address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'),
    port: Number(address.slice(colon + 1)),
  };
}

/** Replaces the port of `host:port`, for example 0 by the one that was taken. */
export function withPort(address: string, port: number): string {
  return `${address.slice(0, address.lastIndexOf(':'))}:${port}`;
}
