import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { AofError } from "../errors.ts";
import { type LockHost, type LockOwner, takeLockNow } from "../lock.ts";
import { pause } from "./persisting.ts";
import { systemCode, systemError } from "./system-error.ts";

/** Locks this process holds, by device and inode of the folder: one folder has many paths. */
const held = new Set<string>();

/**
 * Takes the lock file `name` in a folder; steps and promises: `lock.ts`.
 *
 * Owners are told from their successors by process id, start and boot time where the system has `/proc`, elsewhere by
 * process id alone. Processes that cannot see each other (containers with process ids of their own) must not share a
 * folder.
 *
 * @throws AofError `AOF_LOCKED` when another process, or this one, holds it; `AOF_IO`
 */
export function lockFolder(folder: string, name: string): () => void {
  const key = `${folderIdentity(folder)}:${name}`;
  if (held.has(key)) {
    throw new AofError("AOF_LOCKED", `${name} is held by this process, ${process.pid}`);
  }
  const release = takeLockNow(nodeLockHost(folder), name, self());
  held.add(key);
  let released = false;
  return () => {
    if (released) return;
    released = true;
    held.delete(key);
    release();
  };
}

function folderIdentity(folder: string): string {
  const { dev, ino } = calling("stat of the folder", () => statSync(folder, { bigint: true }));
  return `${dev}:${ino}`;
}

function self(): LockOwner {
  return {
    token: randomBytes(8).toString("hex"),
    pid: process.pid,
    start: processStatus(process.pid)?.start ?? "",
    boot: bootId(),
  };
}

/** The steps of a lock on a folder of the operating system. */
export function nodeLockHost(folder: string): LockHost {
  return {
    create(name, text) {
      const path = join(folder, name);
      return unlessTaken(`creation of ${name}`, () => {
        writeFileSync(path, text, { flag: "wx", mode: 0o600 });
      });
    },

    link(from, to) {
      try {
        return unlessTaken(`link of ${to}`, () => linkSync(join(folder, from), join(folder, to)))
          ? "linked"
          : "taken";
      } catch (error) {
        const code = systemCode(error instanceof AofError ? error.cause : error);
        if (code !== undefined && WITHOUT_LINKS.has(code)) return "unsupported";
        throw error;
      }
    },

    read: (name) => calling(`read of ${name}`, () => readSmall(join(folder, name))),

    remove(name) {
      calling(`removal of ${name}`, () => {
        try {
          unlinkSync(join(folder, name));
        } catch (error) {
          if (systemCode(error) !== "ENOENT") throw error;
        }
      });
    },

    list: () => calling("listing of the folder", () => readdirSync(folder)),
    isAlive,
    pause: () => pause(1),
  };
}

/** What systems say where files cannot have two names. */
const WITHOUT_LINKS: ReadonlySet<string> = new Set([
  "EPERM",
  "ENOTSUP",
  "EOPNOTSUPP",
  "ENOSYS",
  "EINVAL",
  "EISDIR",
  "EMLINK",
]);

function unlessTaken(action: string, call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw systemError(action, error);
  }
}

/** Longest lock file, in bytes; what is longer is none of ours. */
const LOCK_BYTES_MAX = 1024;

function readSmall(path: string): string | undefined {
  const flags = ["O_NOFOLLOW", "O_NONBLOCK"] as const;
  // Not all systems define both.
  const extra = flags.reduce(
    (sum, flag) => sum | ((constants[flag] as number | undefined) ?? 0),
    0,
  );
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | extra);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    if (!fstatSync(descriptor).isFile()) {
      throw new AofError("AOF_NOT_A_FILE", "the lock is not a regular file");
    }
    const bytes = new Uint8Array(LOCK_BYTES_MAX);
    const count = readSync(descriptor, bytes, 0, bytes.length, 0);
    return new TextDecoder().decode(bytes.subarray(0, count));
  } finally {
    closeSync(descriptor);
  }
}

/** Whether the process that wrote this still runs: the same id alone could be a later process. */
function isAlive({ pid, start, boot }: LockOwner): boolean {
  const now = bootId();
  if (boot !== "" && now !== "" && boot !== now) return false;
  const status = processStatus(pid);
  // Some systems hide other users' processes in /proc but still answer a signal.
  if (status === undefined) return answersSignal(pid);
  const ended = status.state === "Z" || status.state === "X";
  return !ended && (start === "" || start === status.start);
}

function answersSignal(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== "ESRCH";
  }
}

/** State letter and start time of a process: fields 3 and 22 of `/proc/<pid>/stat`, see proc(5). */
function processStatus(
  pid: number,
): { readonly state: string; readonly start: string } | undefined {
  const text = readSystemFile(`/proc/${pid}/stat`);
  // Field 2 is the program's name in parentheses and may itself contain both spaces and parentheses.
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields?.[0], fields?.[19]];
  if (state === undefined || start === undefined || !/^\d{1,24}$/.test(start)) return undefined;
  return { state, start };
}

function bootId(): string {
  const text = readSystemFile("/proc/sys/kernel/random/boot_id")?.trim() ?? "";
  return /^[0-9a-f-]{1,64}$/.test(text) ? text : "";
}

function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function calling<T>(action: string, call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw cause instanceof AofError ? cause : systemError(action, cause);
  }
}
