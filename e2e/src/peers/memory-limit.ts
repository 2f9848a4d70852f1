import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/sys/fs/cgroup';
const MIB = 1024 * 1024;

/** Control group of Linux that limits the memory of its processes, as that of a container does. */
export interface MemoryGroup {
  /** File that takes the id of a process, which is in the group from then on. */
  readonly processes: string;
  /** Removes the group; its processes must have ended. */
  remove(): void;
}

let groups = 0;

/**
 * Makes a group whose processes the kernel ends when they have more than so much memory. `undefined` where this user may not make
 * one: then a test can watch the peak only.
 */
export function createMemoryGroup(mib: number): MemoryGroup | undefined {
  // Version 1 has a hierarchy of its own for memory, version 2 one for all.
  const isV2 = existsSync(join(ROOT, 'cgroup.controllers'));
  const group = join(ROOT, isV2 ? '' : 'memory', `callpass-e2e-${process.pid}-${groups++}`);
  const remove = () => {
    rmdirSync(group);
  };
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  try {
    writeFileSync(join(group, isV2 ? 'memory.max' : 'memory.limit_in_bytes'), String(mib * MIB));
  } catch {
    remove();
    return undefined;
  }
  return { processes: join(group, 'cgroup.procs'), remove };
}
