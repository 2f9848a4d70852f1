/**
 * Keeps the process going when standard output or standard error is gone or full, and puts them in non-blocking mode where
 * they are pipes or sockets. For programs that serve: nobody's call waits for what is written there.
 */
export function ignoreLostOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    if (stream.listenerCount('error') === 0) stream.on('error', () => undefined);
}
