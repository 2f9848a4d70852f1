import {
  createCallKey,
  type MethodsTable,
  type Next,
  type ServerCall,
  type ServerInterceptor,
} from '@callpass/grpc-kit';
import { ATTR_CLIENT, setSpanAttributes, SPAN_AUTHENTICATE } from '@callpass/telemetry';
import type { RefusalRecords } from '../errors/refusal-records.ts';
import { Refusal } from '../errors/refusal.ts';
import { step } from '../errors/steps.ts';
import type { MethodRow } from '../methods.ts';
import type { Principal } from '../state/principal.ts';
import type { Authenticate } from './authenticate.ts';
import { AuthenticationRefusal } from './fault.ts';
import type { RefusedAuthentications } from './refused-authentications.ts';

/** Principal of a call, set here for the handlers. */
export const PRINCIPAL = createCallKey<Principal>('principal');

/** Principal of a call that was recognised before {@link identify}. */
export const RECOGNISED = createCallKey<Principal>('recognised');

/** Authenticates and authorizes a call again, and throws when that fails; for handlers that stream without an end. */
export const REAUTHORIZE = createCallKey<() => Promise<void>>('reauthorize');

/** Interval at which streams without an end use {@link REAUTHORIZE}. */
export const REAUTHORIZE_INTERVAL_MS = 250;

/** Dependencies of {@link identify}. */
export interface IdentifyDependencies {
  readonly authenticate: Authenticate;
  readonly refused: Pick<RefusedAuthentications, 'note'>;
  readonly refusals: Pick<RefusalRecords, 'record'>;
  readonly methods: MethodsTable<MethodRow>;
}

/**
 * Recognises the client of a call and checks that it has the role that the method's row asks for. Nothing is allowed that
 * no row allows, and each refusal is in the ledger.
 */
export function identify(dependencies: IdentifyDependencies): ServerInterceptor {
  const { authenticate, methods, refused, refusals } = dependencies;

  const authorize = (call: ServerCall, row: MethodRow, principal: Principal, next: Next) => {
    const { role } = row;
    setSpanAttributes({ [ATTR_CLIENT]: principal.client });
    if (!holds(principal, role)) return refuse(call, principal, row);
    call.state.set(PRINCIPAL, principal);
    if (call.method.methodKind !== 'unary') call.state.set(REAUTHORIZE, reauthorize(call, role));
    return next(call);
  };
  const reauthorize = (call: ServerCall, role: MethodRow['role']) => async () => {
    if (!holds(await authenticate(call), role))
      throw new Refusal('CLIENT_NOT_GRANTED', { rule: `role ${role}` });
  };
  const refuse = async (call: ServerCall, principal: Principal, { role, unrecorded }: MethodRow) => {
    const refusal = new Refusal('CLIENT_NOT_GRANTED', { rule: `role ${role}` });
    if (!unrecorded) await refusals.record({ principal, call }, refusal);
    throw refusal;
  };
  const refuseUnknown = async (call: ServerCall, { unrecorded }: MethodRow, error: unknown) => {
    if (error instanceof AuthenticationRefusal && !unrecorded) await refused.note(error.fault, call.peer);
    throw error;
  };

  return (call, next) => {
    const row = methods.row(call.method);
    if (row.role === 'ANYBODY') return next(call);
    let principal: Principal | Promise<Principal>;
    try {
      principal = step(SPAN_AUTHENTICATE, () => call.state.get(RECOGNISED) ?? authenticate(call));
    } catch (error) {
      return refuseUnknown(call, row, error);
    }
    if (!(principal instanceof Promise)) return authorize(call, row, principal, next);
    return principal.then(
      (recognised) => authorize(call, row, recognised, next),
      (error: unknown) => refuseUnknown(call, row, error),
    );
  };
}

function holds({ roles }: Principal, role: MethodRow['role']): boolean {
  return role === 'ANY_CLIENT' || role === 'ANYBODY' || roles.has(role);
}
