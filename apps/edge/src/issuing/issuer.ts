import { CallpassError, errorFromStatus, type CredentialClient } from '@callpass/client';
import type { IssueCredentialsResponse } from '@callpass/contract';
import { status } from '@grpc/grpc-js';

/** One issue, as a route asks for it. */
export interface IssueRequest {
  readonly destination: string;
  readonly subject: string;
  readonly callee?: string;
  readonly caller?: string;
  /** Makes it safe to repeat. */
  readonly requestId?: string;
}

/** Options of one issue. */
export interface IssueOptions {
  /** Aborts when the browser is gone. */
  readonly signal: AbortSignal;
  /** Gives it a call of its own: for a traced request, so that the trace leads to its record. */
  readonly alone: boolean;
}

/** Asks the service. Rejects with a {@link CallpassError}. */
export type Issuer = (request: IssueRequest, options: IssueOptions) => Promise<IssueCredentialsResponse>;

interface Waiting {
  readonly request: IssueRequest;
  readonly signal: AbortSignal;
  readonly resolve: (response: IssueCredentialsResponse) => void;
  readonly reject: (error: Error) => void;
}

/** The service takes 256 in one call; smaller ones answer sooner. */
const MAX_BATCH = 64;

/**
 * Requests that arrive in the same turn of the event loop go to the service as one call: most of what an issue costs here and
 * there is the call, not the issue. None waits longer than that turn. Each keeps its own answer or refusal. What is traced, or
 * carries a request id and may thus be repeated by itself, is a call of its own.
 */
export function createIssuer({ client, timeoutMs }: { client: CredentialClient; timeoutMs: number }): Issuer {
  let waiting: Waiting[] = [];

  const flush = () => {
    const taken = waiting.filter(({ signal, reject }) => {
      if (signal.aborted) reject(goneError());
      return !signal.aborted;
    });
    waiting = [];
    for (let start = 0; start < taken.length; start += MAX_BATCH) {
      void issueTogether(taken.slice(start, start + MAX_BATCH));
    }
  };

  const issueTogether = async (batch: readonly Waiting[]): Promise<void> => {
    const [first] = batch;
    try {
      if (batch.length === 1 && first !== undefined) {
        first.resolve(await client.issueCredentials(first.request, { timeoutMs, signal: first.signal }));
        return;
      }
      const { results } = await client.batchIssueCredentials(
        { requests: batch.map(({ request }) => request) },
        { timeoutMs, signal: allGone(batch) },
      );
      batch.forEach(({ resolve, reject }, at) => {
        const result = results[at]?.result;
        if (result?.case === 'response') resolve(result.value);
        else if (result?.case === 'status') reject(errorFromStatus(result.value));
        else reject(new CallpassError('the service left out an answer', { code: status.INTERNAL }));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
  };

  return (request, { signal, alone }) => {
    if (alone || request.requestId !== undefined) {
      return client.issueCredentials(request, { timeoutMs, signal });
    }
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ request, signal, resolve, reject });
    });
  };
}

/** Aborts when every browser of a batch is gone: while one waits, the call is wanted. */
function allGone(batch: readonly Waiting[]): AbortSignal {
  const controller = new AbortController();
  let present = batch.length;
  for (const { signal } of batch) {
    signal.addEventListener(
      'abort',
      () => {
        present--;
        if (present === 0) controller.abort();
      },
      { once: true },
    );
  }
  return controller.signal;
}

function goneError(): CallpassError {
  return new CallpassError('the browser is gone', { code: status.CANCELLED });
}
