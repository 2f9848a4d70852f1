import { createCallKey } from '@callpass/grpc-kit';
import type { Principal } from '../state/principal.ts';

/** Where authentication leaves who asks, for the handlers. */
export const PRINCIPAL = createCallKey<Principal>('principal');

/** Throws when who asks would not be let in any more; for handlers whose answer goes on and on. */
export const STILL_LET_IN = createCallKey<() => Promise<void>>('still let in');
