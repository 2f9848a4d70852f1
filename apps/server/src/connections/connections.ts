import { readFileSync } from 'node:fs';
import { http2ServersOf, screenCalls } from '@callpass/grpc-kit';
import { createCountedLines } from '@callpass/program';
import type { ConnectionCause, Instruments } from '@callpass/telemetry';
import type { ChannelOptions, Server } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';
import type { Settings } from '../settings/schema.ts';
import { createCallScreen, type ScreenParts } from './call-screen.ts';
import { endInTime } from './connection-end.ts';
import { ConnectionGuard, type ConnectionGuardParts } from './connection-guard.ts';
import { createRejectedCounter, createRequestRejectedCounter, measureConnections } from './metrics.ts';

/**
 * Bounds on a connection as options of grpc-js. {@link guardConnections} adds those that it has no option for, and the age, at
 * which grpc-js would reset calls without a status.
 */
export function connectionOptions({ connections, requests }: Settings): ChannelOptions {
  return {
    'grpc.max_receive_message_length': requests.maxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_connection_idle_ms': connections.maxIdle,
    'grpc.keepalive_time_ms': connections.keepaliveInterval,
    'grpc.keepalive_timeout_ms': connections.keepaliveTimeout,
    'grpc.max_concurrent_streams': connections.maxConcurrentStreams,
    // Nobody reads it here, and it keeps a record of every connection and call.
    'grpc.enable_channelz': 0,
  };
}

/** Files that the process needs besides connections of clients: store, limiter, keys, logs, telemetry. */
const OTHER_FILES = 256;

/** The largest messages that one peer may have begun to send at a time; of ordinary ones it is hundreds. */
const UNFINISHED_MESSAGES = 4;

/** Parts that the guard of a server needs. */
export interface GuardParts extends Pick<
  ScreenParts,
  'services' | 'methods' | 'admit' | 'linkTo' | 'onShed'
> {
  readonly log: Logger;
  readonly make: Instruments;
  readonly isRecognised: ConnectionGuardParts['isRecognised'];
  /** Ends the calls of a connection, by its address and port. */
  readonly cutOff: (peer: string) => void;
}

/** The log says at most so often how many were rejected. */
const LOG_EVERY_MS = 5_000;

/**
 * Guards what a bound server is connected to by, as the settings say. Gives the function that ends what is still open.
 *
 * Call it in the same turn as the server is bound, so that no connection comes before.
 */
export function guardConnections(
  server: Server,
  { connections, requests }: Pick<Settings, 'connections' | 'requests'>,
  { log, make, isRecognised, cutOff, ...calls }: GuardParts,
): () => void {
  const count = createRejectedCounter(make);
  const report = summarize(log);
  const guard = new ConnectionGuard(
    {
      max: possibleConnections(connections.max, log),
      maxPerPeer: connections.maxPerPeer,
      handshakeTimeoutMs: connections.handshakeTimeout,
      minPingIntervalMs: connections.minPingInterval,
      maxResetsPerSecond: connections.maxResetsPerSecond,
      maxHeaderBytes: connections.maxHeaderBytes,
      maxUnfinishedBytes: UNFINISHED_MESSAGES * requests.maxMessageBytes,
    },
    {
      onRejected(cause) {
        count(cause);
        report(cause);
      },
      isRecognised,
    },
  );
  for (const http2Server of http2ServersOf(server)) {
    guard.guard(http2Server);
    http2Server.on('session', (session) => {
      endInTime(session, { ...connections, cutOff });
    });
  }
  screenCalls(
    server,
    createCallScreen({
      tracker: guard.calls,
      maxHeaderBytes: connections.maxHeaderBytes,
      maxMessageBytes: requests.maxMessageBytes,
      onRejected: createRequestRejectedCounter(make),
      ...calls,
    }),
  );
  measureConnections(make, guard);
  return () => {
    guard.stop();
  };
}

function possibleConnections(wanted: number, log: Logger): number {
  const openFiles = openFilesLimit();
  if (openFiles === undefined || openFiles >= wanted + OTHER_FILES) return wanted;
  const possible = Math.max(1, openFiles - OTHER_FILES);
  log.warn({ openFiles, wanted, possible }, 'connections.max is more than the limit of open files allows');
  return possible;
}

/** One line for many that were rejected: a flood must not fill the log. It holds numbers only, and no address. */
function summarize(log: Logger): (cause: ConnectionCause) => void {
  const lines = createCountedLines(LOG_EVERY_MS);
  return (cause) => {
    lines.note(cause, (count) => {
      log.warn({ cause, count }, 'connections rejected');
    });
  };
}

/** Limit on open files and connections of this process; `undefined` where the system does not say so, or has no limit. */
export function openFilesLimit(source = '/proc/self/limits'): number | undefined {
  let text: string;
  try {
    text = readFileSync(source, 'utf8');
  } catch {
    return undefined;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
