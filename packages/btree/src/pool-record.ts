import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, varintSize } from "./byte-writer.ts";
import { BTreeError } from "./errors.ts";
import { type NodeFormat } from "./node-codec.ts";
import { type Bytes } from "./types.ts";

/** What a pool remembers of itself; in every batch it writes. Layout: FORMAT.md, "Pool record". */
export interface PoolRecord {
  readonly format: NodeFormat;
  /** Every id ever given out is below. */
  readonly nextId: number;
  /** Roots that only the process that wrote this was using, ascending: one mention each. */
  readonly limbo: readonly number[];
}

const VERSION = 1;

export function encodePoolRecord({ format, nextId, limbo }: PoolRecord): Bytes {
  let size = 2 + varintSize(nextId) + varintSize(limbo.length);
  for (const id of limbo) size += varintSize(id);
  const writer = new ByteWriter(size);
  writer.u8(VERSION);
  writer.u8(format);
  writer.varint(nextId);
  writer.varint(limbo.length);
  for (const id of limbo) writer.varint(id);
  return writer.bytes;
}

/**
 * @throws BTreeError BTREE_FORMAT for a version or format of nodes this package does not know
 * @throws BTreeError BTREE_CORRUPT
 */
export function decodePoolRecord(bytes: Uint8Array): PoolRecord {
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  if (version !== VERSION)
    throw new BTreeError("BTREE_FORMAT", `pool record is version ${version}, want ${VERSION}`);
  const format = reader.u8();
  if (format !== 1 && format !== 2)
    throw new BTreeError("BTREE_FORMAT", `nodes are of format ${format}, want 1 or 2`);
  const nextId = reader.varint();
  if (nextId === 0) throw reader.damage("next id 0");
  const count = reader.varint();
  if (count > reader.remaining) throw reader.damage(`too few bytes for ${count} roots`);
  const limbo: number[] = [];
  for (let i = 0; i < count; i++) {
    const id = reader.varint();
    if (id <= (limbo.at(-1) ?? 0) || id >= nextId) throw reader.damage(`root ${id} out of order`);
    limbo.push(id);
  }
  reader.end();
  return { format, nextId, limbo };
}
