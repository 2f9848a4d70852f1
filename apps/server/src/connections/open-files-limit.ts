import { readFileSync } from 'node:fs';

/** How many files and connections this process may have open; `undefined` where the system does not say so, or has no limit. */
export function openFilesLimit(source = '/proc/self/limits'): number | undefined {
  let text: string;
  try {
    text = readFileSync(source, 'utf8');
  } catch {
    return undefined;
  }
  const soft = /^Max open files\s+(\d+)/m.exec(text)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
