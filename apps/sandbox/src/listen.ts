/** Starts something on a port; says in one line which part could not have it. */
export async function listen<T>(part: string, port: number, start: (port: number) => Promise<T>): Promise<T> {
  try {
    return await start(port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw error;
    throw new Error(`port ${port} (${part}) is in use; npm start -- --ports auto uses free ports`, {
      cause: error,
    });
  }
}
