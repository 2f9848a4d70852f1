import type { ServerCall, ServerInterceptor } from '@callpass/grpc-kit';
import { traceId } from '@callpass/telemetry';
import { status } from '@grpc/grpc-js';
import type { Logger } from '@callpass/program/log';
import { PRINCIPAL } from './access/identify.ts';
import { REASON } from './errors/map-error.ts';
import type { Settings } from './settings/schema.ts';

/**
 * One line for each RPC, or for each that was not answered with OK, or none, by the settings: who called what, how it
 * ended and why, how long it took, and the trace. Of refused authentication there are only those of `RefusedAuthentications`,
 * unless each RPC is to have a line. Put it inside telemetry and outside everything that refuses.
 */
export function accessLog({ log: { requests } }: Pick<Settings, 'log'>, log: Logger): ServerInterceptor[] {
  if (requests === 'none') return [];
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
    log.info(
      {
        method: call.methodName,
        status: status[code],
        reason: call.state.get(REASON),
        client: call.state.get(PRINCIPAL)?.client,
        ...more,
      },
      'request',
    );
  };
  return [
    (call, next) => {
      const startedAtMs = performance.now();
      const trace = traceId();
      call.onEnd((error) => {
        const code = error?.code ?? status.OK;
        if (!isLogged(code)) return;
        const durationMs = Math.round((performance.now() - startedAtMs) * 1000) / 1000;
        write(call, code, { durationMs, traceId: trace });
      });
      return next(call);
    },
  ];
}
