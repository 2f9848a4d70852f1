import type { ClientInterceptor, Connection as Channel } from '@callpass/grpc-kit/client';
import type { TlsCredentials } from './tls-credentials.ts';

/** Interval at which calls have the files looked at. */
const LOOK_EVERY_MS = 1000;
const READY_WITHIN_MS = 5000;

interface Generation {
  readonly credentials: TlsCredentials;
  readonly channel: Channel;
  /** Calls that have not ended. */
  calls: number;
}

/** A channel that is made anew when the files of its certificate change. */
export interface RenewingChannel extends Channel {
  /** Credentials in use. */
  readonly credentials: TlsCredentials;
}

/**
 * Opens a channel whose certificate may be renewed in its files. When they change, a second channel connects with the new
 * ones; once it is ready, new calls take it, and the first is closed after its last call. While the new files are unusable, or
 * the service does not take them, the first stays in use. Only calls have the files looked at, at most once a second.
 *
 * @param open opens a channel, with this interceptor innermost.
 */
export function openRenewingChannel(
  first: TlsCredentials,
  open: (credentials: TlsCredentials, innermost: ClientInterceptor) => Channel,
): RenewingChannel {
  const countCall: ClientInterceptor = async (_call, next) => {
    const used = current;
    used.calls += 1;
    try {
      await next();
    } finally {
      used.calls -= 1;
      closeUnused(used);
    }
  };
  const generationOf = (credentials: TlsCredentials): Generation => ({
    credentials,
    channel: open(credentials, countCall),
    calls: 0,
  });
  const closeUnused = (generation: Generation) => {
    if (generation !== current && generation.calls === 0) generation.channel.close();
  };
  let current = generationOf(first);
  let next: Generation | undefined;
  let closed = false;
  let looking = false;
  let lookedAtMs = performance.now();

  const look = async () => {
    const renewed = await current.credentials.renewed();
    if (renewed === undefined || closed) return;
    next = generationOf(renewed);
    try {
      await ready(next.channel);
      if (closed) return;
      const before = current;
      current = next;
      closeUnused(before);
    } finally {
      if (next !== current) next.channel.close();
      next = undefined;
    }
  };
  const lookSometimes = () => {
    const nowMs = performance.now();
    if (looking || closed || nowMs - lookedAtMs < LOOK_EVERY_MS) return;
    looking = true;
    void look()
      // Unusable files, or a service that does not take them: looked at again later.
      .catch(() => undefined)
      .finally(() => {
        looking = false;
        lookedAtMs = performance.now();
      });
  };

  return {
    get credentials() {
      return current.credentials;
    },
    get grpcClient() {
      lookSometimes();
      return current.channel.grpcClient;
    },
    interceptors: current.channel.interceptors,
    defaultDeadlineMs: current.channel.defaultDeadlineMs,
    close() {
      closed = true;
      next?.channel.close();
      current.channel.close();
    },
  };
}

function ready({ grpcClient }: Channel): Promise<void> {
  return new Promise((resolve, reject) => {
    grpcClient.waitForReady(Date.now() + READY_WITHIN_MS, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}
