import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { holderOf, parseAddress } from '../visitor/address.ts';

/** Bounds on the connections of a server. */
export interface ConnectionBounds {
  /** Connections of all addresses. */
  readonly max: number;
  /** Connections of one address; IPv6: of one /64. */
  readonly maxPerPeer: number;
  /** Connections with a request that has not come whole, or with none yet, of one address. */
  readonly maxUnfinishedPerPeer: number;
  /** The same of all addresses. */
  readonly maxUnfinished: number;
  /** Exempts a connection from the bounds of one address, as that of a proxy that carries many visitors. */
  readonly isExempt: (socket: Socket) => boolean;
  /** Hears of each connection that is closed for a bound. */
  readonly onClosed: (cause: ConnectionCause) => void;
}

/** The bound for which a connection was closed. */
export type ConnectionCause = 'total' | 'idle' | 'peer' | 'peer unfinished' | 'unfinished';

interface Connection {
  readonly socket: Socket;
  /** Undefined where the peer is exempt. */
  readonly peer: Peer | undefined;
  /** Requests that are not answered. */
  requests: number;
  /** It has a place among those that are counted. */
  counted: boolean;
}

/** Connections of one address. */
interface Peer {
  open: number;
  /** In the order of their beginnings. */
  readonly unfinished: Set<Connection>;
}

/**
 * Bounds what one address holds, and what all hold who have not sent a whole request, be it the first or a later one of their
 * connection: neither can take all places from others. Where too many are unfinished, the oldest is closed and not the newest
 * refused, so that who sends a request has a place, also beside others of the same address. Where all places are taken, the
 * connection that has been idle for longest gives way. Nothing is built for a connection that is refused, no TLS either.
 */
export function boundConnections(server: Server, bounds: ConnectionBounds): void {
  const peers = new Map<string, Peer>();
  const unfinished = new Set<Connection>();
  /** Without a request under way, the one that has been so for longest first. */
  const idle = new Set<Connection>();
  let count = 0;
  /** By the socket that requests have: that of TLS, where there is one. */
  const bySocket = new WeakMap<Socket, Connection>();
  const byPorts = new Map<string, Connection>();

  const finish = (connection: Connection) => {
    unfinished.delete(connection);
    connection.peer?.unfinished.delete(connection);
  };
  const rest = (connection: Connection) => {
    if (connection.counted && connection.requests === 0 && !unfinished.has(connection)) idle.add(connection);
  };
  const leave = (connection: Connection) => {
    finish(connection);
    idle.delete(connection);
    if (connection.counted) count--;
    connection.counted = false;
  };
  const closeOldest = (among: ReadonlySet<Connection>, cause: ConnectionCause): boolean => {
    const [oldest] = among;
    if (oldest === undefined) return false;
    leave(oldest);
    oldest.socket.destroy();
    bounds.onClosed(cause);
    return true;
  };
  const refuse = (socket: Socket, cause: ConnectionCause): false => {
    socket.destroy();
    bounds.onClosed(cause);
    return false;
  };
  /** A place for one more, where need be of one that needs its own least. */
  const hasPlace = () =>
    count < bounds.max || closeOldest(idle, 'idle') || closeOldest(unfinished, 'unfinished');

  const peerOf = (socket: Socket): [string, Peer] => {
    const holder = holderOf(parseAddress(socket.remoteAddress ?? '') ?? '');
    return [holder, peers.get(holder) ?? { open: 0, unfinished: new Set() }];
  };

  const accept = (socket: Socket): boolean => {
    if (bounds.isExempt(socket)) {
      if (!hasPlace()) return refuse(socket, 'total');
      open(socket, undefined);
      return true;
    }
    const [holder, peer] = peerOf(socket);
    if (peer.open >= bounds.maxPerPeer && !closeOldest(peer.unfinished, 'peer unfinished'))
      return refuse(socket, 'peer');
    if (!hasPlace()) return refuse(socket, 'total');
    peers.set(holder, peer);
    peer.open++;
    socket.once('close', () => {
      peer.open--;
      if (peer.open === 0) peers.delete(holder);
    });
    open(socket, peer);
    return true;
  };

  /** From here until {@link finish} a whole request is waited for. */
  const begin = (connection: Connection) => {
    const { peer } = connection;
    if (peer !== undefined && peer.unfinished.size >= bounds.maxUnfinishedPerPeer)
      closeOldest(peer.unfinished, 'peer unfinished');
    if (unfinished.size >= bounds.maxUnfinished) closeOldest(unfinished, 'unfinished');
    unfinished.add(connection);
    peer?.unfinished.add(connection);
  };

  const open = (socket: Socket, peer: Peer | undefined) => {
    const connection: Connection = { socket, peer, requests: 0, counted: true };
    count++;
    begin(connection);
    const ports = portsOf(socket);
    bySocket.set(socket, connection);
    byPorts.set(ports, connection);
    socket.once('close', () => {
      leave(connection);
      if (byPorts.get(ports) === connection) byPorts.delete(ports);
    });
  };

  const listeners = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    if (accept(socket)) for (const listener of listeners) listener.call(server, socket);
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const connection = byPorts.get(portsOf(socket));
    if (connection !== undefined) bySocket.set(socket, connection);
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = bySocket.get(request.socket);
    if (connection === undefined || !connection.counted) return;
    connection.requests++;
    idle.delete(connection);
    response.once('close', () => {
      connection.requests--;
      rest(connection);
    });
    if (!hasBody(request)) {
      finish(connection);
      return;
    }
    if (!unfinished.has(connection)) begin(connection);
    // It comes to its end after an answer too, which a refusal does not wait for.
    request.once('end', () => {
      finish(connection);
      rest(connection);
    });
  });
}

function portsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
