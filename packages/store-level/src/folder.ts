import { constants } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, truncate } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

/** Names LevelDB gives to its files. Ours are none of these, so it leaves them alone. */
const LEVEL_FILE = /^(?:CURRENT|MANIFEST-\d+|\d+\.(?:log|ldb|sst|dbtmp))$/;
const LOG_FILE = /^(\d+)\.log$/;
const TABLE_FILE = /^(\d+)\.(?:ldb|sst)$/;

/** A file whose name is a number, and the number. */
export interface NumberedFile {
  readonly name: string;
  readonly number: number;
}

/** The folder of one database. */
export class Folder {
  readonly path: string;

  /** @param path - of the folder; need not exist */
  constructor(path: string) {
    this.path = resolve(path);
  }

  /** Makes the folder, for its owner alone, and those above it; the names of all are durable. */
  async make(): Promise<void> {
    const first = await mkdir(this.path, { recursive: true, mode: 0o700 });
    // From the folder up to the one that was there before.
    const last = first === undefined ? this.path : dirname(resolve(first));
    for (let at = this.path; ; at = dirname(at)) {
      await syncFolder(at);
      if (at === last || at === dirname(at)) return;
    }
  }

  /** Names in the folder; none where it does not exist. */
  async names(): Promise<string[]> {
    try {
      return await readdir(this.path);
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  /** The content of a file, or nothing where there is none. */
  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(join(this.path, name));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** The first bytes of a file, or nothing where there is none. */
  async readStart(name: string, sizeMax: number): Promise<Uint8Array | undefined> {
    try {
      const file = await open(join(this.path, name), constants.O_RDONLY);
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(sizeMax), 0, sizeMax, 0);
        return buffer.subarray(0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async sizeOf(name: string): Promise<number> {
    return (await stat(join(this.path, name))).size;
  }

  /** Replaces a small file: written beside it, synced, renamed, and the name made durable. */
  async replace(name: string, content: Uint8Array): Promise<void> {
    const beside = `${name}.new`;
    const file = await open(join(this.path, beside), "w", 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(join(this.path, beside), join(this.path, name));
    await this.sync();
  }

  /** Cuts a file to a size, durably; one that is gone or shorter is left. */
  async cut(name: string, size: number): Promise<void> {
    const path = join(this.path, name);
    try {
      if ((await this.sizeOf(name)) > size) await truncate(path, size);
      await syncPath(path, "data");
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Removes a file, durably. */
  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { force: true });
    await this.sync();
  }

  /** Makes the content of a file durable; one that is gone needs it no more. */
  async syncFile(name: string): Promise<void> {
    try {
      await syncPath(join(this.path, name), "data");
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  /** Makes the names durable. */
  sync(): Promise<void> {
    return syncFolder(this.path);
  }
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
