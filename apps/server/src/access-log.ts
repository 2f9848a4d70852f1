import { createRequestLines } from '@callpass/program';
import type { ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import { traceId } from '@callpass/telemetry';
import { status } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';
import { PRINCIPAL } from './access/identify.ts';
import { REASON } from './errors/map-error.ts';
import type { Settings } from './settings/schema.ts';

/** The access log, and how it ends. */
export interface AccessLog {
  readonly interceptors: ServerInterceptor[];
  /** Writes what was only counted so far. */
  flush(): void;
}

/**
 * Creates the access log: one line for each RPC, or for those that were not answered with OK, or none, by the settings: who
 * called what, how it ended and why, how long it took, and the trace. Refusals for the same reason of the same method have one
 * line a second, with their number, unless each RPC is to have a line: in an outage every call is refused. Of refused authentication
 * there are only those of `RefusedAuthentications`, unless each RPC is to have a line. Put it inside telemetry and outside everything
 * that refuses.
 */
export function createAccessLog({ log: { requests } }: Pick<Settings, 'log'>, log: Logger): AccessLog {
  const { write: writeLine, flush } = createRequestLines(log, { each: requests === 'all' });
  if (requests === 'none') return { interceptors: [], flush };
  const isLogged = (code: status) => {
    if (requests === 'all') return true;
    // Whoever can connect can make any number of these, so they have a line of their own, one for many.
    return code !== status.OK && code !== status.UNAUTHENTICATED;
  };
  const write = (
    call: ServerCall,
    code: status,
    more: { durationMs: number; traceId: string | undefined },
  ) => {
    // The level may change while the server runs.
    if (!log.isLevelEnabled('info')) return;
    const alike = { method: call.methodName, status: status[code], reason: call.state.get(REASON) };
    writeLine(alike, { client: call.state.get(PRINCIPAL)?.client, ...more });
  };
  const interceptor: ServerInterceptor = (call, next) => {
    const startedAtMs = performance.now();
    const trace = traceId();
    call.onEnd((error) => {
      const code = error?.code ?? status.OK;
      if (!isLogged(code)) return;
      const durationMs = Math.round((performance.now() - startedAtMs) * 1000) / 1000;
      write(call, code, { durationMs, traceId: trace });
    });
    return next(call);
  };
  return { interceptors: [interceptor], flush };
}
