import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { type Anchor } from "../records/anchor-record.ts";
import { readId, readText, writeText } from "../records/record.ts";

/** What a branch was before it was deleted, or its head was moved away from what came after. It keeps both alive. */
export interface ReflogEntry {
  /** Number of the write, and the branch: together they are the entry's place. */
  readonly sequence: number;
  readonly branchId: number;
  readonly branchName: string;
  readonly event: "deleted" | "moved";
  /** Microseconds since 1970: when that happened. */
  readonly time: number;
  /** The head before; 0 where there was none. */
  readonly head: number;
  /** Root of the working state before. */
  readonly root: number;
}

const EVENTS = ["deleted", "moved"] as const;
/** Bytes in the name of an anchor: two numbers of eight. */
const NAME_SIZE = 16;

/** The name of the anchor of an entry: in the order of time. */
export function reflogName({
  sequence,
  branchId,
}: Pick<ReflogEntry, "sequence" | "branchId">): Uint8Array<ArrayBuffer> {
  const name = new Uint8Array(NAME_SIZE);
  const view = new DataView(name.buffer);
  view.setBigUint64(0, BigInt(sequence));
  view.setBigUint64(8, BigInt(branchId));
  return name;
}

/** The anchor of an entry. It keeps the tree of the working state besides the commit. Layout: FORMAT.md, "Reflog entry". */
export function reflogAnchor(entry: ReflogEntry): Anchor {
  const { sequence, branchId, branchName, event, time, head, root } = entry;
  const writer = new ByteWriter();
  writer.varint(sequence);
  writer.varint(branchId);
  writer.u8(EVENTS.indexOf(event));
  writer.varint(time);
  writeText(writer, branchName);
  return {
    commits: head === 0 ? [] : [head],
    roots: root === 0 ? [] : [root],
    payload: writer.finish(),
  };
}

/** @throws VerMapError VERMAP_CORRUPT */
export function reflogEntryOf({ commits, roots, payload }: Anchor): ReflogEntry {
  const reader = new ByteReader(payload, "VERMAP_CORRUPT", "an entry of the reflog");
  if (commits.length > 1 || roots.length > 1)
    throw reader.damage(`${commits.length} commits and ${roots.length} trees`);
  const sequence = readId(reader);
  const branchId = readId(reader);
  const { offset } = reader;
  const event = EVENTS[reader.u8()];
  if (event === undefined) throw reader.damage("an unknown event", offset);
  const time = reader.varint();
  const branchName = readText(reader);
  reader.end();
  const [head = 0] = commits;
  const [root = 0] = roots;
  return { sequence, branchId, branchName, event, time, head, root };
}
