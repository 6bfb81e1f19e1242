import fc from "fast-check";
import { expect } from "vitest";

import { type FileSystem, type OpenFile, type OpenMode } from "../src/index.ts";

/** A fresh, empty folder, and what removes it. */
export interface FolderUnderTest {
  readonly fs: FileSystem;
  readonly close: () => void;
}

/** Every file system of this package keeps these; the name of each is what it claims. */
export const FILE_SYSTEM_LAWS: Readonly<
  Record<string, (open: () => FolderUnderTest) => Promise<void>>
> = {
  "it reads and lists like a map of byte arrays, whatever was done to it": actsLikeMap,
  "open modes refuse a missing or a present file": each(openModes),
  "reading at or beyond the end reads nothing, across it what is there": each(readEnds),
  "a write beyond the end leaves zeros in between": each(writeGap),
  "a cut and an extension leave zeros where bytes were": each(cutAndExtend),
  "the caller keeps its buffers": each(buffers),
  "empty reads and writes change nothing": each(emptyTransfers),
  "a rename replaces, and an open file follows its content": each(renames),
  "a removed file stays usable where it is open": each(removed),
  "renaming or removing a missing file is AOF_MISSING": each(missing),
  "a name that could leave the folder is a TypeError everywhere": each(names),
  "an offset or size that is no file position is a RangeError": each(offsets),
  "a closed file answers AOF_CLOSED, and closing again does nothing": each(closed),
  "syncs of files and folder resolve, also together with a close": each(syncs),
  "a lock has one holder, and giving it back twice gives it back once": each(locks),
  "two locks with different names do not touch": each(twoLocks),
  "digest and random bytes, where offered, are right and fresh": each(extras),
};

function each(
  law: (fs: FileSystem) => void | Promise<void>,
): (open: () => FolderUnderTest) => Promise<void> {
  return async (open) => {
    const { fs, close } = open();
    try {
      await law(fs);
    } finally {
      close();
    }
  };
}

type Step =
  | { readonly kind: "write"; readonly name: string; readonly at: number; readonly count: number }
  | { readonly kind: "truncate"; readonly name: string; readonly size: number }
  | { readonly kind: "rename"; readonly name: string; readonly to: string }
  | { readonly kind: "remove"; readonly name: string }
  | { readonly kind: "sync"; readonly name: string };

const name = fc.constantFrom("a", "b.bin", "c_2");
const size = fc.oneof(fc.nat(20), fc.integer({ min: 4090, max: 8200 }));
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ kind: fc.constant("write" as const), name, at: size, count: size }),
    },
    fc.record({ kind: fc.constant("truncate" as const), name, size }),
    fc.record({ kind: fc.constant("rename" as const), name, to: name }),
    fc.record({ kind: fc.constant("remove" as const), name }),
    fc.record({ kind: fc.constant("sync" as const), name }),
  ),
  { maxLength: 15 },
);

async function actsLikeMap(open: () => FolderUnderTest): Promise<void> {
  await fc.assert(
    fc.asyncProperty(steps, async (history) => {
      const { fs, close } = open();
      try {
        const model = new Map<string, number[]>();
        for (const [i, step] of history.entries()) {
          await onDisk(fs, step, i + 1);
          onModel(model, step, i + 1);
        }
        expect(fs.list().toSorted()).toEqual([...model.keys()].toSorted());
        for (const [file, bytes] of model)
          expect(contentOf(fs, file)).toEqual(Uint8Array.from(bytes));
      } finally {
        close();
      }
    }),
    { numRuns: 60 },
  );
}

async function onDisk(fs: FileSystem, step: Step, value: number): Promise<void> {
  if (step.kind === "write") {
    const file = fs.open(step.name, "create");
    writeAll(file, step.at, new Uint8Array(step.count).fill(value));
    file.close();
    return;
  }
  if (!fs.list().includes(step.name)) return;
  if (step.kind === "rename") fs.rename(step.name, step.to);
  else if (step.kind === "remove") fs.remove(step.name);
  else {
    const file = fs.open(step.name, "existing");
    if (step.kind === "truncate") file.truncate(step.size);
    else await file.sync();
    file.close();
  }
}

function onModel(model: Map<string, number[]>, step: Step, value: number): void {
  if (step.kind === "sync") return;
  const file = model.get(step.name) ?? [];
  if (step.kind === "write") {
    model.set(step.name, file);
    if (step.count > 0) while (file.length < step.at) file.push(0);
    for (let i = 0; i < step.count; i++) file[step.at + i] = value;
  } else if (model.has(step.name)) {
    if (step.kind === "truncate") {
      file.length = Math.min(file.length, step.size);
      while (file.length < step.size) file.push(0);
    } else {
      model.delete(step.name);
      if (step.kind === "rename") model.set(step.to, file);
    }
  }
}

function openModes(fs: FileSystem): void {
  expect(codeOf(() => fs.open("a", "existing"))).toBe("AOF_MISSING");
  expect(fs.list()).toEqual([]);
  fs.open("a", "createNew").close();
  expect(codeOf(() => fs.open("a", "createNew"))).toBe("AOF_IO");
  for (const mode of ["existing", "create"] satisfies OpenMode[]) {
    const file = fs.open("a", mode);
    expect(file.size()).toBe(0);
    file.close();
  }
  fs.open("b", "create").close();
  expect(fs.list().toSorted()).toEqual(["a", "b"]);
}

function readEnds(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1, 2, 3));
  const into = new Uint8Array(4).fill(9);
  expect(file.read(3, into)).toBe(0);
  expect(file.read(1000, into)).toBe(0);
  expect(into).toEqual(Uint8Array.of(9, 9, 9, 9));
  expect(file.read(1, into)).toBe(2);
  expect(into).toEqual(Uint8Array.of(2, 3, 9, 9));
}

function writeGap(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1));
  writeAll(file, 5000, Uint8Array.of(2));
  expect(file.size()).toBe(5001);
  expect(
    bytesOf(file)
      .subarray(1, 5000)
      .every((byte) => byte === 0),
  ).toBe(true);
}

function cutAndExtend(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1, 2, 3));
  file.truncate(1);
  file.truncate(4);
  expect(bytesOf(file)).toEqual(Uint8Array.of(1, 0, 0, 0));
  file.truncate(0);
  expect(file.size()).toBe(0);
  writeAll(file, 2, Uint8Array.of(5));
  expect(bytesOf(file)).toEqual(Uint8Array.of(0, 0, 5));
}

function buffers(fs: FileSystem): void {
  const whole = Uint8Array.of(0, 1, 2, 3, 0);
  const file = fs.open("a", "create");
  writeAll(file, 0, whole.subarray(1, 4));
  whole.fill(7);
  expect(bytesOf(file)).toEqual(Uint8Array.of(1, 2, 3));
  const into = new Uint8Array(6).fill(9);
  expect(file.read(0, into.subarray(2, 4))).toBe(2);
  expect(into).toEqual(Uint8Array.of(9, 9, 1, 2, 9, 9));
}

function emptyTransfers(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1));
  expect(file.write(100, new Uint8Array(0))).toBe(0);
  expect(file.read(0, new Uint8Array(0))).toBe(0);
  expect(file.size()).toBe(1);
}

function renames(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1));
  filled(fs, "b", Uint8Array.of(2)).close();
  fs.rename("a", "b");
  expect(fs.list()).toEqual(["b"]);
  expect(contentOf(fs, "b")).toEqual(Uint8Array.of(1));
  writeAll(file, 1, Uint8Array.of(3));
  expect(contentOf(fs, "b")).toEqual(Uint8Array.of(1, 3));
  fs.rename("b", "b");
  expect(contentOf(fs, "b")).toEqual(Uint8Array.of(1, 3));
}

function removed(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1, 2));
  fs.remove("a");
  expect(fs.list()).toEqual([]);
  expect(bytesOf(file)).toEqual(Uint8Array.of(1, 2));
  fs.open("a", "createNew").close();
  expect(contentOf(fs, "a")).toEqual(new Uint8Array(0));
  writeAll(file, 0, Uint8Array.of(9));
  expect(contentOf(fs, "a")).toEqual(new Uint8Array(0));
}

function missing(fs: FileSystem): void {
  expect(codeOf(() => fs.rename("a", "b"))).toBe("AOF_MISSING");
  expect(codeOf(() => fs.remove("a"))).toBe("AOF_MISSING");
  expect(fs.list()).toEqual([]);
}

const BAD_NAMES = [
  "",
  ".",
  "..",
  "a..b",
  ".hidden",
  "_x",
  "-x",
  "a/b",
  "/a",
  "../a",
  "a\\b",
  "a b",
  "a\n",
  "a\0",
  "ä",
  "a:b",
  "a".repeat(129),
];

function names(fs: FileSystem): void {
  fs.open("keep", "create").close();
  for (const bad of BAD_NAMES) {
    expect(() => fs.open(bad, "create")).toThrow(TypeError);
    expect(() => fs.rename(bad, "a")).toThrow(TypeError);
    expect(() => fs.rename("keep", bad)).toThrow(TypeError);
    expect(() => fs.remove(bad)).toThrow(TypeError);
    expect(() => fs.lock(bad)).toThrow(TypeError);
  }
  const longest = "Z9._-".padEnd(128, "x");
  fs.open(longest, "createNew").close();
  expect(fs.list().toSorted()).toEqual([longest, "keep"].toSorted());
}

function offsets(fs: FileSystem): void {
  const file = filled(fs, "a", Uint8Array.of(1, 2));
  for (const bad of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    expect(() => file.read(bad, new Uint8Array(1))).toThrow(RangeError);
    expect(() => file.write(bad, new Uint8Array(1))).toThrow(RangeError);
    expect(() => file.truncate(bad)).toThrow(RangeError);
  }
  expect(bytesOf(file)).toEqual(Uint8Array.of(1, 2));
}

async function closed(fs: FileSystem): Promise<void> {
  const file = filled(fs, "a", Uint8Array.of(1));
  file.close();
  file.close();
  expect(codeOf(() => file.size())).toBe("AOF_CLOSED");
  expect(codeOf(() => file.read(0, new Uint8Array(1)))).toBe("AOF_CLOSED");
  expect(codeOf(() => file.write(0, new Uint8Array(1)))).toBe("AOF_CLOSED");
  expect(codeOf(() => file.truncate(0))).toBe("AOF_CLOSED");
  expect(codeOf(() => file.syncNow())).toBe("AOF_CLOSED");
  await expect(file.sync()).rejects.toMatchObject({ code: "AOF_CLOSED" });
}

async function syncs(fs: FileSystem): Promise<void> {
  const file = filled(fs, "a", Uint8Array.of(1));
  file.syncNow();
  fs.syncNow();
  await Promise.all([file.sync(), fs.sync(), file.sync()]);
  const last = file.sync();
  file.close();
  await last;
  expect(contentOf(fs, "a")).toEqual(Uint8Array.of(1));
}

function locks(fs: FileSystem): void {
  const unlock = fs.lock("lock");
  expect(codeOf(() => fs.lock("lock"))).toBe("AOF_LOCKED");
  unlock();
  const again = fs.lock("lock");
  unlock();
  expect(codeOf(() => fs.lock("lock"))).toBe("AOF_LOCKED");
  again();
  fs.lock("lock")();
}

function twoLocks(fs: FileSystem): void {
  const one = fs.lock("one_lock");
  const two = fs.lock("two_lock");
  one();
  expect(codeOf(() => fs.lock("two_lock"))).toBe("AOF_LOCKED");
  two();
}

function extras(fs: FileSystem): void {
  const digest = fs.sha256?.([Uint8Array.of(0x61), new Uint8Array(0), Uint8Array.of(0x62, 0x63)]);
  // FIPS 180-4, example of "abc".
  if (digest !== undefined) {
    expect([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  }
  const [one, two] = [fs.randomBytes?.(16), fs.randomBytes?.(16)];
  expect(one?.length).toBe(two?.length);
  if (one !== undefined) expect(one).not.toEqual(two);
}

/** A file with this content, open. */
export function filled(fs: FileSystem, file: string, bytes: Uint8Array): OpenFile {
  const opened = fs.open(file, "create");
  writeAll(opened, 0, bytes);
  return opened;
}

/** Writes all of `bytes`, however often that takes. */
export function writeAll(file: OpenFile, at: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    const count = file.write(at + done, bytes.subarray(done));
    expect(count).toBeGreaterThan(0);
    done += count;
  }
}

/** All bytes of an open file. */
export function bytesOf(file: OpenFile): Uint8Array {
  const bytes = new Uint8Array(file.size());
  for (let done = 0; done < bytes.length;) {
    const count = file.read(done, bytes.subarray(done));
    expect(count).toBeGreaterThan(0);
    done += count;
  }
  return bytes;
}

function contentOf(fs: FileSystem, file: string): Uint8Array {
  const opened = fs.open(file, "existing");
  const bytes = bytesOf(opened);
  opened.close();
  return bytes;
}

/** The code of what `work` throws. */
export function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error;
  }
  return undefined;
}
