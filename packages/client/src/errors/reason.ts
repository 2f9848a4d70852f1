import type { ErrorReason } from '@callpass/contract';

/** Why the service did not answer with OK: a value of `ErrorReason` without its prefix. Each has a section in docs/errors.md. */
export type Reason = Exclude<keyof typeof ErrorReason, 'UNSPECIFIED'>;
