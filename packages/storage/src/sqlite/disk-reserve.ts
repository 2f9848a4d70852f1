import { closeSync, fsyncSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { storeFile } from '../store-url.ts';

/** Multiple of the reserve that must be free for it to be made. */
const ROOM = 2;

const BLOCK = Buffer.alloc(1024 * 1024, 0xa5);
const OWNER_ONLY = 0o600;

/**
 * File beside a database that holds some room on its disk. When the disk is full the file is given up, so that what an
 * operator does still fits; it is made again once there is room.
 */
export class DiskReserve {
  readonly #path: string;
  readonly #bytes: number;
  #spent = false;

  /** @param bytes room to keep; 0 for none */
  constructor(databasePath: string, bytes: number) {
    this.#path = `${databasePath}-reserve`;
    this.#bytes = bytes;
  }

  /** True after the reserve was given up, until it is there again: then only what needs it may be written. */
  get spent(): boolean {
    return this.#spent;
  }

  /** Gives the room up. False where there was none. */
  spend(): boolean {
    const had = this.#size() > 0;
    rmSync(this.#path, { force: true });
    this.#spent ||= had;
    return had;
  }

  /** Makes the reserve if it is not there and there is room for it. */
  refill(): void {
    if (this.#bytes === 0) return;
    if (this.#size() !== this.#bytes && this.#roomFor()) this.#make();
    this.#spent &&= this.#size() !== this.#bytes;
  }

  #roomFor(): boolean {
    return freeBytesBeside(this.#path) >= ROOM * this.#bytes;
  }

  /** Blocks of bytes other than zero: no file system takes them for a hole. */
  #make(): void {
    const part = `${this.#path}.part`;
    try {
      const file = openSync(part, 'w', OWNER_ONLY);
      try {
        for (let written = 0; written < this.#bytes; written += BLOCK.length)
          writeSync(file, BLOCK, 0, Math.min(BLOCK.length, this.#bytes - written));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(part, this.#path);
    } catch {
      // Without room there is no reserve; the free space is measured, and an alert says so in time.
      rmSync(part, { force: true });
    }
  }

  #size(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** Bytes that the service may still write on the disk of a file. */
export function freeBytesBeside(path: string): number {
  const { bavail, bsize } = statfsSync(dirname(resolve(path)));
  return bavail * bsize;
}

/** Bytes that are free on the disk of a store in a file; `undefined` for a store on a database server, and where nobody says. */
export function freeBytes(url: string): number | undefined {
  const file = storeFile(url);
  try {
    return file === undefined ? undefined : freeBytesBeside(file);
  } catch {
    return undefined;
  }
}
