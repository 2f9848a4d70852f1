import { createCallKey } from '@callpass/grpc-kit';
import type { Reason } from './reasons.ts';

/** Why a call was not answered with OK; set where its error becomes a status. */
export const REASON = createCallKey<Reason>('reason');
