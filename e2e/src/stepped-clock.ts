import type { ServerProcess } from './processes.ts';

const STEP_MS = 3_600_000;
const SIGNAL = 'SIGUSR2';

/** Sets the wall clock of the process alone: the machine's is everybody's, and only root may set it. */
const PRELOADED = `
  const now = Date.now;
  let stepMs = 0;
  Date.now = () => now() + stepMs;
  process.on('${SIGNAL}', () => { stepMs += ${STEP_MS}; });
`;

/** The environment of a server whose wall clock {@link stepClock} can set. */
export const WITH_CLOCK_TO_STEP: NodeJS.ProcessEnv = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(PRELOADED)}`,
};

/** Sets the wall clock of a server an hour forward, and waits until it says that it has seen it. */
export async function stepClock(server: ServerProcess): Promise<void> {
  server.child.kill(SIGNAL);
  while (!server.output().includes('the clock has stepped'))
    await new Promise((resolve) => setTimeout(resolve, 25));
}
