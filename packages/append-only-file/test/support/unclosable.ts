import type { FileSystem } from "../../src/index.ts";

/** A file system in which files of these names free their handle, and then fail, when they are closed. */
export function unclosable(below: FileSystem, names: readonly string[]): FileSystem {
  return {
    open: (name, mode) => {
      const file = below.open(name, mode);
      if (!names.includes(name)) return file;
      return {
        size: () => file.size(),
        read: (at, into) => file.read(at, into),
        write: (at, from) => file.write(at, from),
        truncate: (size) => file.truncate(size),
        sync: async () => file.sync(),
        syncNow: () => file.syncNow(),
        close: () => {
          file.close();
          throw Object.assign(new Error("cannot be closed"), { code: "EIO" });
        },
      };
    },
    rename: (from, to) => below.rename(from, to),
    remove: (name) => below.remove(name),
    list: () => below.list(),
    sync: async () => below.sync(),
    syncNow: () => below.syncNow(),
    lock: (name) => below.lock(name),
  };
}
