import { pino, type Logger } from 'pino';
import type { Settings } from './settings/schema.ts';

export type { Logger } from 'pino';

/** The edge's log: JSON lines on standard error. No line is written of a request that goes well, and none holds a path or header. */
export function createLog(settings: Pick<Settings, 'log'>): Logger {
  return pino(
    { level: settings.log.level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    pino.destination({ fd: 2, sync: true }),
  );
}
