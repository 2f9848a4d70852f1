import type { Reason } from '@callpass/contract';
import { createCallKey } from '@callpass/grpc-kit';

/** Why a call was not answered with OK; set where its error becomes a status. */
export const REASON = createCallKey<Reason>('reason');
