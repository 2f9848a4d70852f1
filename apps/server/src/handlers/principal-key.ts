import { createCallKey } from '@callpass/grpc-kit';
import type { Principal } from '../credentials/principal.ts';

/** Where authentication leaves who asks, for the handlers. */
export const PRINCIPAL = createCallKey<Principal>('principal');
