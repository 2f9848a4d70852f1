import { createHash, randomBytes } from 'node:crypto';

/** A static token of a client, and what the configuration holds of it. */
export interface ClientToken {
  readonly token: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** The services of the sandbox that ask the server, each with what it is granted and nothing else. */
export interface SandboxClients {
  readonly edge: ClientToken;
  readonly gateway: ClientToken;
}

/** New tokens for this run. */
export function createClients(): SandboxClients {
  return { edge: createToken(), gateway: createToken() };
}

function createToken(): ClientToken {
  const token = randomBytes(32).toString('base64url');
  return { token, sha256: createHash('sha256').update(token).digest('hex') };
}
