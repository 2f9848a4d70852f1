import { connect, type Socket } from 'node:net';

/** Plain HTTP/1.1 on keep-alive connections, one request at a time on each, as browsers have it. */
export interface HttpTarget {
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Result of a load. */
export interface HttpLoadResult {
  readonly perSecond: number;
  readonly ok: number;
  /** Answers with another status than 200. */
  readonly refused: number;
}

const END_OF_HEAD = '\r\n\r\n';

/** Asks for a while. Rejects when a connection breaks, or an answer does not say how long it is. */
export async function generateHttpLoad(
  target: HttpTarget,
  { connections, durationMs }: { connections: number; durationMs: number },
): Promise<HttpLoadResult> {
  const request = requestText(target);
  const counts = { ok: 0, refused: 0 };
  let going = true;
  const startMs = performance.now();
  setTimeout(() => (going = false), durationMs);
  await Promise.all(
    Array.from({ length: connections }, () => askInTurn(target.port, request, () => going, counts)),
  );
  return { ...counts, perSecond: (1000 * counts.ok) / (performance.now() - startMs) };
}

function requestText({ method, path, headers }: HttpTarget): string {
  const all = { host: '127.0.0.1', ...(method === 'POST' ? { 'content-length': '0' } : {}), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function askInTurn(
  port: number,
  request: string,
  goesOn: () => boolean,
  counts: { ok: number; refused: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
    let received = '';
    let done = false;
    socket.setEncoding('latin1');
    socket.once('connect', () => socket.write(request));
    socket.on('data', (chunk: string) => {
      received += chunk;
      const headEnd = received.indexOf(END_OF_HEAD);
      if (headEnd < 0) return;
      const length = /^content-length: (\d+)/im.exec(received.slice(0, headEnd))?.[1];
      if (length === undefined) {
        socket.destroy(new Error(`the answer has no length: ${received.slice(0, headEnd)}`));
        return;
      }
      if (received.length < headEnd + END_OF_HEAD.length + Number(length)) return;
      if (received.startsWith('HTTP/1.1 200 ')) counts.ok++;
      else counts.refused++;
      received = '';
      if (goesOn()) {
        socket.write(request);
        return;
      }
      done = true;
      socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (done) resolve();
      else reject(new Error('a connection was closed'));
    });
  });
}
