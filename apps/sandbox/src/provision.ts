import { parseConfigurationDocument } from '@callpass/config-document';
import {
  AdminService,
  CredentialService,
  TokenKind,
  VerdictSchema,
  type IssueCredentialsResponse,
} from '@callpass/contract';
import { createClient, type Connection } from '@callpass/grpc-kit';
import type { SandboxClients } from './clients.ts';
import { configurationDocument, type SandboxRealm } from './destinations.ts';

/** Sets up realms, keys and destinations through the service's own API, as an operator does. */
export async function provision(
  connection: Connection,
  realms: readonly SandboxRealm[],
  clients: SandboxClients,
): Promise<void> {
  const admin = createClient(AdminService, connection);
  const { configuration } = parseConfigurationDocument(configurationDocument(realms, clients));
  await admin.applyConfiguration({ configuration, expectedRevision: 0 });
  for (const { name, key } of realms) {
    const { realmKey } = await admin.addRealmKey({ realm: name, key });
    await admin.activateRealmKey({ realm: name, version: realmKey?.version ?? 0 });
  }
}

/** The proof that it works: one credential issued, and its token to the callee validated. */
export async function issueAndValidate(
  connection: Connection,
  destination: string,
): Promise<{ issued: IssueCredentialsResponse; verdict: string }> {
  const credentials = createClient(CredentialService, connection);
  const issued = await credentials.issueCredentials({ destination, subject: 'first-visitor' });
  if (issued.grant.case !== 'timeLimited') throw new Error(`no tokens were issued for ${destination}`);
  const { realm, toToken } = issued.grant.value;
  const answer = await credentials.validateToken({
    realm,
    token: toToken,
    kind: TokenKind.TO,
    requireIssuedHere: true,
  });
  return { issued, verdict: VerdictSchema.value[answer.verdict]?.name ?? 'unknown' };
}
