/**
 * The file system a group of files needs: one folder, addressed by names, never by paths.
 *
 * A name matches `^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$` and contains no `..`; every method refuses anything else
 * with a `TypeError`, so that no call can leave the folder.
 *
 * Reads and writes are synchronous: a cached read costs a fraction of a promise. Only syncing is asynchronous,
 * because it waits for the medium.
 *
 * Every failure is an `AofError` (or another error with such a `code`): `AOF_MISSING` where a file is not there,
 * `AOF_NOT_A_FILE` for a folder, a symbolic link, a pipe or a device, `AOF_NO_SPACE` where the medium, a quota or
 * a size limit is full, `AOF_LOCKED`, `AOF_CLOSED` for a closed file, and `AOF_IO` for all else; the error of the
 * system is the `cause`. After a failed sync nothing is known about what it covered.
 */
export interface FileSystem {
  /**
   * Opens a regular file for reading and writing; never follows a symbolic link. `existing` refuses a missing file,
   * `createNew` refuses a present one (`AOF_IO`), `create` takes either. `existing` also opens a file that may only
   * be read; writing to it then fails.
   */
  open(name: string, mode: OpenMode): OpenFile;
  /** Atomically renames `from` to `to`, replacing what is there. Durable after the next `sync` of the folder. */
  rename(from: string, to: string): void;
  /** Removes a file; a missing one is `AOF_MISSING`. Open files stay readable and writable. */
  remove(name: string): void;
  /** Names in the folder that this interface can address, in no particular order. */
  list(): string[];
  /** Makes the folder's entries durable (not the content of its files). */
  sync(): Promise<void>;
  syncNow(): void;
  /** Takes the folder's single-writer lock called `name`, or throws `AOF_LOCKED`. */
  lock(name: string): Unlock;

  /** SHA-256 of the concatenated parts. Default: a portable implementation. */
  readonly sha256?: (parts: readonly Uint8Array[]) => Uint8Array;
  /** `count` random bytes. Default: the runtime's cryptographic source. */
  readonly randomBytes?: (count: number) => Uint8Array;
}

/** See {@link FileSystem.open}. */
export type OpenMode = "existing" | "create" | "createNew";

/** Releases a lock; further calls do nothing. Never throws. */
export type Unlock = () => void;

/** One open regular file. Offsets and sizes are in bytes. */
export interface OpenFile {
  size(): number;
  /** Reads from `at` into all of `into`. May be short; 0 means the end. */
  read(at: number, into: Uint8Array): number;
  /** Writes at an explicit offset (never in append mode). May be short; 0 means nothing was written. */
  write(at: number, from: Uint8Array): number;
  /** Cuts, or extends with zeros. `size` in bytes. */
  truncate(size: number): void;
  /** Makes the data and size of the call durable, not the file's name. May run beside other calls. */
  sync(): Promise<void>;
  syncNow(): void;
  /** Releases the file. Does not sync; waits for nothing; further calls do nothing. */
  close(): void;
}
