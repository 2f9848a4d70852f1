import { startSource } from '../servers/child-process.ts';
import type { HttpTarget } from './http-connection.ts';
import type { HttpLoadResult, HttpLoadShape } from './http-load.ts';
import type { OpenLoopResult, OpenLoopShape } from './pace.ts';

/** Order to the process of the generator: as much as the target takes, or at a rate. */
export interface HttpLoadOrder {
  readonly target: HttpTarget;
  readonly shape: HttpLoadShape | OpenLoopShape;
}

/** The generator of HTTP requests. Its loads reject when a connection cannot be made or breaks. */
export interface HttpGenerator {
  /** Asks for a while, as much as the target takes. */
  run(target: HttpTarget, shape: HttpLoadShape): Promise<HttpLoadResult>;
  /** Asks at a fixed rate for a while. */
  atRate(target: HttpTarget, shape: OpenLoopShape): Promise<OpenLoopResult>;
  /** CPU seconds it has used so far; NaN where the system does not tell (elsewhere than Linux). */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** Starts the generator of HTTP requests in a process of its own. */
export function startHttpGenerator(): HttpGenerator {
  const child = startSource(new URL('./http-load-process.ts', import.meta.url));
  return {
    run: (target, shape) => child.ask({ target, shape } satisfies HttpLoadOrder),
    atRate: (target, shape) => child.ask({ target, shape } satisfies HttpLoadOrder),
    cpuSeconds: () => child.cpuSeconds(),
    stop: () => child.stop(),
  };
}
