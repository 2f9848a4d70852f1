import { HttpConnection, type HttpTarget } from './http-connection.ts';
import { pace, Tally, type OpenLoopResult, type OpenLoopShape, type PacedConnection } from './pace.ts';

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
  { connections, durationMs }: { connections: number; durationMs: number },
): Promise<HttpLoadResult> {
  const counts = { ok: 0, refused: 0 };
  return withConnections(target, connections, async (opened, lost) => {
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
  return withConnections(target, shape.connections, (opened, lost) =>
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

async function withConnections<T>(
  target: HttpTarget,
  count: number,
  use: (connections: readonly HttpConnection[], lost: Promise<never>) => Promise<T>,
): Promise<T> {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  const connections: HttpConnection[] = [];
  try {
    for (let opened = 0; opened < count; opened++) {
      connections.push(await HttpConnection.open(target, lost.reject));
    }
    return await use(connections, lost.promise);
  } finally {
    for (const connection of connections) connection.close();
  }
}
