import type { ServerCall } from '@callpass/grpc-kit';
import { describe, expect, it } from '@jest/globals';
import { Refusal } from '../errors/refusal.ts';
import { boundWorkPerConnection } from './work-per-connection.ts';

const from = (peer: string) => ({ grpcCall: { getPeer: () => peer } }) as unknown as ServerCall;

/** Begins a call that is under way until it is ended. */
function begin(bound: ReturnType<typeof boundWorkPerConnection>, peer: string) {
  const work = Promise.withResolvers<void>();
  const running = bound(from(peer), () => work.promise);
  return {
    async end(error?: Error) {
      if (error) work.reject(error);
      else work.resolve();
      await Promise.allSettled([running]);
    },
  };
}

describe('boundWorkPerConnection', () => {
  it('refuses what is more than one connection may have under way, and lets others in', () => {
    const bound = boundWorkPerConnection(2);
    begin(bound, 'a:1');
    begin(bound, 'a:1');
    expect(() => begin(bound, 'a:1')).toThrow(Refusal);
    begin(bound, 'a:2');
  });

  it.each([[undefined], [new Error('no')]])(
    'gives the place of a call that has ended to the next: %s',
    async (error) => {
      const bound = boundWorkPerConnection(1);
      for (let calls = 0; calls < 3; calls++) await begin(bound, 'a:1').end(error);
      begin(bound, 'a:1');
      expect(() => begin(bound, 'a:1')).toThrow(Refusal);
    },
  );
});
