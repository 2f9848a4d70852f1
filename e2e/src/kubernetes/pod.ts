import { spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHealthClient } from '@callpass/client';
import { credentials } from '@grpc/grpc-js';
import { ended, outputOf } from '../processes.ts';
import type { ImageRoots } from './image-roots.ts';
import { podOf, type Manifest, type PodTemplate } from './manifests.ts';

/** Images, files and secrets that a cluster gives to a pod. */
export interface Surroundings {
  readonly images: ImageRoots;
  readonly manifests: readonly Manifest[];
  /** Secrets by name, each with its keys. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Gives a token of a service account. */
  readonly tokenOf: (serviceAccount: string, audience: string) => string;
}

/** A pod of a rendered manifest: its program in the root of its image, with the files, the environment and the user that it says. */
export class Pod {
  readonly output: () => string;
  readonly #child: ChildProcess;
  readonly #template: PodTemplate;
  readonly #address: string;

  /**
   * Starts it. Of the rendered files only addresses are replaced: `0.0.0.0` by that of the pod, and names by /etc/hosts.
   *
   * @param hosts addresses by name
   */
  constructor(
    name: string,
    { images, manifests, secrets, tokenOf }: Surroundings,
    network: { readonly address: string; readonly hosts: Readonly<Record<string, string>> },
  ) {
    this.#template = podOf(manifests, name);
    this.#address = network.address;
    const { containers, volumes, securityContext, serviceAccountName = 'default' } = this.#template.spec;
    const [container] = containers;
    const { root, entrypoint } = images.rootOf(container.image);
    const { runAsUser, runAsGroup } = securityContext;
    const secret = (of: string) => {
      const found = secrets[of];
      if (found === undefined)
        throw new Error(`${name} needs the secret ${of}, which the README does not name`);
      return found;
    };
    const write = (path: string, text: string, mode: number) => {
      // The mode of a file that is there would stay, and it may be a link of another image's.
      rmSync(path, { force: true });
      writeFileSync(path, text, { mode });
      chownSync(path, 0, runAsGroup);
    };
    for (const { name: mounted, mountPath } of container.volumeMounts) {
      const volume = volumes.find((candidate) => candidate.name === mounted);
      const folder = join(root, mountPath);
      mkdirSync(folder, { recursive: true });
      const config = manifests.find(
        ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === volume?.configMap?.name,
      );
      for (const [file, text] of Object.entries(config?.data ?? {}))
        write(join(folder, file), text.replaceAll('0.0.0.0:', `${network.address}:`), 0o644);
      if (volume?.secret)
        for (const [file, text] of Object.entries(secret(volume.secret.secretName)))
          write(join(folder, file), text, volume.secret.defaultMode);
      for (const { serviceAccountToken } of volume?.projected?.sources ?? [])
        write(
          join(folder, serviceAccountToken.path),
          tokenOf(serviceAccountName, serviceAccountToken.audience),
          0o440,
        );
    }
    write(
      join(root, 'etc/hosts'),
      Object.entries(network.hosts)
        .map(([host, address]) => `${address} ${host}\n`)
        .join(''),
      0o644,
    );
    const env: Record<string, string> = { NODE_ENV: 'production' };
    for (const { name: variable, value, valueFrom } of container.env ?? []) {
      const key = valueFrom?.secretKeyRef;
      const given = key === undefined ? (value ?? name) : secret(key.name)[key.key];
      env[variable] = (given ?? '').replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? '');
    }
    this.#child = spawn(
      'chroot',
      [`--userspec=${runAsUser}:${runAsGroup}`, root, ...entrypoint, ...container.args],
      { env: { ...env, PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.output = outputOf(this.#child, name);
  }

  /** Waits for the end of a job, and gives its exit code. */
  async finished(): Promise<number | null> {
    return (await ended(this.#child)).code;
  }

  /** Waits until the startup probe succeeds, as a kubelet does. */
  async started(): Promise<void> {
    while (!(await this.#probe())) {
      if (this.#child.exitCode !== null) throw new Error(`the pod ended: ${this.output()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    await ended(this.#child);
  }

  async #probe(): Promise<boolean> {
    const [{ startupProbe: { httpGet, grpc } = {}, ports = [] }] = this.#template.spec.containers;
    if (grpc !== undefined) {
      const health = createHealthClient({
        address: `${this.#address}:${grpc.port}`,
        credentials: credentials.createInsecure(),
        retry: false,
      });
      const answer = await health.check({}, { timeoutMs: 1000 }).catch(() => undefined);
      health.close();
      return answer?.status === 1;
    }
    const port = ports.find(({ name }) => name === httpGet?.port)?.containerPort;
    const answer = await fetch(`http://${this.#address}:${port}${httpGet?.path}`).catch(() => undefined);
    return answer?.status === 200;
  }
}
