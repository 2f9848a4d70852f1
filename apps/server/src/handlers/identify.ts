import { type MethodsTable, type ServerInterceptor } from '@callpass/grpc-kit';
import { ATTR_CLIENT, setSpanAttributes } from '@callpass/telemetry';
import type { Principal } from '../credentials/principal.ts';
import { Refusal } from '../errors/refusal.ts';
import type { MethodRow } from '../methods.ts';
import { PRINCIPAL } from './principal-key.ts';

/**
 * Recognises the client of a call and checks that it has the role that the method's row asks for. Nothing is allowed that
 * no row allows.
 */
export function identify(recognise: () => Principal, methods: MethodsTable<MethodRow>): ServerInterceptor {
  return (call, next) => {
    const principal = recognise();
    setSpanAttributes({ [ATTR_CLIENT]: principal.client });
    if (!principal.roles.has(methods.row(call.method).role)) throw new Refusal('CLIENT_NOT_GRANTED');
    call.state.set(PRINCIPAL, principal);
    return next();
  };
}
