import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { holderOf, parseAddress } from '../visitor/address.ts';

/** Bounds on the connections of a server. */
export interface ConnectionBounds {
  /** Connections of one address; IPv6: of one /64. */
  readonly maxPerPeer: number;
  /** Connections on which no whole request has come yet, of one address. */
  readonly maxUnfinishedPerPeer: number;
  /** The same of all addresses. */
  readonly maxUnfinished: number;
  /** Exempts a connection from the bounds of one address, as that of a proxy that carries many visitors. */
  readonly isExempt: (socket: Socket) => boolean;
  /** Hears of each connection that is closed for a bound. */
  readonly onClosed: (cause: ConnectionCause) => void;
}

/** The bound for which a connection was closed. */
export type ConnectionCause = 'peer' | 'peer unfinished' | 'unfinished';

interface Connection {
  readonly socket: Socket;
  /** Undefined where the peer is exempt. */
  readonly peer: Peer | undefined;
}

/** Connections of one address. */
interface Peer {
  open: number;
  /** In the order of their beginnings. */
  readonly unfinished: Set<Connection>;
}

/**
 * Bounds what one address holds, and what all hold who have not sent a whole request: neither can take all places from others.
 * Where too many are unfinished, the oldest is closed and not the newest refused, so that who sends a request has a place,
 * also beside others of the same address. Nothing is built for a connection that is refused, no TLS either.
 */
export function boundConnections(server: Server, bounds: ConnectionBounds): void {
  const peers = new Map<string, Peer>();
  const unfinished = new Set<Connection>();
  /** By the socket that requests have: that of TLS, where there is one. */
  const bySocket = new WeakMap<Socket, Connection>();
  const byPorts = new Map<string, Connection>();

  const finish = (connection: Connection) => {
    unfinished.delete(connection);
    connection.peer?.unfinished.delete(connection);
  };
  const close = (connection: Connection, cause: ConnectionCause) => {
    finish(connection);
    connection.socket.destroy();
    bounds.onClosed(cause);
  };
  const closeOldest = (among: Set<Connection>, cause: ConnectionCause) => {
    for (const oldest of among) {
      close(oldest, cause);
      return;
    }
  };

  const peerOf = (socket: Socket): [string, Peer] => {
    const holder = holderOf(parseAddress(socket.remoteAddress ?? '') ?? '');
    return [holder, peers.get(holder) ?? { open: 0, unfinished: new Set() }];
  };

  const accept = (socket: Socket): boolean => {
    if (bounds.isExempt(socket)) {
      open({ socket, peer: undefined });
      return true;
    }
    const [holder, peer] = peerOf(socket);
    if (peer.open >= bounds.maxPerPeer && peer.unfinished.size === 0) {
      socket.destroy();
      bounds.onClosed('peer');
      return false;
    }
    if (peer.open >= bounds.maxPerPeer || peer.unfinished.size >= bounds.maxUnfinishedPerPeer) {
      closeOldest(peer.unfinished, 'peer unfinished');
    }
    peers.set(holder, peer);
    peer.open++;
    socket.once('close', () => {
      peer.open--;
      if (peer.open === 0) peers.delete(holder);
    });
    open({ socket, peer });
    return true;
  };

  const open = (connection: Connection) => {
    const { socket, peer } = connection;
    if (unfinished.size >= bounds.maxUnfinished) closeOldest(unfinished, 'unfinished');
    unfinished.add(connection);
    peer?.unfinished.add(connection);
    const ports = portsOf(socket);
    bySocket.set(socket, connection);
    byPorts.set(ports, connection);
    socket.once('close', () => {
      finish(connection);
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
    if (connection === undefined || !unfinished.has(connection)) return;
    const done = () => finish(connection);
    if (!hasBody(request)) {
      done();
      return;
    }
    request.once('end', done);
    response.once('finish', done);
  });
}

function portsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
