/**
 * The small files the store keeps beside LevelDB's. Formats: FORMAT.md, "Files beside the database".
 *
 * - `STORE_CREATING`: the store is being made; nothing was ever acknowledged. Durable before LevelDB's first file, gone
 *   (durably) before `open` returns.
 * - `STORE_CLOSED`: how many batches there were when the store was last closed. What is there later is not less.
 * - `STORE_LOST_WRITES`: LevelDB said that it dropped writes. It says so once, in a file it overwrites; this remembers.
 */
import { StoreError } from "@x/store";

import { type Folder } from "./folder.ts";
import { type Crc32 } from "@x/store/adapter";

const CREATING = "STORE_CREATING";
const CLOSED = "STORE_CLOSED";
const LOST_WRITES = "STORE_LOST_WRITES";

/** Whether names in a folder include the sign that its store is being made. */
export function isCreating(names: readonly string[]): boolean {
  return names.includes(CREATING);
}

/** Names of what a crash left of the replacement of one of these files. */
export function leftovers(names: readonly string[]): string[] {
  return names.filter((name) => /^STORE_[A-Z_]+\.\d+\.new$/.test(name));
}

export async function beginCreating(folder: Folder): Promise<void> {
  await folder.replace(CREATING, new Uint8Array());
}

export async function endCreating(folder: Folder): Promise<void> {
  await folder.remove(CREATING);
}

/** Batches there were when the store was closed; 0 where nothing usable says so. */
export async function readClosed(folder: Folder, crc32: Crc32): Promise<number> {
  const bytes = await folder.read(CLOSED);
  if (bytes === undefined || bytes.length !== 12) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(8) !== crc32(bytes.subarray(0, 8), 0)) return 0;
  return Number(view.getBigUint64(0));
}

export async function writeClosed(folder: Folder, sequence: number, crc32: Crc32): Promise<void> {
  const bytes = new Uint8Array(12);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setBigUint64(0, BigInt(sequence));
  view.setUint32(8, crc32(bytes.subarray(0, 8), 0));
  await folder.replace(CLOSED, bytes);
}

/** What LevelDB dropped, as it said. */
export interface DroppedWrites {
  /** Lines of its LOG. */
  readonly lines: readonly string[];
  /** Logs found to end in a write that was cut short: whatever LevelDB says of them is no loss. */
  readonly torn: readonly string[];
  /** Somebody opened the store knowing it, or there is nothing to know. */
  readonly accepted: boolean;
}

const ACCEPTED_LINE = "accepted";
const REFUSED_LINE = "refused";
const TORN_PREFIX = "torn ";

/** What was dropped before, as far as it is remembered. */
export async function readDropped(folder: Folder): Promise<DroppedWrites> {
  const bytes = await folder.read(LOST_WRITES);
  if (bytes === undefined) return { lines: [], torn: [], accepted: true };
  const [first = "", ...rest] = new TextDecoder().decode(bytes).split("\n").filter(Boolean);
  if (first !== ACCEPTED_LINE && first !== REFUSED_LINE)
    throw new StoreError("STORE_CORRUPT", `${LOST_WRITES} does not begin as one`);
  return {
    lines: rest.filter((line) => !line.startsWith(TORN_PREFIX)),
    torn: rest
      .filter((line) => line.startsWith(TORN_PREFIX))
      .map((line) => line.slice(TORN_PREFIX.length)),
    accepted: first === ACCEPTED_LINE,
  };
}

export async function writeDropped(folder: Folder, dropped: DroppedWrites): Promise<void> {
  const lines = [
    dropped.accepted ? ACCEPTED_LINE : REFUSED_LINE,
    ...dropped.torn.map((name) => TORN_PREFIX + name),
    ...dropped.lines,
  ];
  await folder.replace(LOST_WRITES, new TextEncoder().encode(`${lines.join("\n")}\n`));
}
