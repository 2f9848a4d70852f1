import { constants, type Http2Server, type Http2Session, type ServerHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { HEADER_OVERHEAD_BYTES, setSessionOptions } from '@callpass/grpc-kit';
import type { ConnectionCause } from '@callpass/telemetry';
import { CallTracker } from './call-tracker.ts';
import { ConnectionQueue } from './connection-queue.ts';
import { peerOf } from '../peer.ts';
import { handshakeLimits } from './handshakes.ts';
import { PlaceCounter, TokenBuckets, type ConnectionLimits } from './peer-bounds.ts';
import { PingStrikes } from './ping-strikes.ts';

/** Bounds on what a peer does to a server apart from calling it. */
export interface ConnectionBounds extends ConnectionLimits {
  /** Until when a new connection must have encrypted and exchanged its HTTP/2 settings. */
  readonly handshakeTimeoutMs: number;
  /** The least time between two pings of a client that gets no answers. */
  readonly minPingIntervalMs: number;
  /** Calls that all connections of a peer may take back in a second, and five times as many at once; 0 for any number. */
  readonly maxResetsPerSecond: number;
  /** All headers of a call together, as HTTP/2 counts them: 32 bytes more for each. */
  readonly maxHeaderBytes: number;
  /** Of requests that have not come whole, of all connections of a peer together. */
  readonly maxUnfinishedBytes: number;
}

/** Headers above the bound that are read all the same, so that the call can be refused with a reason. */
const HEADER_MARGIN = 8;

/** Calls of one connection that may be taken back at once: twice the streams that it has by default. */
const RESET_BURST = 256;
/** SETTINGS frames of one connection. A client sends one, and a few more where it adapts its windows. */
const MAX_SETTINGS = 100;

/** Interval at which connections are looked for that were ended and are still there. */
const SWEEP_MS = 5_000;

interface Connection {
  readonly socket: Socket;
  readonly peer: string;
  readonly pings: PingStrikes;
  readonly handshakeTimeout: NodeJS.Timeout;
  session: ServerHttp2Session | undefined;
  /** It was ended already when it was looked at last. */
  ending: boolean;
  /** It has a place among those that are counted. */
  counted: boolean;
}

/** Parts of a {@link ConnectionGuard} besides its bounds. */
export interface ConnectionGuardParts {
  /** Hears of each connection that is refused or closed. */
  readonly onRejected: (cause: ConnectionCause) => void;
  /** Tests that a client was recognised in a call of this session. */
  readonly isRecognised: (session: Http2Session) => boolean;
  /** Time between two looks at connections that were ended, in ms. */
  readonly sweepMs?: number;
}

/** Limits what comes before calls: connections, and frames that are no calls. */
export class ConnectionGuard {
  /** Calls on these connections. */
  readonly calls: CallTracker;
  readonly #bounds: ConnectionBounds;
  readonly #onRejected: (cause: ConnectionCause) => void;
  readonly #isRecognised: (session: Http2Session) => boolean;
  readonly #counter: PlaceCounter;
  readonly #handshakes: ConnectionQueue<Connection>;
  /** Connections with a finished handshake on which nobody was recognised when that was looked at last. */
  readonly #strangers = new ConnectionQueue<Connection>();
  readonly #resets: TokenBuckets;
  /** By both ends' addresses: an HTTP/2 session knows those, and not the socket below its TLS. */
  readonly #connections = new Map<string, Connection>();
  readonly #sweep: NodeJS.Timeout;

  constructor(
    bounds: ConnectionBounds,
    { onRejected, isRecognised, sweepMs = SWEEP_MS }: ConnectionGuardParts,
  ) {
    this.#bounds = bounds;
    this.#onRejected = onRejected;
    this.#isRecognised = isRecognised;
    this.#counter = new PlaceCounter(bounds);
    this.#handshakes = new ConnectionQueue(handshakeLimits(bounds));
    this.#resets = new TokenBuckets(bounds.maxResetsPerSecond);
    this.calls = new CallTracker({
      maxUnfinishedBytes: bounds.maxUnfinishedBytes,
      resets: this.#resets,
      onTooManyResets: (session) => {
        this.#goAway(session, 'resets', 'too_many_resets');
      },
    });
    this.#sweep = setInterval(() => {
      this.#cutOffStuck();
    }, sweepMs).unref();
  }

  /** Connections that are open. */
  get open(): number {
    return this.#counter.open;
  }

  /** Guards a server from its first connection on. */
  guard(server: Http2Server): void {
    // Node resets a stream above these without a status; up to them the screen of calls refuses with one.
    const maxHeaderListSize = HEADER_MARGIN * this.#bounds.maxHeaderBytes;
    server.updateSettings({ maxHeaderListSize });
    const { maxResetsPerSecond } = this.#bounds;
    setSessionOptions(server, {
      // The bound of a peer is looked at between two reads only, and one read can bring more than that.
      ...(maxResetsPerSecond > 0 && { streamResetBurst: RESET_BURST, streamResetRate: maxResetsPerSecond }),
      maxHeaderListPairs: Math.ceil(maxHeaderListSize / HEADER_OVERHEAD_BYTES),
      // A credential with a space at its end was presented, and must not pass for a call without one.
      strictFieldWhitespaceValidation: false,
    });
    const accept = server.listeners('connection') as ((socket: Socket) => void)[];
    // Nothing is to be built for a connection that is refused, no TLS either, so who builds it is asked here.
    server.removeAllListeners('connection');
    server.on('connection', (socket: Socket) => {
      if (this.#accept(socket)) for (const listener of accept) listener.call(server, socket);
    });
    server.on('session', (session) => {
      this.#follow(session);
    });
  }

  /** Ends at once what is still open. */
  stop(): void {
    clearInterval(this.#sweep);
    for (const { socket } of this.#connections.values()) socket.resetAndDestroy();
  }

  #accept(socket: Socket): boolean {
    const { remoteAddress } = socket;
    const peer = remoteAddress === undefined ? undefined : peerOf(remoteAddress);
    const refusal = peer === undefined ? undefined : this.#countConnection(peer);
    if (peer === undefined || refusal !== undefined) {
      // Nothing of it is to stay behind in the kernel.
      socket.resetAndDestroy();
      if (refusal !== undefined) this.#onRejected(refusal);
      return false;
    }
    this.#open(socket, peer);
    return true;
  }

  #open(socket: Socket, peer: string): void {
    const handshakeTimeout = setTimeout(() => {
      this.#onRejected('handshake');
      socket.destroy();
    }, this.#bounds.handshakeTimeoutMs).unref();
    const pings = new PingStrikes(this.#bounds.minPingIntervalMs);
    const state = { session: undefined, ending: false, counted: true };
    const connection: Connection = { socket, peer, pings, handshakeTimeout, ...state };
    const key = keyOf(socket);
    this.#connections.set(key, connection);
    const late = this.#handshakes.add(connection);
    if (late !== undefined) this.#giveWay(late, 'unfinished');
    socket.once('close', () => {
      this.#endHandshake(connection);
      this.#strangers.delete(connection);
      // A peer may use its port again before the end of the last connection is heard of.
      if (this.#connections.get(key)?.socket === socket) this.#connections.delete(key);
      this.#leave(connection);
    });
  }

  #endHandshake(connection: Connection): void {
    clearTimeout(connection.handshakeTimeout);
    this.#handshakes.delete(connection);
  }

  #leave(connection: Connection): void {
    if (connection.counted) this.#counter.leave(connection.peer);
    connection.counted = false;
  }

  /** Closes a connection for one that has just come. */
  #giveWay(connection: Connection, cause: ConnectionCause): void {
    this.#endHandshake(connection);
    this.#strangers.delete(connection);
    this.#leave(connection);
    this.#onRejected(cause);
    connection.socket.destroy();
  }

  #countConnection(peer: string): ConnectionCause | undefined {
    // What it sends first on each new connection would be work already.
    if (this.#resets.isSpent(peer, performance.now())) return 'resets';
    for (;;) {
      const reached = this.#counter.take(peer);
      if (reached === undefined) return undefined;
      const among = reached === 'peer' ? peer : undefined;
      const late = this.#handshakes.oldest(among);
      const stranger = late === undefined ? this.#oldestStranger(among) : undefined;
      if (late !== undefined) this.#giveWay(late, 'unfinished');
      else if (stranger !== undefined) this.#giveWay(stranger, 'unrecognised');
      else return reached;
    }
  }

  /** The oldest connection on which nobody was recognised, of all or of one peer. */
  #oldestStranger(peer?: string): Connection | undefined {
    for (;;) {
      const oldest = this.#strangers.oldest(peer);
      if (oldest?.session === undefined || !this.#isRecognised(oldest.session)) return oldest;
      // Who was recognised once is no stranger again.
      this.#strangers.delete(oldest);
    }
  }

  #follow(session: ServerHttp2Session): void {
    if (session.destroyed) return;
    const connection = this.#connections.get(keyOf(session.socket));
    if (connection === undefined) {
      // Its peer is gone already; otherwise no limit would hold for it.
      session.destroy();
      return;
    }
    connection.session = session;
    let awaited = 2;
    let settings = 0;
    const hear = () => {
      if (--awaited > 0 || !connection.counted) return;
      this.#endHandshake(connection);
      this.#strangers.add(connection);
    };
    session.once('remoteSettings', hear);
    session.on('remoteSettings', () => {
      if (++settings === MAX_SETTINGS && !session.destroyed)
        this.#goAway(session, 'settings', 'too_many_settings');
    });
    // The limits of headers hold from when the client has confirmed them.
    session.once('localSettings', hear);
    session.on('ping', () => {
      if (session.destroyed || connection.pings.count(performance.now(), session.socket.bytesWritten)) return;
      this.#goAway(session, 'pings', 'too_many_pings');
    });
    this.calls.open(session, connection);
  }

  #goAway(session: Http2Session, cause: ConnectionCause, why: string): void {
    this.#onRejected(cause);
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(why));
    session.destroy();
  }

  /**
   * A session that is ended waits for its last bytes to be sent, and a peer that has stopped never takes them. With the
   * reset the kernel lets go of them too.
   */
  #cutOffStuck(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.session?.destroyed) continue;
      if (connection.ending) {
        this.#onRejected('stuck');
        connection.socket.resetAndDestroy();
      } else connection.ending = true;
    }
    this.#resets.forgetRested(performance.now());
  }
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Partial<Socket>): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
