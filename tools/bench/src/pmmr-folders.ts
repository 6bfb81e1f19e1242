import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nodeFileSystem } from "@x/append-only-file/node";
import { bytesCodec, leafPosition } from "@x/pmmr";
import { openPmmr, type PmmrFolder } from "@x/pmmr/file";
import type { Counts } from "./harness.ts";

/** Folders that are made once and copied for each sample, ignored by git. */
const TEMPLATES = fileURLToPath(new URL("../../../bench-results/folders/", import.meta.url));

export type Elements = readonly Uint8Array[];
export type Folder = PmmrFolder<Uint8Array, Uint8Array<ArrayBuffer>>;

export interface Opened {
  readonly path: string;
  readonly folder: Folder;
}

export function openFolder(path: string, size = 34): Promise<Folder> {
  return openPmmr(nodeFileSystem(path), { codec: bytesCodec(size), prunable: true });
}

export async function createFolder(size: number): Promise<Opened> {
  const path = scratch();
  return { path, folder: await openFolder(path, size) };
}

export async function openCopy(source: string): Promise<Opened> {
  const path = copyOf(source);
  return { path, folder: await openFolder(path) };
}

export function copyOf(source: string): string {
  const path = scratch();
  cpSync(source, path, { recursive: true });
  return path;
}

/** On the disk the results go to: the system's temporary folder may be memory. */
function scratch(): string {
  mkdirSync(TEMPLATES, { recursive: true });
  return mkdtempSync(join(TEMPLATES, "run-"));
}

export async function closeAndRemove({ path, folder }: Opened): Promise<void> {
  await folder.close();
  rmSync(path, { recursive: true, force: true });
}

/** A folder of `leaves` leaves of 34 bytes, made at most once. */
export async function template(
  leaves: number,
  spent: "spent=none" | "spent=half",
): Promise<string> {
  const path = join(TEMPLATES, `leaves=${leaves},${spent}`);
  if (existsSync(path) && statSync(path).isDirectory()) return path;
  const making = scratch();
  const folder = await openFolder(making);
  for (const part of batches(makeElements(34, leaves), 50_000)) {
    folder.pmmr.pushMany(part);
    await folder.commit({ sync: false });
  }
  if (spent === "spent=half") {
    for (let i = 0; i < leaves; i++) if (i % 8 >= 4) folder.pmmr.prune(leafPosition(i));
    await folder.commit();
  }
  await folder.close();
  cpSync(making, path, { recursive: true });
  rmSync(making, { recursive: true, force: true });
  return path;
}

export function difference(folder: Folder, before: ReturnType<Folder["stats"]>["files"]): Counts {
  const after = folder.stats().files;
  return {
    reads: after.reads - before.reads,
    writes: after.writes - before.writes,
    syncs: after.syncs - before.syncs + after.folderSyncs - before.folderSyncs,
    bytesWritten: after.bytesWritten - before.bytesWritten,
  };
}

/** The same elements in every run: the index, then a fixed pattern. */
export function makeElements(size: number, count: number): Elements {
  return Array.from({ length: count }, (_, index) => {
    const element = new Uint8Array(size).fill(index & 0xff);
    new DataView(element.buffer).setUint32(0, index);
    return element;
  });
}

export function* batches(elements: Elements, batch: number): Generator<Elements, void, undefined> {
  for (let i = 0; i < elements.length; i += batch) yield elements.slice(i, i + batch);
}
