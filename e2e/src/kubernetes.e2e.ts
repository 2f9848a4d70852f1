import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canRun } from '@callpass/testkit';
import { scriptOf } from '@callpass/testkit/programs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { plantTokensIn } from './canary/keep.ts';
import { NAMESPACES, startCluster, type Cluster } from './kubernetes/cluster.ts';
import { podOf, readManifests } from './kubernetes/manifests.ts';
import { NetworkPolicies, type Party } from './kubernetes/network-policy.ts';
import { Network } from './kubernetes/network.ts';
import { Pod } from './kubernetes/pod.ts';
import { run } from './processes.ts';

const INGRESS: Party = { name: 'the ingress', namespace: 'ingress' };
const PROMETHEUS: Party = { name: 'Prometheus', namespace: 'observability' };
const SHOP: Party = { name: 'a service of the shop', namespace: 'shop' };
const STRANGER: Party = { name: 'a stranger', namespace: 'elsewhere' };

/** Ports of the mesh, to which no program of a test connects: the mesh is no part of it. */
const OF_THE_MESH = /:(4143|8080|8086|8090)$/;

/**
 * The manifests of deploy/kubernetes, run without a cluster: each pod in the root of its image, with the rendered settings, secrets,
 * commands and user. Only addresses are replaced. Needs root, as CI has it.
 */
const isRoot = canRun(process.getuid?.() === 0, 'this user is not root', 'the manifests of Kubernetes');
const asRoot = isRoot ? describe : describe.skip;

let cluster: Cluster;

beforeAll(async () => {
  if (isRoot) cluster = await startCluster();
}, 120_000);
afterAll(async () => {
  if (isRoot) await cluster.stop();
});

asRoot.each(['base', 'mesh'])('deploy/kubernetes/%s', (flavour) => {
  const manifests = readManifests(flavour);
  const policies = new NetworkPolicies(manifests, NAMESPACES);
  const network = new Network(policies);
  /** Ways that policies do not see, such as that of a kubelet. */
  const aside = new Network(new NetworkPolicies([], {}));
  const pods: Pod[] = [];
  let folder: string;
  let relays = 0;

  beforeAll(async () => {
    await cluster.empty();
    folder = mkdtempSync(join(tmpdir(), 'callpass-operator-'));
    const { 'callpass-operator-tls': pair = {} } = cluster.secrets;
    const identity = { ...pair, token: cluster.tokenOf('callpass-operator', 'callpass') };
    for (const [name, text] of Object.entries(identity)) writeFileSync(join(folder, name), text);
  });
  afterAll(async () => {
    await Promise.all(pods.map((pod) => pod.stop()));
    network.close();
    aside.close();
    rmSync(folder, { recursive: true });
  });

  /** Starts a pod, which reaches each name through relays of its own. */
  const startPod = async (name: string) => {
    const { labels } = podOf(manifests, name).metadata;
    const party = { name, namespace: 'callpass', labels };
    const hosts: Record<string, string> = {};
    for (const [host, place] of Object.entries(cluster.places)) {
      const address = `127.17.${pods.length}.${++relays}`;
      await network.relay(party, place, address);
      hosts[host] = address;
    }
    const pod = new Pod(name, { ...cluster, manifests }, { address: cluster.addressOf(name), hosts });
    pods.push(pod);
    return pod;
  };

  /** The address of a port of the cluster, as one of its neighbours reaches it. */
  const reach = async (from: Party, name: string, port: number, by = network) => {
    const place = cluster.places[name];
    if (!place) throw new Error(`no place ${name}`);
    return `localhost:${(await by.relay(from, place))[port]}`;
  };

  /** `kubectl port-forward`, which policies do not see, and the operator's command line of the README. */
  const callpass = async (args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const address = await reach(STRANGER, 'callpass-server.callpass.svc', 50051, aside);
    const options =
      flavour === 'mesh'
        ? ['--token-file', 'token']
        : ['--ca', 'ca.crt', '--cert', 'tls.crt', '--key', 'tls.key'];
    return run(
      'node',
      [scriptOf('cli'), ...args, '--address', address].concat(
        options.map((option) => (option.startsWith('--') ? option : join(folder, option))),
      ),
      { env },
    );
  };

  it('a first configuration is applied and a credential issued, with nothing but addresses replaced', async () => {
    expect(await (await startPod('callpass-migrate')).finished()).toBe(0);
    const server = await startPod('callpass-server');
    await server.started();
    const operator = await startPod('callpass-operator');
    expect({ code: await operator.finished(), output: operator.output() }).toEqual({
      code: 0,
      output: expect.stringContaining('revision 1 is in force'),
    });
    await (await startPod('callpass-edge')).started();
    for (const args of [
      ['key', 'add', 'support.example', '--generate'],
      ['key', 'activate', 'support.example', '1'],
    ])
      expect(await callpass(args)).toMatchObject({ code: 0 });

    const edge = await reach(INGRESS, 'callpass-edge.callpass.svc', 8080);
    const answer = await fetch(`http://${edge}/v1/destinations/support/credentials`, {
      method: 'POST',
      headers: { origin: 'https://www.example.org', 'content-type': 'application/json' },
      body: '{}',
    });
    const text = await answer.text();
    plantTokensIn(text);
    expect({ status: answer.status, text }).toEqual({
      status: 200,
      text: expect.stringContaining('"toToken"'),
    });
  }, 60_000);

  it('the policies admit what is needed, all of which is used, and nothing else', async () => {
    const metrics = await fetch(
      `http://${await reach(PROMETHEUS, 'callpass-server.callpass.svc', 9464)}/metrics`,
    );
    expect(await metrics.text()).toContain('callpass_ready');
    expect(
      (await callpass(['ledger', 'list'], { OTEL_TRACES_EXPORTER: 'otlp', OTEL_TRACES_SAMPLER: 'always_on' }))
        .code,
    ).toBe(0);
    const shop = await reach(SHOP, 'callpass-server.callpass.svc', 50051);
    await fetch(`http://${shop}`).catch(() => undefined);
    for (const [from, name, port] of [
      [STRANGER, 'callpass-server.callpass.svc', 50051],
      [STRANGER, 'callpass-edge.callpass.svc', 8080],
      [INGRESS, 'callpass-server.callpass.svc', 50051],
      [PROMETHEUS, 'callpass-server.callpass.svc', 50051],
      [SHOP, 'callpass-server.callpass.svc', 9464],
    ] as const)
      await expect(fetch(`http://${await reach(from, name, port)}`)).rejects.toThrow();
    expect(network.cut.length).toBe(5);

    // What the programs still have to say, they say at their end.
    await Promise.all(pods.map((pod) => pod.stop()));
    expect(cluster.collected()).toEqual(['/v1/metrics', '/v1/traces']);
    expect(network.cut.length).toBe(5);
    const unused = policies.unused(network.made);
    expect(
      unused.filter((opening) => !OF_THE_MESH.test(opening) && !opening.endsWith('kube-system:53')),
    ).toEqual([]);
    if (flavour === 'base') expect(unused.filter((opening) => OF_THE_MESH.test(opening))).toEqual([]);
  }, 60_000);

  it.each([
    ['callpass-edge', 'postgres.callpass-data.svc', 5432],
    ['callpass-edge', 'callpass-server.callpass.svc', 9464],
    ['callpass-operator', 'postgres.callpass-data.svc', 5432],
    ['callpass-migrate', 'redis.callpass-data.svc', 6379],
    ['callpass-server', 'callpass-edge.callpass.svc', 8080],
  ])('%s does not reach %s:%i', (name, host, port) => {
    const { labels } = podOf(manifests, name).metadata;
    const to = cluster.places[host]?.party;
    if (!to) throw new Error(`no place ${host}`);
    expect(policies.admits({ from: { name, namespace: 'callpass', labels }, to, port })).toBe(false);
  });
});
