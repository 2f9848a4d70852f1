import { EXIT } from '@callpass/program';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';

interface Progress {
  readonly readCount: bigint;
  readonly totalCount: bigint;
}

type Part = { readonly case: string | undefined; readonly value?: unknown };

type ProgressPart = { readonly case: 'progress'; readonly value: Progress };

/**
 * Follows a stream to its result, and shows on a terminal how far it is. Throws a Failure where it ends without one.
 *
 * @param resultIn gives the result of the part that has it
 */
export async function resultOf<P extends Part, R>(
  { output, address }: Pick<Session, 'output' | 'address'>,
  stream: AsyncIterable<{ readonly part: P | ProgressPart }>,
  resultIn: (part: P | ProgressPart) => R | undefined,
): Promise<R> {
  try {
    for await (const { part } of stream) {
      const result = resultIn(part);
      if (result !== undefined) return result;
      if (part.case !== 'progress') continue;
      const { readCount, totalCount } = part.value as Progress;
      output.progress(`${readCount} of ${totalCount} entries`);
    }
  } finally {
    output.progress('');
  }
  throw new Failure(EXIT.unreachable, { message: `${address} has ended the stream without a result` });
}
