import { startChild, type Child, type Program } from './child.ts';

/** A program that can be stopped and started again where it was, so that one sees how others take it. */
export interface Supervised {
  /** Address as host:port, running or not. */
  readonly address: string;
  /** Address of its metrics as host:port; `undefined` where it serves none. */
  readonly metrics: string | undefined;
  /** Resolves once when it ends without having been asked to. */
  readonly diedByItself: Promise<string>;
  /** Nothing happens where it runs already. */
  start(): Promise<void>;
  /** Nothing happens where it is stopped already. */
  stop(): Promise<void>;
}

/** A program on an address, and its metrics on another if they had one before. */
export type ProgramAt = (address: string, metrics?: string) => Program;

/** Starts a program. `programAt` says how to run it on an address; the first start may be on port 0. */
export async function supervise(address: string, programAt: ProgramAt): Promise<Supervised> {
  const died = Promise.withResolvers<string>();
  let child: Child | undefined;
  // One step after the other, whoever asks.
  let steps: Promise<unknown> = Promise.resolve();
  const inTurn = (step: () => Promise<void>): Promise<void> => {
    const done = steps.then(step);
    steps = done.catch(() => undefined);
    return done;
  };
  const launch = async (where: string, metrics?: string): Promise<Child> => {
    const program = programAt(where, metrics);
    const started = await startChild(program);
    child = started;
    void started.ended.then(() => {
      if (child === started) died.resolve(program.name);
    });
    return started;
  };
  const first = await launch(address);
  return {
    address: first.address,
    metrics: first.metrics,
    diedByItself: died.promise,
    start: () =>
      inTurn(async () => {
        if (child === undefined) {
          await launch(first.address.replace(/^\w+:\/\//, ''), first.metrics);
        }
      }),
    stop: () =>
      inTurn(async () => {
        const stopping = child;
        child = undefined;
        await stopping?.stop();
      }),
  };
}
