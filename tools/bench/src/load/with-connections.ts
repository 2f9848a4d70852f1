/**
 * Opens connections, one after the other, for as long as `use` takes. Rejects when one cannot be made.
 *
 * @param open makes one; `onLost` takes why it broke.
 * @param use `lost` rejects when one breaks.
 */
export async function withConnections<Connection extends { close(): void }, Result>(
  count: number,
  open: (onLost: (error: Error) => void) => Promise<Connection>,
  use: (connections: readonly Connection[], lost: Promise<never>) => Promise<Result>,
): Promise<Result> {
  const lost = Promise.withResolvers<never>();
  // It may break when nobody listens any more.
  lost.promise.catch(() => undefined);
  const connections: Connection[] = [];
  try {
    while (connections.length < count) connections.push(await open(lost.reject));
    return await use(connections, lost.promise);
  } finally {
    for (const connection of connections) connection.close();
  }
}
