import { type Connection as Channel, connect as openChannel } from '@callpass/grpc-kit';
import { clientTelemetry } from '@callpass/telemetry';
import { type ChannelCredentials, type ChannelOptions, credentials } from '@grpc/grpc-js';
import { type RetryOptions, type Retries, createRetries, type Timing } from '../calls/retries.ts';
import { bearerToken, type TokenSource } from './bearer-token.ts';
import { tellExpiry } from './expired-certificate.ts';
import { isLoopback } from './loopback.ts';
import { TlsCredentials, type TlsOptions } from './tls-credentials.ts';

/** How often an idle connection is asked whether it is alive. Servers that enforce a minimum must allow this, also without calls. */
export const KEEPALIVE_INTERVAL_MS = 30_000;

/** Time limit of a call that sets none itself. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/** How to reach the service and how to ask it. */
export interface ConnectOptions {
  /**
   * A target of gRPC: `host:port`, `dns:///host:port`, `ipv4:address:port,address:port`, `unix:/path`. Calls go round
   * robin over all addresses that are listed or that the name resolves to.
   */
  readonly address: string;
  /** TLS. Without it and without `credentials`, only loopback addresses are connected to, in plain text. */
  readonly tls?: TlsOptions | undefined;
  /** Channel credentials of grpc-js instead of `tls`, also `credentials.createInsecure()` where a mesh encrypts. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Bearer token. With `credentials` that do not encrypt it travels in clear. */
  readonly token?: TokenSource | undefined;
  /** Time limit in ms of a call that sets none, all its attempts together. 5,000 when left out; there is always one. */
  readonly defaultTimeoutMs?: number | undefined;
  /** When to ask again; see {@link RetryOptions}. `false`: never. */
  readonly retry?: RetryOptions | false | undefined;
  /** Options of grpc-js, over those that this client sets. */
  readonly channelOptions?: ChannelOptions | undefined;
  /** Clock, pause and chance of retries, for tests. */
  readonly timing?: Timing | undefined;
}

/** A channel to the service that several clients share. It connects on the first call and reconnects by itself. */
export interface Connection {
  /** @internal */
  readonly channel: Channel;
  /** @internal */
  readonly retries: Retries;
  readonly defaultTimeoutMs: number;
  /** Whether {@link close} was called. */
  readonly closed: boolean;
  /** Ends the channel; calls under way finish, new ones fail with CANCELLED. */
  close(): void;
}

/**
 * Opens a channel. Does no I/O before the first call. Where OpenTelemetry is used, start its SDK first.
 *
 * Throws TypeError on options that cannot be used, also on an address that would need TLS and has none.
 */
export function connect(options: ConnectOptions): Connection {
  const { address, token, defaultTimeoutMs = DEFAULT_TIMEOUT_MS } = options;
  assertTimeout('defaultTimeoutMs', defaultTimeoutMs);
  const channelCredentials = credentialsOf(options);
  const channel = openChannel({
    address,
    credentials: channelCredentials,
    channelOptions: channelOptions(options),
    interceptors: [
      clientTelemetry(),
      ...(channelCredentials instanceof TlsCredentials ? [tellExpiry(channelCredentials)] : []),
      ...(token === undefined ? [] : [bearerToken(token)]),
    ],
    defaultDeadlineMs: defaultTimeoutMs,
  });
  let closed = false;
  return {
    channel,
    retries: createRetries(options.retry, options.timing),
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

/** Throws RangeError unless a time limit is a finite number of ms above 0. */
export function assertTimeout(name: string, timeoutMs: number): void {
  if (!(Number.isFinite(timeoutMs) && timeoutMs > 0)) {
    throw new RangeError(`${name} must be a finite number of ms above 0: a call always has a deadline`);
  }
}

function credentialsOf({ address, tls, credentials: given }: ConnectOptions): ChannelCredentials {
  if (given !== undefined) {
    if (tls !== undefined) throw new TypeError('give tls or credentials, not both');
    return given;
  }
  if (tls !== undefined) return new TlsCredentials(tls);
  if (isLoopback(address)) return credentials.createInsecure();
  throw new TypeError(
    'plain text is for loopback addresses only: give tls, or credentials where something else encrypts',
  );
}

function channelOptions({ address, channelOptions: given }: ConnectOptions): ChannelOptions {
  return {
    'grpc.service_config': JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    // A TXT record of the name must not change how calls are made.
    'grpc.service_config_disable_resolution': 1,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': 10_000,
    // Calls are shorter than the interval, so a dead connection would never be found with calls only.
    'grpc.keepalive_permit_without_calls': 1,
    'grpc.initial_reconnect_backoff_ms': 500,
    'grpc.max_reconnect_backoff_ms': 10_000,
    // What is meant for this machine must not go through the proxy of the environment, in clear.
    ...(isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
    ...given,
  };
}
