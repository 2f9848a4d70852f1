import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { entrypointOf, type ProgramName } from '@callpass/testkit/programs';
import { ENVIRONMENT, ROOT } from '../processes.ts';

/** Root directories of the images, made by the steps of deploy/docker/Dockerfile. */
export class ImageRoots {
  readonly #folder: string;

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
  }

  /**
   * Gives the root of an image without what a former pod had in it, and the command of the image. Pods of one image run one after
   * the other.
   */
  rootOf(image: string): { root: string; entrypoint: readonly string[] } {
    const app = (/^callpass-(\w+):/.exec(image)?.[1] ?? 'cli') as ProgramName;
    const root = join(this.#folder, app);
    for (const mounted of ['run', 'etc/callpass'])
      rmSync(join(root, mounted), { recursive: true, force: true });
    return { root, entrypoint: entrypointOf(app) };
  }
}
