export { checkSessions } from './check-sessions.ts';
export { openSessions, type SingleUseSettings } from './open-sessions.ts';
export type { RedisSessions } from './redis-sessions.ts';
export { createMemorySessions, type SessionStore } from './session-store.ts';
