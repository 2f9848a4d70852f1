import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Server } from 'node:net';
import type { Connection, NetworkPolicies, Party } from './network-policy.ts';

/** Address of a party of the cluster in the test. */
export interface Place {
  readonly party: Party;
  readonly host: string;
  /** Ports as pods and policies name them, and the ports of the test that they are. */
  readonly ports: Readonly<Record<number, number>>;
}

/**
 * The network of a cluster on the loopback: every connection goes through a relay that knows both ends. A connection that the policies
 * do not admit is cut, as a network plugin would.
 */
export class Network {
  readonly #policies: NetworkPolicies;
  readonly #relays: Server[] = [];
  readonly made: Connection[] = [];
  readonly cut: string[] = [];

  constructor(policies: NetworkPolicies) {
    this.#policies = policies;
  }

  /** Opens relays to all ports of a place, for one party. Gives the port of the relay by the port of the place. */
  async relay(from: Party, place: Place, address?: string): Promise<Readonly<Record<number, number>>> {
    const opened: Record<number, number> = {};
    for (const [name, real] of Object.entries(place.ports)) {
      const port = Number(name);
      const server = createServer((socket) => {
        const connection = { from, to: place.party, port };
        if (!this.#policies.admits(connection)) {
          this.cut.push(`${from.name} to ${place.party.name}:${port}`);
          socket.destroy();
          return;
        }
        this.made.push(connection);
        const onward = connectTcp(real, place.host);
        socket.pipe(onward).pipe(socket);
        for (const [end, other] of [
          [socket, onward],
          [onward, socket],
        ] as const) {
          end.on('error', () => other.destroy());
          end.on('close', () => other.destroy());
        }
      });
      server.listen(address === undefined ? 0 : port, address ?? '127.0.0.1');
      await once(server, 'listening');
      this.#relays.push(server);
      opened[port] = (server.address() as AddressInfo).port;
    }
    return opened;
  }

  close(): void {
    for (const relay of this.#relays) relay.close();
  }
}
