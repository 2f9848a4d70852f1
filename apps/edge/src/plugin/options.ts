import type { CredentialClient } from '@callpass/client';
import type { AuthorizeOptions } from '../authorize/options.ts';
import type { HumanCheck } from '../human-check/human-check.ts';
import type { VisitorOptions } from '../visitor/visitor.ts';

/** Options of the edge as a plugin. Only `client` is required; what is left out is closed. */
export interface EdgeOptions {
  /** Asks the service; the plugin does not close it. With `coalesce: true`, requests that come together share an RPC. */
  readonly client: CredentialClient;
  /**
   * Asks what else has to be so for `GET /readyz`, besides that `client` may issue: at most once a second, with a second to
   * answer. Default: nothing else.
   */
  readonly isReady?: (() => Promise<boolean>) | undefined;
  /** Longest time a request waits for the service, in ms. Default 2,500. */
  readonly timeoutMs?: number | undefined;
  /**
   * Origins whose pages may ask, such as `https://www.example.org`: compared as they are, no patterns. Pages that the edge
   * itself serves may always. Default: none.
   */
  readonly origins?: readonly string[] | undefined;
  /** Proxies whose forwarded headers are believed: addresses, CIDR ranges, `loopback`. Default: none. */
  readonly trustedProxies?: readonly string[] | undefined;
  readonly visitor?: VisitorOptions | undefined;
  /** Requests that one visitor and one address (IPv6: one /64) may make to this edge; the service has its own limits. */
  readonly limits?: Partial<EdgeLimits> | undefined;
  /** Asked before credentials are issued. Default: nobody is. */
  readonly humanCheck?: HumanCheck | undefined;
  /** Options of the routes for pages written for the vendor's sample servers. */
  readonly compatibilityRoutes?: CompatibilityRoutes | undefined;
  /**
   * The sampling decision in a browser's `traceparent` counts, with the sampler of this edge's telemetry. Default: false; the
   * trace id is kept, and the sampler decides.
   */
  readonly trustTraceparent?: boolean | undefined;
  /**
   * Address of a copy of this repository's documentation: the `type` of a problem is the section of its reason below it. Default:
   * none, and the `type` is `urn:callpass:problem:REASON`.
   */
  readonly documentationUrl?: string | undefined;
  /** Options of `/v1/authorize`, for proxies in front of the vendor's WebRTC gateway. Default: there is no such route. */
  readonly authorize?: AuthorizeOptions | undefined;
  /** Largest body in bytes. Default 4,096. */
  readonly maxBodyBytes?: number | undefined;
}

/** Limits of the edge, counted by each instance separately. */
export interface EdgeLimits {
  /** Default 60,000. */
  readonly windowMs: number;
  /** Requests for credentials of one visitor with a cookie, in a window. Default 30. */
  readonly perVisitor: number;
  /** Requests from one address in a window. Default 300: many visitors may share one. */
  readonly perAddress: number;
}

/** Options of the compatibility routes `GET /callparameters` and `GET /actg/token`. */
export interface CompatibilityRoutes {
  /** Destination of requests that name none. Undefined: they are refused. */
  readonly defaultDestination?: string | undefined;
  /** Destinations by ACTG identifier. An unknown identifier is used as the id of a destination. */
  readonly identifiers?: Readonly<Record<string, string>> | undefined;
}

/** The defaults of {@link EdgeLimits}. */
export const DEFAULT_LIMITS: EdgeLimits = { windowMs: 60_000, perVisitor: 30, perAddress: 300 };

/** The default of {@link EdgeOptions.timeoutMs}. */
export const DEFAULT_TIMEOUT_MS = 2500;

/** The default of {@link EdgeOptions.maxBodyBytes}. */
export const DEFAULT_MAX_BODY_BYTES = 4096;
