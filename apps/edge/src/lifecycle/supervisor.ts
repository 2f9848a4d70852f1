/**
 * When another process of ours has started this one with an IPC channel (the sandbox, the benchmark, tests), it is told
 * what is ready, and this one stops when it is gone, so that nothing is left running.
 */
export function reportToSupervisor(ready: { edge: string }): void {
  process.send?.({ ready });
}

/** Calls back when the supervisor is gone. Without one, never. */
export function onSupervisorGone(stop: () => void): void {
  if (process.send) process.once('disconnect', stop);
}
