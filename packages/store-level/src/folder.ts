import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { StoreError } from "@x/store";

/** Names LevelDB gives to its files. Ours are none of these, so it leaves them alone. */
const LEVEL_FILE = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb|sst|dbtmp))$/;
const LOG_FILE = /^(\d+)\.log$/;
const TABLE_FILE = /^(\d+)\.(?:ldb|sst)$/;

/** A file whose name is a number, and the number. */
export interface NumberedFile {
  readonly name: string;
  readonly number: number;
}

/**
 * The folder of one database.
 *
 * Every method fails with STORE_IO, the system's error as its cause.
 */
export class Folder {
  readonly path: string;

  /** @param path - of the folder; need not exist */
  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Makes the folder, for its owner alone, and those above it; the names of all are durable. */
  make(): Promise<void> {
    return attempt("the folder", async () => {
      const first = await mkdir(this.path, { recursive: true, mode: 0o700 });
      // From the folder up to the one that was there before.
      const last = first === undefined ? this.path : dirname(resolve(first));
      for (let at = this.path; ; at = dirname(at)) {
        await syncFolder(at);
        if (at === last || at === dirname(at)) return;
      }
    });
  }

  /** Names in the folder; none where it does not exist. */
  async names(): Promise<string[]> {
    return (await attemptExisting("the folder", () => readdir(this.path))) ?? [];
  }

  /** The content of a file, or nothing where there is none. */
  read(name: string): Promise<Uint8Array | undefined> {
    return attemptExisting(name, () => readFile(join(this.path, name)));
  }

  /** The first bytes of a file, or nothing where there is none. */
  readStart(name: string, sizeMax: number): Promise<Uint8Array | undefined> {
    return attemptExisting(name, async () => {
      const file = await open(join(this.path, name), constants.O_RDONLY);
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(sizeMax), 0, sizeMax, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    });
  }

  /** Bytes in a file; 0 where there is none. */
  async sizeOf(name: string): Promise<number> {
    return (await attemptExisting(name, () => stat(join(this.path, name))))?.size ?? 0;
  }

  /**
   * Replaces a small file: written beside it, synced, renamed, and the name made durable. What a crash leaves beside it
   * ends in `.new`.
   */
  replace(name: string, content: Uint8Array): Promise<void> {
    return attempt(name, async () => {
      const path = join(this.path, name);
      // Another process may be about to do the same, and find only then that it comes too late.
      const beside = `${path}.${process.pid}.new`;
      const file = await open(beside, "w", 0o600);
      try {
        await file.writeFile(content);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(beside, path);
      await syncFolder(this.path);
    });
  }

  /** Cuts a file to a size, durably; one that is gone or shorter is left. */
  async cut(name: string, size: number): Promise<void> {
    if ((await this.sizeOf(name)) <= size) return;
    await attemptExisting(name, async () => {
      await truncate(join(this.path, name), size);
      await syncPath(join(this.path, name), "data");
    });
  }

  /** Removes a file, durably. */
  remove(name: string): Promise<void> {
    return attempt(name, async () => {
      await rm(join(this.path, name), { force: true });
      await syncFolder(this.path);
    });
  }

  /** Makes the content of a file durable; one that is gone needs it no more. */
  async syncFile(name: string): Promise<void> {
    await attemptExisting(name, () => syncPath(join(this.path, name), "data"));
  }

  /** Makes the names durable. */
  sync(): Promise<void> {
    return attempt("the folder", () => syncFolder(this.path));
  }
}

async function attempt<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw new StoreError("STORE_IO", `${what} could not be read or written`, { cause });
  }
}

/** Gives nothing where there is nothing. */
function attemptExisting<T>(what: string, call: () => Promise<T>): Promise<T | undefined> {
  return attempt(what, async () => {
    try {
      return await call();
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  });
}

/** Whether LevelDB wrote a file of this name. */
export function isLevelFile(name: string): boolean {
  return LEVEL_FILE.test(name);
}

/** The logs among some names, the oldest first. */
export function logFiles(names: readonly string[]): NumberedFile[] {
  return numbered(names, LOG_FILE);
}

/** The tables among some names, by number. */
export function tableFiles(names: readonly string[]): NumberedFile[] {
  return numbered(names, TABLE_FILE);
}

function numbered(names: readonly string[], pattern: RegExp): NumberedFile[] {
  return names
    .flatMap((name) => {
      const number = pattern.exec(name)?.[1];
      return number === undefined ? [] : [{ name, number: Number(number) }];
    })
    .toSorted((a, b) => a.number - b.number);
}

async function syncFolder(path: string): Promise<void> {
  // Windows has no such call, and refuses to open a folder.
  if (process.platform !== "win32") await syncPath(path, "all");
}

async function syncPath(path: string, what: "data" | "all"): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await (what === "data" ? file.datasync() : file.sync());
  } finally {
    await file.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
