import type { DescService } from '@bufbuild/protobuf';
import { ErrorReasonSchema } from '@callpass/contract';
import { addReflection, type ServiceOptions } from '@callpass/grpc-kit';
import type { Server } from '@grpc/grpc-js';
import { REAUTHORIZE, REAUTHORIZE_INTERVAL_MS } from './identify.ts';

/** Adds the reflection of these services to a server. A stream ends when its client may no longer ask. */
export function serveReflection(
  server: Server,
  services: readonly DescService[],
  options: ServiceOptions,
): void {
  addReflection(
    server,
    {
      services,
      // No service imports the reasons: they travel in google.rpc.ErrorInfo.
      files: [ErrorReasonSchema.file],
      stillAllowed: (call) => ({
        check: call.state.require(REAUTHORIZE),
        everyMs: REAUTHORIZE_INTERVAL_MS,
      }),
    },
    options,
  );
}
