import { type FileSystem, MemoryFileSystem } from "@x/append-only-file";
import type { ArchiveEntry } from "../../../src/file-backend/index.ts";
import { type Files, join } from "./naive-store.ts";

/** The five files of the format. */
const FORMAT = /^pmmr_(?:hash|data|size|leaf|prun)\.bin$/;

/** Whole content of a file. */
export function readFile(fs: FileSystem, name: string): Uint8Array<ArrayBuffer> {
  const file = fs.open(name, "existing");
  const bytes = new Uint8Array(file.size());
  for (let at = 0; at < bytes.length;) {
    const count = file.read(at, bytes.subarray(at));
    if (count === 0) throw new Error(`${name} ends at ${at}`);
    at += count;
  }
  file.close();
  return bytes;
}

/** Writes a file whole. */
export function writeFile(fs: FileSystem, name: string, bytes: Uint8Array): void {
  const file = fs.open(name, "create");
  file.truncate(0);
  for (let at = 0; at < bytes.length;) at += file.write(at, bytes.subarray(at));
  file.close();
}

/** The files of the format, without what our own commit protocol adds. */
export function formatFiles(fs: FileSystem): Files {
  const names = fs.list().filter((name) => FORMAT.test(name));
  return Object.fromEntries(names.map((name) => [name, readFile(fs, name)]));
}

/** Every file in a folder. */
export function allFiles(fs: FileSystem): Files {
  return Object.fromEntries(fs.list().map((name) => [name, readFile(fs, name)]));
}

/** A folder in memory that holds these files. */
export function folderOf(files: Files): MemoryFileSystem {
  const fs = new MemoryFileSystem();
  for (const [name, bytes] of Object.entries(files)) writeFile(fs, name, bytes);
  return fs;
}

/** The code of the error that an action ends with, its class's name where it has none, or `none`. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (error instanceof Error && "code" in error && typeof error.code === "string") {
      return error.code;
    }
    return error instanceof Error ? error.name : "unknown";
  }
  return "none";
}

/** All bytes of one file of a copy. */
export async function contentOf(entry: ArchiveEntry): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.chunks()) chunks.push(chunk);
  return join(chunks);
}
