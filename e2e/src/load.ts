import { CredentialService, type IssueCredentialsResponse } from '@callpass/contract';
import { connect, createClient, RpcError } from '@callpass/grpc-kit';
import { credentials, status } from '@grpc/grpc-js';

/** Result of a load. */
export interface LoadOutcome {
  /** Every answer that arrived, as soon as it did. */
  readonly granted: IssueCredentialsResponse[];
  /** Errors other than UNAVAILABLE. */
  readonly unexpected: string[];
  unavailable: number;
}

/** A load that goes on until it is stopped. */
export interface Load {
  readonly outcome: LoadOutcome;
  /** Resolves when so many were granted. */
  reached(count: number): Promise<void>;
  stop(): Promise<void>;
}

/** Issues for a destination from several connections at once, as fast as answers come. */
export function startLoad(address: string, destination: string, options: { workers: number }): Load {
  const outcome: LoadOutcome = { granted: [], unexpected: [], unavailable: 0 };
  let going = true;
  let waiting: { count: number; resolve: () => void } | undefined;
  const workers = Array.from({ length: options.workers }, async () => {
    const connection = connect({ address, credentials: credentials.createInsecure() });
    const client = createClient(CredentialService, connection);
    while (going) {
      try {
        outcome.granted.push(await client.issueCredentials({ destination }, { timeoutMs: 5000 }));
        if (waiting && outcome.granted.length >= waiting.count) waiting.resolve();
      } catch (error) {
        if (error instanceof RpcError && error.code === status.UNAVAILABLE) {
          outcome.unavailable++;
          // The server is away: leave the loop's turn to others instead of spinning.
          await new Promise((resolve) => setTimeout(resolve, 5));
        } else outcome.unexpected.push(String(error));
      }
    }
    connection.close();
  });
  return {
    outcome,
    reached: (count) =>
      new Promise((resolve) => {
        waiting = { count, resolve };
        if (outcome.granted.length >= count) resolve();
      }),
    async stop() {
      going = false;
      await Promise.all(workers);
    },
  };
}
