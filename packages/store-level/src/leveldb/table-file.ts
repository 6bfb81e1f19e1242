/**
 * LevelDB's table format: data blocks, an index block that points to them, a footer that points to the index. A block is
 * followed by `type (1) ‖ masked crc32c (4)`; its entries share prefixes. Source: doc/table_format.md of LevelDB.
 */
import { crc32c, maskCrc } from "./crc32c.ts";
import { Cursor } from "./cursor.ts";
import { Damage } from "./damage.ts";
import { snappyDecompress } from "./snappy.ts";
import { type NumberedOperation } from "./write-batch.ts";

const FOOTER_SIZE = 48;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
const TRAILER_SIZE = 5;
/** Behind each key: 56 bits of sequence, 8 bits of type. */
const KEY_TRAILER_SIZE = 8;

/** One data block of a table. */
export interface TableBlock {
  readonly offset: number;
  readonly operations: readonly NumberedOperation[];
}

/** Where a block lies. */
interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/**
 * Reads every block of a table, in order.
 *
 * @yields the operations of one data block, and where it begins
 * @throws Damage
 */
export function* readTable(bytes: Uint8Array): Generator<TableBlock, void> {
  const { metaindex, index } = readFooter(bytes);
  // Blocks beside the data: the filter, which answers that a key is not there.
  for (const { value } of blockEntries(readBlock(bytes, metaindex), metaindex.offset))
    readBlock(bytes, readHandle(new Cursor(value, metaindex.offset)));
  for (const { value } of blockEntries(readBlock(bytes, index), index.offset)) {
    const handle = readHandle(new Cursor(value, index.offset));
    const operations = toOperations(readBlock(bytes, handle), handle.offset);
    yield { offset: handle.offset, operations };
  }
}

function readFooter(bytes: Uint8Array): { metaindex: BlockHandle; index: BlockHandle } {
  const offset = bytes.length - FOOTER_SIZE;
  if (offset < 0) throw new Damage(0, `${bytes.length} bytes cannot be a table`);
  const magic = new Cursor(bytes.subarray(bytes.length - 8), bytes.length - 8);
  if (magic.uint32() !== MAGIC_LOW || magic.uint32() !== MAGIC_HIGH)
    throw new Damage(bytes.length - 8, "the file does not end as a table");
  const cursor = new Cursor(bytes.subarray(offset), offset);
  return { metaindex: readHandle(cursor), index: readHandle(cursor) };
}

function readHandle(cursor: Cursor): BlockHandle {
  return { offset: cursor.varint(), size: cursor.varint() };
}

function readBlock(bytes: Uint8Array, { offset, size }: BlockHandle): Uint8Array {
  if (offset + size + TRAILER_SIZE > bytes.length - FOOTER_SIZE)
    throw new Damage(offset, `a block of ${size} bytes is not in the file`);
  const content = bytes.subarray(offset, offset + size);
  const trailer = new Cursor(bytes.subarray(offset + size, offset + size + TRAILER_SIZE), offset);
  const type = trailer.byte();
  if (trailer.uint32() !== maskCrc(crc32c(bytes.subarray(offset, offset + size + 1), 0)))
    throw new Damage(offset, `checksum of a block of ${size} bytes does not match`);
  if (type === 0) return content;
  if (type === 1) return snappyDecompress(content, offset);
  throw new Damage(offset, `a block of type ${type}`);
}

function* blockEntries(
  block: Uint8Array,
  base: number,
): Generator<{ readonly key: Uint8Array; readonly value: Uint8Array }, void> {
  const restartsSize = restartsSizeOf(block, base);
  const cursor = new Cursor(block.subarray(0, block.length - restartsSize), base);
  let key = new Uint8Array();
  while (!cursor.isAtEnd) {
    const shared = cursor.varint();
    const unshared = cursor.varint();
    const valueSize = cursor.varint();
    if (shared > key.length) throw new Damage(base, "a key shares more than its neighbour has");
    const rest = cursor.take(unshared);
    const next = new Uint8Array(shared + unshared);
    next.set(key.subarray(0, shared));
    next.set(rest, shared);
    key = next;
    yield { key, value: cursor.take(valueSize) };
  }
}

/** Bytes at the end of a block: places where keys are whole, and how many. */
function restartsSizeOf(block: Uint8Array, base: number): number {
  if (block.length < 4) throw new Damage(base, `a block of ${block.length} bytes`);
  const count = new Cursor(block.subarray(block.length - 4), base).uint32();
  const size = 4 * (count + 1);
  if (size > block.length) throw new Damage(base, `a block with ${count} places of whole keys`);
  return size;
}

function toOperations(block: Uint8Array, base: number): NumberedOperation[] {
  const operations: NumberedOperation[] = [];
  for (const { key, value } of blockEntries(block, base)) {
    const size = key.length - KEY_TRAILER_SIZE;
    if (size < 0) throw new Damage(base, `a key of ${key.length} bytes`);
    const trailer = new Cursor(key.subarray(size), base);
    const type = trailer.byte();
    if (type > 1) throw new Damage(base, `an operation of type ${type}`);
    operations.push({
      sequence: readSequence(key.subarray(size + 1)),
      key: key.subarray(0, size),
      value: type === 1 ? value : undefined,
    });
  }
  return operations;
}

/** Seven bytes, the lowest first. */
function readSequence(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
