import { connect, type Socket } from 'node:net';

/** Request over plain HTTP/1.1. */
export interface HttpTarget {
  readonly port: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const END_OF_HEAD = '\r\n\r\n';
const STATUS_AT = 'HTTP/1.1 '.length;

/** Keep-alive connection with one request at a time, as browsers have it. */
export class HttpConnection {
  readonly #socket: Socket;
  readonly #request: string;
  #received = '';
  #onAnswer: ((status: number) => void) | undefined;
  #closed = false;

  private constructor(socket: Socket, target: HttpTarget, onLost: (error: Error) => void) {
    this.#socket = socket;
    this.#request = requestText(target);
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => this.#take(String(chunk)));
    socket.once('error', onLost);
    socket.once('close', () => {
      if (!this.#closed) onLost(new Error('a connection was closed'));
    });
  }

  /** Connects. `onLost` is called when the connection breaks, or an answer does not say how long it is. */
  static async open(target: HttpTarget, onLost: (error: Error) => void): Promise<HttpConnection> {
    const socket = connect({ port: target.port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new HttpConnection(socket, target, onLost);
  }

  /** Sends the request. Not before the last one was answered. */
  ask(onAnswer: (status: number) => void): void {
    this.#onAnswer = onAnswer;
    this.#socket.write(this.#request);
  }

  /** Ends the connection. */
  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #take(chunk: string): void {
    this.#received += chunk;
    const headEnd = this.#received.indexOf(END_OF_HEAD);
    if (headEnd < 0) return;
    const length = /^content-length: (\d+)/im.exec(this.#received.slice(0, headEnd))?.[1];
    if (length === undefined) {
      this.#socket.destroy(new Error(`the answer has no length: ${this.#received.slice(0, headEnd)}`));
      return;
    }
    if (this.#received.length < headEnd + END_OF_HEAD.length + Number(length)) return;
    const status = Number(this.#received.slice(STATUS_AT, STATUS_AT + 3));
    this.#received = '';
    this.#onAnswer?.(status);
  }
}

function requestText({ method, path, headers }: HttpTarget): string {
  const all = { host: '127.0.0.1', ...(method === 'POST' ? { 'content-length': '0' } : {}), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
