import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { defineMethods } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionV1Alpha } from '@callpass/rpc-protos/gen/grpc/reflection/v1alpha/reflection_pb.js';
import type { Role } from '@callpass/domain';
import type { LoadClass } from './admission/admission.ts';

/** What the service says about each of its RPCs. */
export interface MethodRow {
  /** Who may call it: clients with this role, any client that is recognised, or anybody who can connect. */
  readonly role: Role | 'ANY_CLIENT' | 'ANYBODY';
  /** Whether the ledger gets an entry of it. */
  readonly audited: boolean;
  /** Whether calling it twice does no more than calling it once, so that a client may repeat it after UNAVAILABLE. */
  readonly idempotent: boolean;
  /** What it is to a server that cannot serve everything. */
  readonly load: LoadClass;
}

/** The services of the contract. */
export const SERVICES = {
  credentials: CredentialService,
  admin: AdminService,
  ledger: LedgerService,
} as const;

/** Everything that is served, each with its rows below. */
export const ALL_SERVICES = {
  ...SERVICES,
  health: Health,
  reflection: ServerReflection,
  reflectionV1Alpha: ServerReflectionV1Alpha,
} as const;

const ISSUE: MethodRow = { role: 'ISSUER', audited: true, idempotent: true, load: 'ISSUE' };
const VALIDATE: MethodRow = { role: 'VALIDATOR', audited: false, idempotent: true, load: 'VALIDATE' };
const read = (role: MethodRow['role']): MethodRow => ({
  role,
  audited: false,
  idempotent: true,
  load: 'OPERATE',
});
const change = (role: Role): MethodRow => ({ role, audited: true, idempotent: false, load: 'OPERATE' });

/** One row for each RPC. One that is missing is a type error, and stops the start. */
export const METHODS = defineMethods<typeof ALL_SERVICES, MethodRow>(ALL_SERVICES, {
  credentials: {
    // With a request id the same answer is given again; without one a repeated request is one more issue, which harms nobody.
    issueCredentials: ISSUE,
    batchIssueCredentials: ISSUE,
    validateToken: VALIDATE,
    validateCredentials: VALIDATE,
  },
  admin: {
    getConfiguration: read('OPERATOR'),
    applyConfiguration: change('OPERATOR'),
    listConfigurationRevisions: read('OPERATOR'),
    addRealmKey: change('OPERATOR'),
    listRealmKeys: read('OPERATOR'),
    activateRealmKey: change('OPERATOR'),
    retireRealmKey: change('OPERATOR'),
    destroyRealmKey: change('OPERATOR'),
    freeze: change('OPERATOR'),
    unfreeze: change('OPERATOR'),
    listFreezes: read('OPERATOR'),
    tryIssue: read('OPERATOR'),
    explainToken: read('OPERATOR'),
  },
  ledger: {
    listEntries: read('AUDITOR'),
    tailEntries: read('AUDITOR'),
    verifyLedger: read('AUDITOR'),
    removeEntries: change('OPERATOR'),
  },
  // Balancers and orchestrators ask without an identity, and learn no more than whether it serves.
  health: { check: read('ANYBODY'), watch: read('ANYBODY'), list: read('ANYBODY') },
  // What it tells is no secret, but nothing of this service is for strangers, and those who need it have an identity.
  reflection: { serverReflectionInfo: read('ANY_CLIENT') },
  reflectionV1Alpha: { serverReflectionInfo: read('ANY_CLIENT') },
});
