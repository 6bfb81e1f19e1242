import { AofError } from "./errors.ts";
import { checkFileName } from "./file-name.ts";
import { checkFileOffset } from "./file-offset.ts";
import { type FileSystem, type OpenFile, type OpenMode, type Unlock } from "./file-system.ts";

/**
 * A folder in memory: for tests, for small data, and for runtimes without a disk.
 *
 * Its content lives as long as the object; every sync succeeds at once. Locks hold between users of one object. Memory
 * is at most twice the size of the files; a file that does not fit is `AOF_NO_SPACE`.
 */
export class MemoryFileSystem implements FileSystem {
  readonly #files = new Map<string, MemoryContent>();
  readonly #locks = new Set<string>();

  open(name: string, mode: OpenMode): OpenFile {
    checkFileName(name);
    const present = this.#files.get(name);
    if (present === undefined && mode === "existing") throw missing(name);
    if (present !== undefined && mode === "createNew") {
      throw new AofError("AOF_IO", `${name} is there already`);
    }
    const content = present ?? new MemoryContent();
    this.#files.set(name, content);
    return new MemoryFile(name, content);
  }

  rename(from: string, to: string): void {
    checkFileName(from);
    checkFileName(to);
    const content = this.#files.get(from);
    if (content === undefined) throw missing(from);
    this.#files.delete(from);
    this.#files.set(to, content);
  }

  remove(name: string): void {
    checkFileName(name);
    if (!this.#files.delete(name)) throw missing(name);
  }

  list(): string[] {
    return [...this.#files.keys()];
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  syncNow(): void {
    // Nothing is more durable than memory here.
  }

  lock(name: string): Unlock {
    checkFileName(name);
    if (this.#locks.has(name)) {
      throw new AofError("AOF_LOCKED", `${name} is held by another user of this file system`);
    }
    this.#locks.add(name);
    let held = true;
    return () => {
      if (held) this.#locks.delete(name);
      held = false;
    };
  }
}

function missing(name: string): AofError {
  return new AofError("AOF_MISSING", `${name} does not exist`);
}

/** A file doubles as it grows, up to this step, in bytes. */
const GROWTH_BYTES_MAX = 2 ** 28;

/** Growing bytes, shared by all who opened the file. Invariant: bytes beyond `size` are zero. */
class MemoryContent {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  size = 0;

  reserve(size: number): void {
    if (size <= this.bytes.length) return;
    const grown = this.bytes.length + Math.min(this.bytes.length, GROWTH_BYTES_MAX);
    const larger = allocate(Math.max(size, grown));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
  }
}

function allocate(size: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new AofError("AOF_NO_SPACE", `no memory for a file of ${size} bytes`, { cause });
  }
}

class MemoryFile implements OpenFile {
  readonly #name: string;
  #content: MemoryContent | undefined;

  constructor(name: string, content: MemoryContent) {
    this.#name = name;
    this.#content = content;
  }

  size(): number {
    return this.#opened().size;
  }

  read(at: number, into: Uint8Array): number {
    checkFileOffset("offset", at);
    const { bytes, size } = this.#opened();
    const count = Math.max(0, Math.min(into.length, size - at));
    into.set(bytes.subarray(at, at + count));
    return count;
  }

  write(at: number, from: Uint8Array): number {
    checkFileOffset("offset", at);
    const content = this.#opened();
    if (from.length === 0) return 0;
    content.reserve(at + from.length);
    content.bytes.set(from, at);
    content.size = Math.max(content.size, at + from.length);
    return from.length;
  }

  truncate(size: number): void {
    checkFileOffset("size", size);
    const content = this.#opened();
    content.reserve(size);
    if (size < content.size) content.bytes.fill(0, size, content.size);
    content.size = size;
  }

  async sync(): Promise<void> {
    this.#opened();
    await Promise.resolve();
  }

  syncNow(): void {
    this.#opened();
  }

  close(): void {
    this.#content = undefined;
  }

  #opened(): MemoryContent {
    if (this.#content === undefined) throw new AofError("AOF_CLOSED", `${this.#name} is closed`);
    return this.#content;
  }
}
