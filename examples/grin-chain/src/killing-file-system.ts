import type { FileSystem, OpenFile } from "@x/append-only-file";

/** Says what is about to be done to the disk, before each operation that changes it. */
export type BeforeOperation = (operation: string) => void;

/** The same folder, with an announcement before every operation that changes something. */
export function announced(fs: FileSystem, before: BeforeOperation): FileSystem {
  const file = (name: string, inner: OpenFile): OpenFile => ({
    size: () => inner.size(),
    read: (at, into) => inner.read(at, into),
    write: (at, from) => {
      before(`write ${name}`);
      return inner.write(at, from);
    },
    truncate: (size) => {
      before(`truncate ${name}`);
      inner.truncate(size);
    },
    sync: () => {
      before(`sync ${name}`);
      return inner.sync();
    },
    syncNow: () => {
      before(`sync ${name}`);
      inner.syncNow();
    },
    close: () => inner.close(),
  });
  return {
    ...(fs.sha256 === undefined ? {} : { sha256: fs.sha256 }),
    ...(fs.randomBytes === undefined ? {} : { randomBytes: fs.randomBytes }),
    open: (name, mode) => file(name, fs.open(name, mode)),
    rename: (from, to) => {
      before(`rename ${from} to ${to}`);
      fs.rename(from, to);
    },
    remove: (name) => {
      before(`remove ${name}`);
      fs.remove(name);
    },
    list: () => fs.list(),
    sync: () => {
      before("sync the folder");
      return fs.sync();
    },
    syncNow: () => {
      before("sync the folder");
      fs.syncNow();
    },
    lock: (name) => fs.lock(name),
  };
}
