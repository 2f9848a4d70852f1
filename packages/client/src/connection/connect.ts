import {
  type ClientInterceptor,
  type Connection as Channel,
  connect as openChannel,
} from '@callpass/grpc-kit/client';
import { clientTelemetry } from '@callpass/telemetry';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import type { CoalesceOptions } from '../calls/coalescer.ts';
import { type RetryOptions, type Retries, createRetries, type Timing } from '../calls/retries.ts';
import { ANSWERING_ROUND_ROBIN } from './answering-round-robin.ts';
import { bearerToken, type TokenSource } from './bearer-token.ts';
import { assertTarget, isLoopback } from './loopback.ts';
import { openRenewingChannel } from './renewing-channel.ts';
import { reportExpiry, TlsCredentials, type TlsOptions } from './tls-credentials.ts';

/** Interval of keepalive pings, in ms, also without calls. Servers that enforce a minimum must allow it. */
export const KEEPALIVE_INTERVAL_MS = 10_000;

/** Time limit of a call that sets none itself. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Address, credentials and defaults of a connection to the service.
 *
 * @example
 * ```ts
 * const options: ConnectOptions = {
 *   address: 'dns:///callpass.example:7443',
 *   tls: { caFile: '/etc/callpass/ca.crt', certFile: '/etc/callpass/tls.crt', keyFile: '/etc/callpass/tls.key' },
 *   defaultTimeoutMs: 2_000,
 * };
 * ```
 */
export interface ConnectOptions {
  /**
   * gRPC target: `host:port`, `dns:///host:port`, `ipv4:address:port,address:port`, `unix:/path`. Calls go round robin over
   * all addresses that are listed or that the name resolves to, except those that do not answer.
   */
  readonly address: string;
  /** TLS. Without it, `plaintextEncryptedBy` and `credentials`, only loopback addresses are allowed, in plain text. */
  readonly tls?: TlsOptions | undefined;
  /**
   * Name of what encrypts instead of this client, for example the service mesh `linkerd`. It allows plain text to any address; where
   * nothing encrypts, tokens and credentials cross the network in clear.
   */
  readonly plaintextEncryptedBy?: string | undefined;
  /** Channel credentials of grpc-js instead of `tls`, for what `tls` does not offer. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Bearer token. With `credentials` that do not encrypt it travels in clear. */
  readonly token?: TokenSource | undefined;
  /** Time limit in ms of a call that sets none, for all its attempts. Default: 5,000. There is always one. */
  readonly defaultTimeoutMs?: number | undefined;
  /** Retries; `false` for none. */
  readonly retry?: RetryOptions | false | undefined;
  /**
   * Lets requests share RPCs: issues, and validations of a kind, that are asked for while RPCs of theirs are under way go together in
   * the next one, each with its own time limit, signal, request id and error. Most of what a request costs is its RPC. Default: `false`.
   */
  readonly coalesce?: boolean | CoalesceOptions | undefined;
  /** Options of grpc-js, over those that this client sets. */
  readonly channelOptions?: ChannelOptions | undefined;
  /** Clock, pause and chance of retries, for tests. */
  readonly timing?: Timing | undefined;
}

/** A channel to the service that several clients share. It connects on the first call and reconnects by itself. */
export interface Connection {
  /** gRPC target that calls go to. */
  readonly address: string;
  /** @internal */
  readonly channel: Channel;
  /** @internal */
  readonly retries: Retries;
  /** @internal Undefined: each request has an RPC of its own. */
  readonly coalesce: CoalesceOptions | undefined;
  readonly defaultTimeoutMs: number;
  /** True after {@link close}. */
  readonly closed: boolean;
  /** Ends the channel; calls under way finish, new ones fail with CANCELLED. */
  close(): void;
}

/**
 * Opens a connection. Does no I/O before the first call. If OpenTelemetry is used, start its SDK first.
 *
 * Throws TypeError on unusable options, also on an address that needs TLS and has none.
 *
 * @example
 * ```ts
 * const connection = connect({ address: '127.0.0.1:50051' });
 * const credentials = createCredentialClient(connection);
 * const admin = createAdminClient(connection);
 * connection.close();
 * ```
 */
export function connect(options: ConnectOptions): Connection {
  const { address, token, defaultTimeoutMs = DEFAULT_TIMEOUT_MS } = options;
  assertTimeout('defaultTimeoutMs', defaultTimeoutMs);
  const channelCredentials = credentialsOf(options);
  assertTarget(address);
  const open = (given: ChannelCredentials, ...innermost: ClientInterceptor[]): Channel =>
    openChannel({
      address,
      credentials: given,
      channelOptions: channelOptions(options),
      interceptors: [
        clientTelemetry(),
        ...(given instanceof TlsCredentials ? [reportExpiry(() => current().notAfterMs)] : []),
        ...(token === undefined ? [] : [bearerToken(token)]),
        ...innermost,
      ],
      defaultDeadlineMs: defaultTimeoutMs,
    });
  const renewing =
    channelCredentials instanceof TlsCredentials && channelCredentials.hasFiles
      ? openRenewingChannel(channelCredentials, open)
      : undefined;
  const current = () => renewing?.credentials ?? (channelCredentials as TlsCredentials);
  const channel = renewing ?? open(channelCredentials);
  let closed = false;
  return {
    address,
    channel,
    retries: createRetries(retryOptions(options), options.timing),
    coalesce: options.coalesce === true ? {} : options.coalesce || undefined,
    defaultTimeoutMs,
    get closed() {
      return closed;
    },
    close() {
      closed = true;
      channel.close();
    },
  };
}

/** Budget of a client that coalesces: the requests of a few lost RPCs. */
const COALESCED_BUDGET = 1000;

function retryOptions({ retry, coalesce }: ConnectOptions): ConnectOptions['retry'] {
  if (!coalesce || retry === false) return retry;
  return { ...retry, budgetTokens: retry?.budgetTokens ?? COALESCED_BUDGET };
}

/** @internal Connects where the target is no connection yet. `close` ends what was opened here, and nothing of the caller's. */
export function connectTo(target: Connection | ConnectOptions): {
  readonly connection: Connection;
  readonly close: () => void;
} {
  if ('channel' in target) return { connection: target, close: () => undefined };
  const connection = connect(target);
  return { connection, close: () => connection.close() };
}

/** Throws RangeError unless a time limit is a finite number of ms above 0. */
export function assertTimeout(name: string, timeoutMs: number): void {
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw new RangeError(`${name} must be a finite number of ms above 0: a call always has a deadline`);
  }
}

function credentialsOf(options: ConnectOptions): ChannelCredentials {
  const { address, tls, plaintextEncryptedBy, credentials: given } = options;
  if ([tls, plaintextEncryptedBy, given].filter((way) => way !== undefined).length > 1)
    throw new TypeError('give only one of tls, plaintextEncryptedBy and credentials');
  if (given !== undefined) return given;
  if (tls !== undefined) return new TlsCredentials(tls);
  if (isLoopback(address) || plaintextEncryptedBy) return credentials.createInsecure();
  throw new TypeError(
    'plain text is for loopback addresses only: give tls, or with plaintextEncryptedBy the name of the mesh that encrypts',
  );
}

function channelOptions({ address, channelOptions: given }: ConnectOptions): ChannelOptions {
  return {
    'grpc.service_config': ANSWERING_ROUND_ROBIN,
    // A TXT record of the name must not change how calls are made.
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': 5_000,
    // Calls are shorter than the interval, so a dead connection would never be found with calls only.
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 10_000,
    // What is meant for this machine must not go through the proxy of the environment, in clear.
    ...(isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
    ...given,
  };
}
