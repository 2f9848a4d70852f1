import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Files that are read again while a program runs. */
export interface FollowedFiles {
  stop(): void;
}

/** Interval of the looks. Reading a few small files is so cheap that no notification of the system is waited for. */
const EVERY_MS = 1000;

/**
 * Reads files now and looks every second whether what they hold has changed: by their contents, so that it works where a
 * file is overwritten, renamed over or reached by symbolic links that move, as Kubernetes does it.
 *
 * `use` gets the contents, at first before this returns; what it throws then is thrown on. Later the contents before stay in
 * force, `onRefused` hears of it once, and the next change is tried again: so it does not matter that files which belong
 * together are written one after the other.
 */
export function followFiles(
  names: readonly string[],
  use: (contents: readonly Buffer[]) => void,
  onRefused: (error: unknown) => void,
): FollowedFiles {
  let seen = names.map((name) => readFileSync(name));
  use(seen);
  let unreadable = false;
  let timer: NodeJS.Timeout | undefined;
  const look = async () => {
    try {
      const contents = await Promise.all(names.map((name) => readFile(name)));
      unreadable = false;
      if (contents.every((content, index) => content.equals(seen[index] as Buffer))) return;
      seen = contents;
      use(contents);
    } catch (error) {
      if (!unreadable) onRefused(error);
      unreadable = isSystemError(error);
    }
  };
  const wait = () => {
    timer = setTimeout(() => void look().finally(() => timer && wait()), EVERY_MS).unref();
  };
  wait();
  return {
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

function isSystemError(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}
