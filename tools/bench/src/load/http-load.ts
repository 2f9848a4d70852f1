import { HttpConnection, type HttpTarget } from './http-connection.ts';
import { pace, Tally, type OpenLoopResult, type OpenLoopShape, type PacedConnection } from './pace.ts';
import { withConnections } from './with-connections.ts';

/** Concurrency and duration of a load. */
export interface HttpLoadShape {
  readonly connections: number;
  readonly durationMs: number;
}

/** Result of a load. */
export interface HttpLoadResult {
  readonly perSecond: number;
  readonly ok: number;
  /** Answers with another status than 200. */
  readonly refused: number;
}

const OK = 200;
const TOO_MANY_REQUESTS = 429;

/** Asks for a while, one request after the other on each connection. Rejects when a connection breaks. */
export function generateHttpLoad(
  target: HttpTarget,
  { connections, durationMs }: HttpLoadShape,
): Promise<HttpLoadResult> {
  const counts = { ok: 0, refused: 0 };
  return withHttpConnections(target, connections, async (opened, lost) => {
    const startMs = performance.now();
    const askInTurn = (connection: HttpConnection) =>
      new Promise<void>((resolve) => {
        const ask = () => {
          connection.ask((status) => {
            if (status === OK) counts.ok++;
            else counts.refused++;
            if (performance.now() - startMs < durationMs) ask();
            else resolve();
          });
        };
        ask();
      });
    await Promise.race([Promise.all(opened.map(askInTurn)), lost]);
    return { ...counts, perSecond: (1000 * counts.ok) / (performance.now() - startMs) };
  });
}

/** Asks at a fixed rate for a while. Rejects when a connection cannot be made or breaks. */
export function httpOpenLoop(target: HttpTarget, shape: OpenLoopShape): Promise<OpenLoopResult> {
  const tally = new Tally();
  return withHttpConnections(target, shape.connections, (opened, lost) =>
    pace(
      opened.map((connection) => paced(connection, tally)),
      shape,
      { tally, lost },
    ),
  );
}

function paced(connection: HttpConnection, tally: Tally): PacedConnection {
  let underWay = 0;
  return {
    get underWay() {
      return underWay;
    },
    get free() {
      return underWay === 0;
    },
    call(dueMs) {
      underWay = 1;
      connection.ask((status) => {
        underWay = 0;
        const latencyMs = performance.now() - dueMs;
        if (status === OK) tally.accepted(latencyMs);
        else if (status === TOO_MANY_REQUESTS) tally.refused(latencyMs);
        else tally.other(status);
      });
    },
    flush: () => undefined,
  };
}

const withHttpConnections = <Result>(
  target: HttpTarget,
  count: number,
  use: (connections: readonly HttpConnection[], lost: Promise<never>) => Promise<Result>,
) => withConnections(count, (onLost) => HttpConnection.open(target, onLost), use);
