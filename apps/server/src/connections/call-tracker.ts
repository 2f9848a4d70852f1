import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import {
  type BodyBounds,
  type BodyFault,
  type PreparedRefusal,
  refuseCall,
  RequestBody,
} from '@callpass/grpc-kit';
import { PlaceCounter, type TokenBuckets, UnfinishedRequests } from './peer-bounds.ts';
import { ReadTurns } from './read-turns.ts';

/** Bound that a call has reached: memory that its connection or peer holds, or streams that stay open. */
export type CallBound = 'memory' | 'streams';

/** Bounds that all calls of an RPC share, made once. */
export interface CallBounds extends BodyBounds {
  /** The caller keeps it open for as long as it likes. */
  readonly stays: boolean;
  /** Gives the answer to a body with a fault. */
  readonly onFault: (fault: BodyFault) => PreparedRefusal;
  /** Gives the answer to a call that is given up because a bound was reached after it began. */
  readonly onBound: (bound: CallBound) => PreparedRefusal;
}

/** Headers that all calls of a connection hold together. */
const MAX_HEAD_BYTES_OF_CONNECTION = 256 * 1024;
/** A head of this size or more is read in turns with those of other peers. */
const LARGE_HEAD_BYTES = 1024;
/** A call that is taken back counts for its work as a head of this size. */
const RESET_BYTES = 4096;
/** Calls that a peer takes back before its next ones wait, so that those it takes back as well cost next to nothing. */
const RESETS_UNTIL_WAIT = 32;
/** Calls whose request is not complete, of all connections together. */
const MAX_INCOMPLETE = 4096;
/** Streams that stay open: of one connection, of one peer, and of all. */
const MAX_STAYING = { ofConnection: 16, maxPerPeer: 128, max: 2048 } as const;

const CONNECTION = Symbol('connection of a tracked call');
const CALL = Symbol('tracked call');

interface TrackedConnection {
  readonly session: ServerHttp2Session;
  readonly socket: Socket;
  readonly peer: string;
  /** Size of the heads of its calls. */
  headBytes: number;
  /** Its streams that stay open. */
  staying: number;
}

interface CallState {
  readonly bounds: CallBounds;
  /** Size of its head as HTTP/2 counts it. */
  readonly headBytes: number;
  readonly body: RequestBody;
  /** Bytes of its request so far; 0 once the request is complete. */
  unfinishedBytes: number;
}

interface TrackedSession extends ServerHttp2Session {
  [CONNECTION]?: TrackedConnection;
}

interface TrackedStream extends ServerHttp2Stream {
  [CONNECTION]?: TrackedConnection | undefined;
  [CALL]?: CallState;
}

/**
 * Tracks calls from their head to their end and bounds what they hold: headers, messages that are not complete, streams that
 * stay open, and calls that a peer takes back.
 */
export class CallTracker {
  readonly #resets: TokenBuckets;
  readonly #onTooManyResets: (session: ServerHttp2Session) => void;
  readonly #unfinished: UnfinishedRequests;
  readonly #staying = new PlaceCounter(MAX_STAYING);
  readonly #turns = new ReadTurns();
  /** Calls whose request is not complete, the oldest first. */
  readonly #incomplete = new Set<TrackedStream>();
  // The same three functions for all streams, since every call pays for them.
  readonly #onData: (this: TrackedStream, chunk: Buffer) => void;
  readonly #onEnd: (this: TrackedStream) => void;
  readonly #onClose: (this: TrackedStream) => void;

  constructor(parts: {
    /** Messages of requests that are not complete, of all connections of a peer together. */
    readonly maxUnfinishedBytes: number;
    readonly resets: TokenBuckets;
    readonly onTooManyResets: (session: ServerHttp2Session) => void;
  }) {
    this.#resets = parts.resets;
    this.#onTooManyResets = parts.onTooManyResets;
    this.#unfinished = new UnfinishedRequests(parts.maxUnfinishedBytes);
    const received = this.#received.bind(this);
    const ended = this.#ended.bind(this);
    const closed = this.#closed.bind(this);
    this.#onData = function (chunk) {
      received(this, chunk);
    };
    this.#onEnd = function () {
      ended(this);
    };
    this.#onClose = function () {
      closed(this);
    };
  }

  /** Adds a connection; its calls are not tracked otherwise. */
  open(session: TrackedSession, { socket, peer }: { readonly socket: Socket; readonly peer: string }): void {
    session[CONNECTION] = { session, socket, peer, headBytes: 0, staying: 0 };
    session.once('close', this.#turns.open(peer, socket));
  }

  /** Takes note of the size of a head, whatever becomes of its call. Call it after {@link follow}. */
  read(stream: TrackedStream, headBytes: number): void {
    if (headBytes < LARGE_HEAD_BYTES) return;
    const peer = stream[CONNECTION]?.peer;
    if (peer !== undefined) this.#turns.count(peer, headBytes);
  }

  /** Tracks a stream until it is closed: one that its peer takes back counts. Call it first, for every stream. */
  follow(stream: TrackedStream): void {
    // Undefined where the connection has gone in the same turn of the event loop.
    stream[CONNECTION] = (stream.session as TrackedSession | undefined)?.[CONNECTION];
    stream.on('close', this.#onClose);
  }

  /**
   * Tests that its peer has taken back many calls lately. What a peer begins and takes back in the same bytes would otherwise be
   * served in the same turn of the event loop, hundreds of calls in a row.
   */
  takesBack(stream: TrackedStream): boolean {
    const peer = stream[CONNECTION]?.peer;
    // Mostly nobody has taken any back, and asking for the time would be all that it costs.
    if (peer === undefined || this.#resets.size === 0) return false;
    return this.#resets.taken(peer, performance.now()) >= RESETS_UNTIL_WAIT;
  }

  /**
   * Counts what a stream holds as a call that is served. Returns the bound that is reached, or undefined.
   *
   * Where too many requests are not complete, the oldest is given up: an honest caller completes a request at once, so the
   * oldest is that of a peer that waits on purpose.
   */
  begin(stream: TrackedStream, headBytes: number, bounds: CallBounds): CallBound | undefined {
    const connection = stream[CONNECTION];
    if (connection === undefined) return undefined;
    if (connection.headBytes + headBytes > MAX_HEAD_BYTES_OF_CONNECTION) return 'memory';
    if (bounds.stays && !this.#takeStaying(connection)) return 'streams';
    connection.headBytes += headBytes;
    stream[CALL] = { bounds, headBytes, body: new RequestBody(bounds), unfinishedBytes: 0 };
    stream.on('data', this.#onData).on('end', this.#onEnd);
    // A stream that stays open may never complete its request; it has a bound of its own.
    if (!bounds.stays) this.#addIncomplete(stream);
    return undefined;
  }

  #takeStaying(connection: TrackedConnection): boolean {
    if (connection.staying >= MAX_STAYING.ofConnection) return false;
    if (this.#staying.take(connection.peer) !== undefined) return false;
    connection.staying++;
    return true;
  }

  #addIncomplete(stream: TrackedStream): void {
    this.#incomplete.add(stream);
    if (this.#incomplete.size <= MAX_INCOMPLETE) return;
    const [oldest] = this.#incomplete;
    if (oldest !== undefined) this.#giveUp(oldest, (bounds) => bounds.onBound('memory'));
  }

  #giveUp(stream: TrackedStream, answer: (bounds: CallBounds) => PreparedRefusal): void {
    this.#incomplete.delete(stream);
    const call = stream[CALL];
    if (call !== undefined) refuseCall(stream, answer(call.bounds));
    // One that has an answer already cannot get another.
    if (!stream.closed) stream.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  #received(stream: TrackedStream, chunk: Buffer): void {
    const call = stream[CALL];
    const peer = stream[CONNECTION]?.peer;
    if (call === undefined || peer === undefined || stream.closed) return;
    const fault = call.body.take(chunk);
    if (fault !== undefined) {
      this.#giveUp(stream, (bounds) => bounds.onFault(fault));
    } else if (!call.bounds.stays) {
      call.unfinishedBytes += chunk.length;
      if (!this.#unfinished.add(peer, chunk.length))
        this.#giveUp(stream, (bounds) => bounds.onBound('memory'));
    }
  }

  #ended(stream: TrackedStream): void {
    // Node ends a stream that was reset or refused like a complete one.
    const fault = stream.closed ? undefined : stream[CALL]?.body.end();
    if (fault !== undefined) this.#giveUp(stream, (bounds) => bounds.onFault(fault));
    this.#completed(stream);
  }

  #completed(stream: TrackedStream): void {
    this.#incomplete.delete(stream);
    const call = stream[CALL];
    const peer = stream[CONNECTION]?.peer;
    if (call === undefined || peer === undefined || call.unfinishedBytes === 0) return;
    this.#unfinished.release(peer, call.unfinishedBytes);
    call.unfinishedBytes = 0;
  }

  #closed(stream: TrackedStream): void {
    const connection = stream[CONNECTION];
    if (connection === undefined) return;
    this.#completed(stream);
    const call = stream[CALL];
    if (call !== undefined) {
      connection.headBytes -= call.headBytes;
      if (call.bounds.stays) {
        connection.staying--;
        this.#staying.leave(connection.peer);
      }
    }
    const { socket, peer, session } = connection;
    const takenBack = stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR;
    // With its connection, all that a client has under way is lost, and nobody has taken it back.
    if (!takenBack || socket.destroyed) return;
    this.#turns.count(peer, RESET_BYTES);
    if (!this.#resets.take(peer, performance.now()) && !session.destroyed) this.#onTooManyResets(session);
  }
}
