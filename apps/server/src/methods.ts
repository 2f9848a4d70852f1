import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { defineMethods } from '@callpass/grpc-kit';
import { Authorization } from '@callpass/rpc-protos/gen/envoy/service/auth/v3/external_auth_pb.js';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';
import { ServerReflection } from '@callpass/rpc-protos/gen/grpc/reflection/v1/reflection_pb.js';
import { ServerReflection as ServerReflectionV1Alpha } from '@callpass/rpc-protos/gen/grpc/reflection/v1alpha/reflection_pb.js';
import type { Role } from '@callpass/domain';

/**
 * Class of a call for a server that cannot serve everything: an `ISSUE` can be asked again and is shed first; a `VALIDATE`
 * belongs to a call that is being set up; `OPERATE` is what operators need to see and to stop the trouble, and is never
 * shed.
 */
export type LoadClass = 'ISSUE' | 'VALIDATE' | 'OPERATE';

/**
 * Size of the request of an RPC. It bounds a message before its caller is known: `SMALL` for names, filters and tokens,
 * `HTTP_REQUEST` for a request of a browser with its body, `BATCH` for many small ones, `DOCUMENT` for a configuration.
 */
export type RequestSize = 'SMALL' | 'HTTP_REQUEST' | 'BATCH' | 'DOCUMENT';

/** The server's facts about an RPC: who may call it, its place under load, its size. Its idempotency is in the contract. */
export interface MethodRow {
  /** Callers: clients with this role, any recognised client, or anybody who can connect. */
  readonly role: Role | 'ANY_CLIENT' | 'ANYBODY';
  /** Priority under overload. */
  readonly load: LoadClass;
  /** Size of its request; `SMALL` where left out. */
  readonly request?: RequestSize;
  /** Callers keep it open for as long as they like. */
  readonly stays?: boolean;
  /** Refusals of its callers stay out of the ledger: it is called for ever, and gives nothing away. */
  readonly unrecorded?: boolean;
}

/** The services of the contract. */
export const SERVICES = {
  credentials: CredentialService,
  admin: AdminService,
  ledger: LedgerService,
} as const;

/** Everything that is served, each with its rows below: `gateway` and the reflection where the settings say so. */
export const ALL_SERVICES = {
  ...SERVICES,
  gateway: Authorization,
  health: Health,
  reflection: ServerReflection,
  reflectionV1Alpha: ServerReflectionV1Alpha,
} as const;

const ISSUE: MethodRow = { role: 'ISSUER', load: 'ISSUE' };
const VALIDATE: MethodRow = { role: 'VALIDATOR', load: 'VALIDATE' };
const operate = (role: MethodRow['role']): MethodRow => ({ role, load: 'OPERATE' });

/** One row for each RPC. One that is missing is a type error, and stops the start. */
export const METHODS = defineMethods<typeof ALL_SERVICES, MethodRow>(ALL_SERVICES, {
  credentials: {
    issueCredentials: ISSUE,
    batchIssueCredentials: { ...ISSUE, request: 'BATCH' },
    checkIssuing: { ...operate('ISSUER'), unrecorded: true },
    validateToken: VALIDATE,
    validateCredentials: VALIDATE,
    batchValidateTokens: { ...VALIDATE, request: 'BATCH' },
    batchValidateCredentials: { ...VALIDATE, request: 'BATCH' },
  },
  admin: {
    getConfiguration: operate('OPERATOR'),
    applyConfiguration: { ...operate('OPERATOR'), request: 'DOCUMENT' },
    listConfigurationRevisions: operate('OPERATOR'),
    addRealmKey: operate('OPERATOR'),
    listRealmKeys: operate('OPERATOR'),
    activateRealmKey: operate('OPERATOR'),
    retireRealmKey: operate('OPERATOR'),
    destroyRealmKey: operate('OPERATOR'),
    freeze: operate('OPERATOR'),
    unfreeze: operate('OPERATOR'),
    listFreezes: operate('OPERATOR'),
    tryIssue: { ...operate('OPERATOR'), request: 'DOCUMENT' },
    replayConfiguration: { ...operate('OPERATOR'), request: 'DOCUMENT' },
    explainToken: operate('OPERATOR'),
  },
  ledger: {
    listEntries: operate('AUDITOR'),
    // Both name every chain of the store.
    tailEntries: { ...operate('AUDITOR'), request: 'BATCH' },
    verifyLedger: { ...operate('AUDITOR'), request: 'BATCH' },
    summarizeEntries: operate('AUDITOR'),
    getAnchor: operate('AUDITOR'),
    removeEntries: operate('OPERATOR'),
  },
  gateway: { check: { ...VALIDATE, request: 'HTTP_REQUEST' } },
  // Balancers and orchestrators ask without an identity, and learn no more than whether it serves.
  health: {
    check: operate('ANYBODY'),
    watch: { ...operate('ANYBODY'), stays: true },
    list: operate('ANYBODY'),
  },
  // What it tells is no secret, but nothing of this service is for strangers, and those who need it have an identity.
  reflection: { serverReflectionInfo: { ...operate('ANY_CLIENT'), stays: true } },
  reflectionV1Alpha: { serverReflectionInfo: { ...operate('ANY_CLIENT'), stays: true } },
});
