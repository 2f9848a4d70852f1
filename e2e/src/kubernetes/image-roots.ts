import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ENVIRONMENT, ROOT } from '../processes.ts';

/** Root directories of the images, made by the steps of deploy/docker/Dockerfile. */
export class ImageRoots {
  readonly #folder: string;
  readonly #entrypoints: Readonly<Record<string, readonly string[]>>;

  /** @param folder an empty folder that takes them. */
  constructor(folder: string) {
    this.#folder = folder;
    const node = execFileSync('node', ['-p', 'process.execPath'], {
      env: ENVIRONMENT,
      encoding: 'utf8',
    }).trim();
    const system = join(folder, 'system');
    execFileSync('sh', [join(ROOT, 'deploy/docker/system.sh'), node, system]);
    for (const app of ['server', 'edge', 'cli']) {
      execFileSync('cp', ['-al', system, join(folder, app)]);
      execFileSync('node', [join(ROOT, 'deploy/docker/assemble.mjs'), app, join(folder, app, 'app')], {
        env: ENVIRONMENT,
      });
    }
    const dockerfile = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
    this.#entrypoints = Object.fromEntries(
      [...dockerfile.matchAll(/^FROM system AS (\w+)\n(?:(?!^FROM ).*\n)*?ENTRYPOINT (.*)$/gm)].map(
        ([, app = '', entrypoint = '']) => [app, JSON.parse(entrypoint) as string[]],
      ),
    );
  }

  /**
   * Gives the root of an image without what a former pod had in it, and the command of the image. Pods of one image run one after
   * the other.
   */
  rootOf(image: string): { root: string; entrypoint: readonly string[] } {
    const app = /^callpass-(\w+):/.exec(image)?.[1] ?? 'cli';
    const root = join(this.#folder, app);
    for (const mounted of ['run', 'etc/callpass'])
      rmSync(join(root, mounted), { recursive: true, force: true });
    const entrypoint = this.#entrypoints[app];
    if (entrypoint === undefined) throw new Error(`the Dockerfile has no image ${app}`);
    return { root, entrypoint };
  }
}
