import type { DescMethod, DescMethodUnary, DescService, MessageInitShape } from '@bufbuild/protobuf';
import { AdminService, CredentialService, LedgerService } from '@callpass/contract';
import { methodName } from '@callpass/grpc-kit';
import { Health } from '@callpass/rpc-protos/gen/grpc/health/v1/health_pb.js';

/** Whether a request may be sent again when it is not known what became of it. */
type Repeatable<I> = boolean | ((request: I) => boolean);

/** The unary methods of a service, each with its own type of row. */
type RowsOf<D extends DescService> = {
  readonly [
    K in keyof D['method'] as D['method'][K] extends DescMethodUnary ? K : never
  ]: D['method'][K] extends {
    readonly input: infer I extends DescMethod['input'];
  }
    ? Repeatable<MessageInitShape<I>>
    : never;
};

const hasRequestId = ({ requestId = '' }: { readonly requestId?: string }) => requestId !== '';

const CREDENTIALS: RowsOf<typeof CredentialService> = {
  // Without an id a repetition would issue twice. The service remembers the answer of each id for the realm's token
  // lifetime, so this client invents none: who wants retries gives one.
  issueCredentials: hasRequestId,
  batchIssueCredentials: ({ requests = [] }) => requests.every(hasRequestId),
  validateToken: true,
  validateCredentials: true,
};

const ADMIN: RowsOf<typeof AdminService> = {
  getConfiguration: true,
  applyConfiguration: false,
  listConfigurationRevisions: true,
  addRealmKey: false,
  listRealmKeys: true,
  activateRealmKey: false,
  retireRealmKey: false,
  destroyRealmKey: false,
  freeze: false,
  unfreeze: false,
  listFreezes: true,
  tryIssue: true,
  explainToken: true,
};

const LEDGER: RowsOf<typeof LedgerService> = { listEntries: true, verifyLedger: true, removeEntries: false };

// Who asks for health wants to know how it is now.
const HEALTH: RowsOf<typeof Health> = { check: false, list: false };

type UntypedRows = Readonly<Record<string, Repeatable<never>>>;
const ROWS = new Map<DescService, UntypedRows>([
  [CredentialService, CREDENTIALS],
  [AdminService, ADMIN],
  [LedgerService, LEDGER],
  [Health, HEALTH],
]);

/** Says of a request of this method whether it may be repeated. Throws TypeError when the method has no row. */
export function repeatability(method: DescMethod): (request: unknown) => boolean {
  const row = ROWS.get(method.parent)?.[method.localName];
  if (row === undefined) throw new TypeError(`no row for ${methodName(method)}`);
  return typeof row === 'boolean' ? () => row : (row as (request: unknown) => boolean);
}
