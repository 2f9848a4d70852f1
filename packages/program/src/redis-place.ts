const DEFAULT_PORT = '6379';

/** Describes where a `redis:` or `rediss:` URL leads, for messages. Never holds a password. */
export function redisPlace(url: string): string {
  const { hostname, port } = new URL(url);
  return `Redis at ${hostname || 'localhost'}:${port || DEFAULT_PORT}`;
}
