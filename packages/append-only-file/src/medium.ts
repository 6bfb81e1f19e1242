import { sha256 } from "@noble/hashes/sha2.js";
import { randomBytes } from "@noble/hashes/utils.js";

import { concatBytes } from "./bytes.ts";
import { AofError, type AofErrorCode } from "./errors.ts";
import { type FileSystem, type OpenFile, type OpenMode, type Unlock } from "./file-system.ts";

/** Gives a zeroed buffer of `bytes` bytes, or throws. */
export type Allocate = (bytes: number) => Uint8Array<ArrayBuffer>;

/** How often the file system was asked for what, and how many bytes moved. */
export interface MediumCounts {
  reads: number;
  bytesRead: number;
  writes: number;
  bytesWritten: number;
  truncates: number;
  syncs: number;
  folderSyncs: number;
  opens: number;
  renames: number;
  removes: number;
}

/**
 * A `FileSystem` as the group uses it: every call is counted, short reads and writes are finished, and every failure is an
 * `AofError`. A failed sync is always `AOF_DURABILITY_UNKNOWN`.
 */
export class Medium {
  readonly #fs: FileSystem;
  readonly allocate: Allocate;
  readonly counts: MediumCounts = {
    reads: 0,
    bytesRead: 0,
    writes: 0,
    bytesWritten: 0,
    truncates: 0,
    syncs: 0,
    folderSyncs: 0,
    opens: 0,
    renames: 0,
    removes: 0,
  };

  constructor(fs: FileSystem, allocate: Allocate = (bytes) => new Uint8Array(bytes)) {
    this.#fs = fs;
    this.allocate = allocate;
  }

  open(name: string, mode: OpenMode): MediumFile {
    this.counts.opens++;
    return new MediumFile(
      this.counts,
      name,
      doing(`opening ${name}`, () => this.#fs.open(name, mode)),
    );
  }

  /** Opens an existing file for as long as `use` takes. */
  withFile<T>(name: string, use: (file: MediumFile) => T): T {
    const file = this.open(name, "existing");
    try {
      return use(file);
    } finally {
      file.close();
    }
  }

  rename(from: string, to: string): void {
    this.counts.renames++;
    doing(`renaming ${from} to ${to}`, () => this.#fs.rename(from, to));
  }

  remove(name: string): void {
    this.counts.removes++;
    doing(`removing ${name}`, () => this.#fs.remove(name));
  }

  names(): Set<string> {
    return new Set(doing("listing the folder", () => this.#fs.list()));
  }

  lock(name: string): Unlock {
    return doing(`locking ${name}`, () => this.#fs.lock(name));
  }

  /** Makes names durable. */
  async syncFolder(): Promise<void> {
    this.counts.folderSyncs++;
    try {
      await this.#fs.sync();
    } catch (cause) {
      throw new AofError("AOF_DURABILITY_UNKNOWN", "syncing the folder failed", { cause });
    }
  }

  sha256(parts: readonly Uint8Array[]): Uint8Array {
    if (this.#fs.sha256 !== undefined) return this.#fs.sha256(parts);
    return sha256(parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(parts));
  }

  randomBytes(count: number): Uint8Array {
    return this.#fs.randomBytes?.(count) ?? randomBytes(count);
  }
}

/** One open file of a {@link Medium}. */
export class MediumFile {
  readonly name: string;
  readonly #counts: MediumCounts;
  readonly #file: OpenFile;

  constructor(counts: MediumCounts, name: string, file: OpenFile) {
    this.#counts = counts;
    this.name = name;
    this.#file = file;
  }

  size(): number {
    return doing(`measuring ${this.name}`, () => this.#file.size());
  }

  /** Fills `into` from `at`; a file that ends before is `AOF_TRUNCATED`. */
  readInto(at: number, into: Uint8Array): void {
    const found = this.readSome(at, into);
    if (found < into.length) {
      throw new AofError(
        "AOF_TRUNCATED",
        `${this.name} ends at ${at + found}, before ${at + into.length}`,
      );
    }
  }

  /** Fills `into` from `at` as far as the file goes; returns how many bytes there were. */
  readSome(at: number, into: Uint8Array): number {
    let done = 0;
    while (done < into.length) {
      const offset = at + done;
      const rest = restOf(into, done);
      this.#counts.reads++;
      let count;
      try {
        count = this.#file.read(offset, rest);
      } catch (cause) {
        throw aofError(`reading ${this.name} at ${offset}`, cause);
      }
      if (count === 0) break;
      this.#counts.bytesRead += count;
      done += count;
    }
    return done;
  }

  /** Writes all of `from` at `at`. Nothing written twice in a row is an error. */
  write(at: number, from: Uint8Array): void {
    let done = 0;
    let refusals = 0;
    while (done < from.length) {
      const offset = at + done;
      const rest = restOf(from, done);
      this.#counts.writes++;
      let count;
      try {
        count = this.#file.write(offset, rest);
      } catch (cause) {
        throw aofError(`writing ${this.name} at ${offset}`, cause);
      }
      this.#counts.bytesWritten += count;
      done += count;
      refusals = count === 0 ? refusals + 1 : 0;
      if (refusals === 2) {
        throw new AofError("AOF_IO", `writing ${this.name} at ${offset} wrote nothing, twice`);
      }
    }
  }

  truncate(size: number): void {
    this.#counts.truncates++;
    doing(`cutting ${this.name} to ${size}`, () => this.#file.truncate(size));
  }

  async sync(): Promise<void> {
    this.#counts.syncs++;
    try {
      await this.#file.sync();
    } catch (cause) {
      throw new AofError("AOF_DURABILITY_UNKNOWN", `syncing ${this.name} failed`, { cause });
    }
  }

  close(): void {
    doing(`closing ${this.name}`, () => this.#file.close());
  }
}

/** Bytes asked for at once: systems take counts of 31 bits. */
const TRANSFER_BYTES_MAX = 0x4000_0000;

function restOf(bytes: Uint8Array, done: number): Uint8Array {
  if (done === 0 && bytes.length <= TRANSFER_BYTES_MAX) return bytes;
  return bytes.subarray(done, done + TRANSFER_BYTES_MAX);
}

/** Syncs files side by side. Waits for all of them even when one fails, so that none is closed under a running sync. */
export async function syncAll(files: readonly MediumFile[]): Promise<void> {
  const results = await Promise.allSettled(files.map((file) => file.sync()));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

/**
 * Closes all of these, whatever happens to some.
 *
 * @returns the failures. Where something else failed before, that is the one to report: a handle that cannot be closed loses
 *   nothing that was synced
 */
export function closeAll(files: Iterable<{ close(): void }>): unknown[] {
  const failures: unknown[] = [];
  for (const file of files) {
    try {
      file.close();
    } catch (error) {
      failures.push(error);
    }
  }
  return failures;
}

function doing<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    throw aofError(what, cause);
  }
}

/** The failure of a file system as an `AofError`; what is one already stays as it is. */
function aofError(what: string, cause: unknown): AofError {
  if (cause instanceof AofError) return cause;
  return new AofError(codeOf(cause), `${what} failed`, { cause });
}

function codeOf(cause: unknown): AofErrorCode {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  switch (code) {
    case "AOF_LOCKED":
    case "AOF_CLOSED":
    case "AOF_MISSING":
    case "AOF_NOT_A_FILE":
    case "AOF_NO_SPACE":
      return code;
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return "AOF_NO_SPACE";
    case "ENOENT":
      return "AOF_MISSING";
    default:
      return "AOF_IO";
  }
}
