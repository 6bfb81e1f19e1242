import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";

import { AofError } from "../errors.ts";
import { checkFileName, isFileName } from "../file-name.ts";
import { type FileSystem, type OpenFile, type OpenMode, type Unlock } from "../file-system.ts";
import { NodeFile } from "./node-file.ts";
import { lockFolder } from "./node-lock.ts";
import { persisting } from "./persisting.ts";
import { systemCode, systemError } from "./system-error.ts";

/** How {@link nodeFileSystem} takes a folder. */
export interface NodeFileSystemOptions {
  /** Makes the folder, and those above it, where it is missing. Default: true. */
  readonly create?: boolean;
}

/**
 * A folder of the operating system.
 *
 * Files are made readable for their owner only (`0o600`), folders too (`0o700`). Symbolic links, pipes and devices are
 * never opened, whatever somebody put there. The path is made absolute at once; the folder itself may be reached
 * through links. Folders on network file systems are not supported for writing: their locks and syncs promise less.
 *
 * @throws AofError `AOF_MISSING` when the folder is not there and shall not be made; `AOF_IO`
 */
export function nodeFileSystem(path: string, options: NodeFileSystemOptions = {}): FileSystem {
  const folder = resolve(path);
  if (options.create === false) requireFolder(folder);
  else makeFolder(folder);
  return new NodeFileSystem(folder);
}

class NodeFileSystem implements FileSystem {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(name: string, mode: OpenMode): OpenFile {
    const path = this.#path(name);
    const descriptor = calling(`open of ${name}`, () => openDescriptor(path, mode));
    try {
      if (!fstatSync(descriptor).isFile()) {
        throw new AofError("AOF_NOT_A_FILE", `${name} is not a regular file`);
      }
    } catch (error) {
      closeSync(descriptor);
      throw error instanceof AofError ? error : systemError(`stat of ${name}`, error);
    }
    return new NodeFile(name, descriptor);
  }

  rename(from: string, to: string): void {
    const [source, target] = [this.#path(from), this.#path(to)];
    calling(`rename of ${from} to ${to}`, () => persisting(() => renameSync(source, target)));
  }

  remove(name: string): void {
    const path = this.#path(name);
    calling(`removal of ${name}`, () => persisting(() => unlinkSync(path)));
  }

  list(): string[] {
    return calling("listing of the folder", () => readdirSync(this.#folder).filter(isFileName));
  }

  async sync(): Promise<void> {
    if (!FOLDERS_SYNC) return;
    const descriptor = calling("open of the folder", () => openSync(this.#folder, "r"));
    try {
      await new Promise<void>((settle, reject) => {
        fsync(descriptor, (error) => {
          if (error === null) settle();
          else reject(systemError("sync of the folder", error));
        });
      });
    } finally {
      closeSync(descriptor);
    }
  }

  syncNow(): void {
    calling("sync of the folder", () => syncFolder(this.#folder));
  }

  lock(name: string): Unlock {
    checkFileName(name);
    return lockFolder(this.#folder, name);
  }

  readonly sha256 = (parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    return new Uint8Array(hash.digest());
  };

  readonly randomBytes = (count: number): Uint8Array<ArrayBuffer> =>
    new Uint8Array(randomBytes(count));

  #path(name: string): string {
    checkFileName(name);
    return join(this.#folder, name);
  }
}

/** Windows cannot open a folder, and makes its entries durable by itself. */
const FOLDERS_SYNC = process.platform !== "win32";
/** Not defined on Windows, where links are looked for beforehand. */
const NO_FOLLOW = (constants.O_NOFOLLOW as number | undefined) ?? 0;
/** Without it, opening a pipe would wait for its other end. Regular files do not care. */
const NO_WAIT = (constants.O_NONBLOCK as number | undefined) ?? 0;

const CREATE_FLAGS: Readonly<Record<OpenMode, number>> = {
  existing: 0,
  create: constants.O_CREAT,
  createNew: constants.O_CREAT | constants.O_EXCL,
};

function openDescriptor(path: string, mode: OpenMode): number {
  if (NO_FOLLOW === 0) refuseLink(path);
  const flags = CREATE_FLAGS[mode] | NO_FOLLOW | NO_WAIT;
  try {
    return openSync(path, flags | constants.O_RDWR, 0o600);
  } catch (error) {
    const code = systemCode(error) ?? "";
    if (mode !== "existing" || !["EACCES", "EPERM", "EROFS"].includes(code)) throw error;
    return openSync(path, flags | constants.O_RDONLY);
  }
}

function refuseLink(path: string): void {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink() === true) {
    throw new AofError("AOF_NOT_A_FILE", "symbolic links are not followed");
  }
}

/** Makes missing folders and their names durable: a folder that vanishes takes its synced files along. */
function makeFolder(folder: string): void {
  const first = calling("making of the folder", () =>
    mkdirSync(folder, { recursive: true, mode: 0o700 }),
  );
  if (first === undefined) return;
  calling("sync of the folders above", () => {
    for (let made = folder; ; made = dirname(made)) {
      syncFolder(dirname(made));
      if (made === first || made === dirname(made)) return;
    }
  });
}

function requireFolder(folder: string): void {
  if (calling("stat of the folder", () => statSync(folder)).isDirectory()) return;
  throw new AofError("AOF_IO", "the path of the folder leads to something else");
}

function syncFolder(folder: string): void {
  if (!FOLDERS_SYNC) return;
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function calling<T>(action: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw cause instanceof AofError ? cause : systemError(action, cause);
  }
}
