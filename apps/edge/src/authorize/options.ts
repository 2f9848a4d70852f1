import type { SessionStore } from '@callpass/program/sessions';

/** Options of the single use of tokens. */
export interface SingleUseOptions {
  readonly store: SessionStore;
  /** Secret of the hashes: the same at all edges that share a store. Default: a random one. */
  readonly secret?: string | undefined;
  /** Decision while the store is out of reach. Default: `refuse`. */
  readonly whenUnavailable?: 'refuse' | 'allow' | undefined;
}

/** Options of `/v1/authorize`. */
export interface AuthorizeOptions {
  /** Realms whose tokens may be let through. At least one. */
  readonly realms: readonly string[];
  /** Proxies that may ask: addresses, CIDR ranges, `loopback`. At least one. */
  readonly proxies: readonly string[];
  /**
   * Need of the request that starts a call: its body with the whole set, or, for proxies that do not pass bodies on, the account token
   * alone. Default: `body`.
   */
  readonly callStart?: 'body' | 'accountToken' | undefined;
  /** Lets an account token open one session. Default: as many as it may until it expires. */
  readonly singleUse?: SingleUseOptions | undefined;
  /**
   * `X-Accel-Redirect` of a POST that is let through: the named location of NGINX, such as `@webrtc_gateway`, that continues it.
   * Default: none.
   */
  readonly accelRedirect?: string | undefined;
}
