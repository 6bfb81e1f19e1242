import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  readSync,
  writeSync,
} from "node:fs";

import { AofError } from "../errors.ts";
import { checkFileOffset } from "../file-offset.ts";
import { type OpenFile } from "../file-system.ts";
import { systemError } from "./system-error.ts";

// On macOS only the full flush that Node's `fsync` asks for empties the drive's cache.
const flush = process.platform === "darwin" ? fsync : fdatasync;
const flushNow = process.platform === "darwin" ? fsyncSync : fdatasyncSync;

/** An open file of the operating system. Short reads and writes are passed on as the system reports them. */
export class NodeFile implements OpenFile {
  readonly #name: string;
  #descriptor: number | undefined;
  // A descriptor closed under a running sync could be given to another file before the sync looks at it.
  #syncs = 0;
  #closing = false;

  /** @param descriptor - owned from now on */
  constructor(name: string, descriptor: number) {
    this.#name = name;
    this.#descriptor = descriptor;
  }

  size(): number {
    const descriptor = this.#opened();
    return this.#calling("stat", () => fstatSync(descriptor).size);
  }

  read(at: number, into: Uint8Array): number {
    checkFileOffset("offset", at);
    const descriptor = this.#opened();
    if (into.length === 0) return 0;
    return this.#calling(`read of ${into.length} bytes at ${at}`, () =>
      readSync(descriptor, into, 0, into.length, at),
    );
  }

  write(at: number, from: Uint8Array): number {
    checkFileOffset("offset", at);
    const descriptor = this.#opened();
    if (from.length === 0) return 0;
    return this.#calling(`write of ${from.length} bytes at ${at}`, () =>
      writeSync(descriptor, from, 0, from.length, at),
    );
  }

  truncate(size: number): void {
    checkFileOffset("size", size);
    const descriptor = this.#opened();
    this.#calling(`truncate to ${size} bytes`, () => ftruncateSync(descriptor, size));
  }

  async sync(): Promise<void> {
    const descriptor = this.#opened();
    this.#syncs++;
    try {
      await new Promise<void>((resolve, reject) => {
        flush(descriptor, (error) => {
          if (error === null) resolve();
          else reject(systemError(`sync of ${this.#name}`, error));
        });
      });
    } finally {
      this.#syncs--;
      if (this.#closing) this.#close();
    }
  }

  syncNow(): void {
    const descriptor = this.#opened();
    this.#calling("sync", () => flushNow(descriptor));
  }

  close(): void {
    this.#closing = true;
    this.#close();
  }

  #close(): void {
    if (this.#syncs > 0 || this.#descriptor === undefined) return;
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    this.#calling("close", () => closeSync(descriptor));
  }

  #opened(): number {
    if (this.#descriptor === undefined || this.#closing) {
      throw new AofError("AOF_CLOSED", `${this.#name} is closed`);
    }
    return this.#descriptor;
  }

  #calling<T>(action: string, call: () => T): T {
    try {
      return call();
    } catch (cause) {
      throw systemError(`${action} of ${this.#name}`, cause);
    }
  }
}
