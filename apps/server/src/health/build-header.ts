import type { Build } from '@callpass/program';
import { Metadata } from '@grpc/grpc-js';

/** Version and commit of this server, as the header of its health. */
export function buildHeader({ version, commit }: Build): Metadata {
  const header = new Metadata();
  header.set('callpass-version', version);
  if (commit !== undefined) header.set('callpass-commit', commit);
  return header;
}
