import { writeSync } from 'node:fs';

/** Limit on characters that wait for a reader that is slow or stopped. Beyond it lines are dropped. */
const MAX_WAITING = 256 * 1024;
const BUNCH_MS = 1000;
const BUSY_RETRY_MS = 10;
const BROKEN_RETRY_MS = 1000;
/** Time that the end of the process waits for a slow reader. */
const LAST_WAIT_MS = 200;

const NOTHING = Buffer.alloc(0);

/**
 * Writes the lines of a log to a file descriptor without ever throwing, waiting or keeping the process alive. What a reader
 * does not take now waits, up to 256 KiB. Lines beyond that, and lines that cannot be written (the disk is full, the reader is
 * gone), are dropped and counted. One line says their number as soon as lines can be written again.
 *
 * A pipe or socket must be in non-blocking mode. For standard error, reading `process.stderr` sets it.
 */
export class LogDestination {
  readonly #fd: number;
  readonly #describeDropped: (lines: number) => string;
  #state: 'writing' | 'busy' | 'broken' = 'writing';
  #lines: string[] = [];
  #characters = 0;
  /** Rest of lines that were written in part. */
  #rest: Buffer = NOTHING;
  #atLineStart = true;
  #dropped = 0;
  #unreported = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param describeDropped makes the line about lines that were dropped, its line feed included. */
  constructor(fd: number, describeDropped: (lines: number) => string) {
    this.#fd = fd;
    this.#describeDropped = describeDropped;
  }

  /** Number of lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Takes a line, its line feed included.
   *
   * @param bunch characters that are written together, at the latest after a second; 0: the line is written at once.
   */
  write(line: string, bunch = 0): void {
    if (this.#state === 'broken' || this.#characters + line.length > MAX_WAITING) {
      this.#drop(1);
      return;
    }
    this.#lines.push(line);
    this.#characters += line.length;
    if (this.#state === 'busy') return;
    if (this.#characters >= bunch) this.#flush();
    else this.#flushAfter(BUNCH_MS);
  }

  /** Writes what waits, at the end of the process. A slow reader has 200 ms to take it. */
  end(): void {
    const until = performance.now() + LAST_WAIT_MS;
    const signal = new Int32Array(new SharedArrayBuffer(4));
    this.#flush();
    while (this.#state === 'busy' && performance.now() < until) {
      Atomics.wait(signal, 0, 0, BUSY_RETRY_MS);
      this.#flush();
    }
    clearTimeout(this.#timer);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      this.#writeLines();
      this.#reportDropped();
      this.#state = 'writing';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') {
        this.#state = 'busy';
        this.#flushAfter(BUSY_RETRY_MS);
        return;
      }
      this.#state = 'broken';
      this.#drop(countLines(this.#rest) + this.#lines.length);
      this.#rest = NOTHING;
      this.#lines = [];
      this.#characters = 0;
      this.#flushAfter(BROKEN_RETRY_MS);
    }
  }

  #writeLines(): void {
    this.#writeRest();
    this.#rest = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#characters = 0;
    this.#writeRest();
  }

  #reportDropped(): void {
    const unreported = this.#unreported;
    if (unreported === 0) return;
    const note = Buffer.from(`${this.#atLineStart ? '' : '\n'}${this.#describeDropped(unreported)}`);
    const written = this.#writeSome(note);
    this.#unreported = 0;
    this.#rest = note.subarray(written);
    this.#writeRest();
  }

  #writeRest(): void {
    while (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#writeSome(this.#rest));
  }

  #writeSome(bytes: Buffer): number {
    const written = writeSync(this.#fd, bytes);
    if (written > 0) this.#atLineStart = bytes[written - 1] === LINE_FEED;
    return written;
  }

  #drop(lines: number): void {
    this.#dropped += lines;
    this.#unreported += lines;
  }

  #flushAfter(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#flush();
    }, ms).unref();
  }
}

const LINE_FEED = 10;

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (const byte of bytes) if (byte === LINE_FEED) lines += 1;
  return lines;
}
