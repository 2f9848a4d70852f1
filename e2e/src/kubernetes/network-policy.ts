import { isDeepStrictEqual } from 'node:util';
import { BlockList } from 'node:net';
import type { Labels, Manifest } from './manifests.ts';

/** One end of a connection: a pod, or an address outside the cluster. */
export interface Party {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  /** Address, for parties outside the cluster. */
  readonly address?: string;
}

/** A connection that was tried. */
export interface Connection {
  readonly from: Party;
  readonly to: Party;
  readonly port: number;
}

interface Selector {
  readonly matchLabels?: Labels;
}

interface Peer {
  readonly podSelector?: Selector;
  readonly namespaceSelector?: Selector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly to?: readonly Peer[];
  readonly ports: readonly { readonly port: number; readonly protocol: string }[];
}

interface Policy {
  readonly name: string;
  readonly namespace: string;
  readonly spec: {
    readonly podSelector: Selector;
    readonly policyTypes: readonly Direction[];
    readonly ingress?: readonly Rule[];
    readonly egress?: readonly Rule[];
  };
}

type Direction = 'Ingress' | 'Egress';

/** One peer and port that a policy admits. */
interface Opening {
  readonly direction: Direction;
  readonly policy: string;
  readonly peer: Peer;
  readonly port: number;
  readonly admits: (connection: Connection) => boolean;
}

/** NetworkPolicies as Kubernetes means them (networking.k8s.io/v1): what selects a pod denies all but what its rules admit. */
export class NetworkPolicies {
  readonly #policies: readonly Policy[];
  readonly #namespaces: Readonly<Record<string, Labels>>;

  /** @param namespaces labels of each namespace, besides `kubernetes.io/metadata.name` */
  constructor(manifests: readonly Manifest[], namespaces: Readonly<Record<string, Labels>>) {
    this.#policies = manifests
      .filter(({ kind }) => kind === 'NetworkPolicy')
      .map(({ metadata, spec }) => ({ ...metadata, spec: spec as unknown as Policy['spec'] }));
    this.#namespaces = namespaces;
  }

  /** Checks that both ends admit a connection. */
  admits(connection: Connection): boolean {
    return this.#open(connection, 'Egress') && this.#open(connection, 'Ingress');
  }

  /** Everything that the policies admit over TCP, and none of these connections needed. */
  unused(made: readonly Connection[]): readonly string[] {
    return this.#openings()
      .filter(({ admits }) => !made.some(admits))
      .map(({ direction, policy, peer, port }) => {
        const [labels] = [peer.podSelector, peer.namespaceSelector].filter(
          (selector) => selector !== undefined,
        );
        const who = Object.values(labels?.matchLabels ?? {}).join() || peer.ipBlock?.cidr;
        return `${policy} ${direction === 'Ingress' ? 'from' : 'to'} ${who}:${port}`;
      });
  }

  #open(connection: Connection, direction: Direction): boolean {
    const pod = direction === 'Egress' ? connection.from : connection.to;
    const selecting = this.#policies.filter((policy) => this.#selects(policy, pod, direction));
    return (
      selecting.length === 0 ||
      this.#openings().some((opening) => opening.direction === direction && opening.admits(connection))
    );
  }

  #selects({ namespace, spec }: Policy, pod: Party, direction: Direction): boolean {
    return (
      pod.namespace === namespace &&
      spec.policyTypes.includes(direction) &&
      matches(spec.podSelector, pod.labels ?? {})
    );
  }

  #openings(): readonly Opening[] {
    return this.#policies.flatMap((policy) => [
      ...this.#openingsOf(policy, 'Ingress', policy.spec.ingress ?? []),
      ...this.#openingsOf(policy, 'Egress', policy.spec.egress ?? []),
    ]);
  }

  #openingsOf(policy: Policy, direction: Direction, rules: readonly Rule[]): readonly Opening[] {
    return rules.flatMap(({ from, to, ports }) =>
      (from ?? to ?? []).flatMap((peer) =>
        ports
          .filter(({ protocol }) => protocol === 'TCP')
          .map(({ port }) => ({
            direction,
            policy: policy.name,
            peer,
            port,
            admits: (connection: Connection) => {
              const [pod, other] =
                direction === 'Egress' ? [connection.from, connection.to] : [connection.to, connection.from];
              return (
                connection.port === port &&
                this.#selects(policy, pod, direction) &&
                this.#isPeer(peer, other, policy.namespace)
              );
            },
          })),
      ),
    );
  }

  #isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, party: Party, namespace: string): boolean {
    if (ipBlock) return party.address !== undefined && isInBlock(ipBlock, party.address);
    if (party.namespace === undefined) return false;
    const labels = { 'kubernetes.io/metadata.name': party.namespace, ...this.#namespaces[party.namespace] };
    return (
      (namespaceSelector ? matches(namespaceSelector, labels) : party.namespace === namespace) &&
      (podSelector === undefined || matches(podSelector, party.labels ?? {}))
    );
  }
}

function matches({ matchLabels = {}, ...others }: Selector, labels: Labels): boolean {
  if (!isDeepStrictEqual(others, {})) throw new Error('only matchLabels is read here');
  return Object.entries(matchLabels).every(([name, value]) => labels[name] === value);
}

function isInBlock({ cidr, except = [] }: NonNullable<Peer['ipBlock']>, address: string): boolean {
  const holds = (block: string) => {
    const [network = '', length = ''] = block.split('/');
    const list = new BlockList();
    list.addSubnet(network, Number(length));
    return list.check(address);
  };
  return holds(cidr) && !except.some(holds);
}
