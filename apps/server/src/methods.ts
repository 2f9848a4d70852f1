import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { defineMethods } from '@callpass/grpc-kit';
import type { Role } from '@callpass/domain';

/** What the service says about each of its RPCs. */
export interface MethodRow {
  /** Who may call it. */
  readonly role: Role;
  /** Whether the ledger gets an entry of it. */
  readonly audited: boolean;
  /** Whether calling it twice does no more than calling it once, so that a client may repeat it after UNAVAILABLE. */
  readonly idempotent: boolean;
}

/** The services that have rows here. Health and reflection are open to everybody who can connect. */
export const SERVICES = {
  credentials: CredentialService,
  admin: AdminService,
  ledger: LedgerService,
} as const;

const read = (role: Role): MethodRow => ({ role, audited: false, idempotent: true });
const change = (role: Role): MethodRow => ({ role, audited: true, idempotent: false });

/** One row for each RPC. One that is missing is a type error, and stops the start. */
export const METHODS = defineMethods<typeof SERVICES, MethodRow>(SERVICES, {
  credentials: {
    // With a request id the same answer is given again; without one a repeated request is one more issue, which harms nobody.
    issueCredentials: { role: 'ISSUER', audited: true, idempotent: true },
    batchIssueCredentials: { role: 'ISSUER', audited: true, idempotent: true },
    validateToken: read('VALIDATOR'),
    validateCredentials: read('VALIDATOR'),
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
});
