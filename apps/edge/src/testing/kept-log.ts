import { createLog, type Logger } from '@callpass/program/log';

/** A line of a {@link KeptLog}. */
export interface KeptLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A log whose lines of level `info`, `warn` and `error` are kept. */
export interface KeptLog {
  readonly log: Logger;
  readonly lines: readonly KeptLine[];
  /** Resolves with the first line that fits, of those from `at` on. */
  said(fits: (line: KeptLine) => boolean, at?: number): Promise<KeptLine>;
}

/** Creates one. */
export function createKeptLog(): KeptLog {
  const lines: KeptLine[] = [];
  const waiting = new Set<() => void>();
  const keep =
    (level: KeptLine['level']) =>
    (first: Record<string, unknown> | string, message = '') => {
      const line = typeof first === 'string' ? { message: first, fields: {} } : { message, fields: first };
      lines.push({ level, ...line });
      for (const look of waiting) look();
    };
  const log = Object.assign(createLog({ level: 'silent' }), {
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    isLevelEnabled: () => true,
  });
  return {
    log,
    lines,
    said: (fits, at = 0) =>
      new Promise((resolve) => {
        const look = () => {
          const line = lines.slice(at).find(fits);
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
      }),
  };
}
