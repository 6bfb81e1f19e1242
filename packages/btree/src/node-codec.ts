import { compareBytes } from "@x/store/adapter";

import { ByteReader } from "./byte-reader.ts";
import { ByteWriter, varintSize } from "./byte-writer.ts";
import { BTreeError } from "./errors.ts";
import {
  type Inner,
  innerOf,
  isLink,
  KEY_COUNT_MAX,
  type Leaf,
  leafOf,
  type LeafValue,
  LEVEL_COUNT_MAX,
  type Node,
  type ValueNode,
} from "./node.ts";

/**
 * How nodes are written. 1: fixed-width integers, values in their leaves, nothing counted. 2: short integers, the
 * level of each inner node, entries counted under each child, large values outside. Layout: FORMAT.md, "Nodes".
 */
export type NodeFormat = 1 | 2;

const Tag = { leaf1: 0, inner1: 1, leaf2: 2, inner2: 3, value2: 4 } as const;

/** Bytes of a node. Fresh. */
export function encodeNode(node: Node, format: NodeFormat): Uint8Array<ArrayBuffer> {
  if (node.kind === "value") return encodeValue(node);
  if (node.kind === "leaf") return format === 1 ? encodeLeaf1(node) : encodeLeaf2(node);
  return format === 1 ? encodeInner1(node) : encodeInner2(node);
}

/**
 * Reads a node back. Only what {@link encodeNode} writes is accepted: keys ascend, integers are in their shortest form,
 * nothing follows the end.
 *
 * @param bytes - copied; not kept
 * @throws BTreeError BTREE_CORRUPT with the offset
 */
export function decodeNode(bytes: Uint8Array, format: NodeFormat): Node {
  const reader = new ByteReader(new Uint8Array(bytes));
  const tag = reader.u8();
  const node = decodeTagged(reader, tag, format);
  reader.end();
  return node;
}

function decodeTagged(reader: ByteReader, tag: number, format: NodeFormat): Node {
  if (format === 1 && tag === Tag.leaf1) return decodeLeaf1(reader);
  if (format === 1 && tag === Tag.inner1) return decodeInner1(reader);
  if (format === 2 && tag === Tag.leaf2) return decodeLeaf2(reader);
  if (format === 2 && tag === Tag.inner2) return decodeInner2(reader);
  if (format === 2 && tag === Tag.value2)
    return { kind: "value", bytes: reader.take(reader.remaining) };
  throw new BTreeError("BTREE_CORRUPT", `record has tag ${tag}, not one of format ${format}`, {
    offset: 0,
  });
}

function encodeLeaf1({ keys, values }: Leaf): Uint8Array<ArrayBuffer> {
  let size = 5;
  for (const key of keys) size += 4 + key.length;
  for (const value of values) size += 4 + inlineOf(value).length;
  const writer = new ByteWriter(size);
  writer.u8(Tag.leaf1);
  writer.u32(keys.length);
  for (const [i, key] of keys.entries()) {
    const value = inlineOf(values[i] as LeafValue);
    writer.u32(key.length);
    writer.put(key);
    writer.u32(value.length);
    writer.put(value);
  }
  return writer.bytes;
}

/** Format 1 has no other values; the editor keeps to it. */
function inlineOf(value: LeafValue): Uint8Array {
  if (isLink(value)) throw new TypeError("format 1 keeps every value in its leaf");
  return value;
}

function decodeLeaf1(reader: ByteReader): Leaf {
  const count = keyCount(reader, reader.u32(), 8);
  const keys: Uint8Array[] = [];
  const values: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    pushKey(reader, keys, reader.u32());
    values.push(reader.take(reader.u32()));
  }
  return leafOf(keys, values);
}

function encodeInner1({ keys, children }: Inner): Uint8Array<ArrayBuffer> {
  let size = 5 + 8 * children.length;
  for (const key of keys) size += 4 + key.length;
  const writer = new ByteWriter(size);
  writer.u8(Tag.inner1);
  writer.u32(keys.length);
  for (const key of keys) {
    writer.u32(key.length);
    writer.put(key);
  }
  for (const child of children) writer.u64(child);
  return writer.bytes;
}

function decodeInner1(reader: ByteReader): Inner {
  const count = keyCount(reader, reader.u32(), 12);
  const keys: Uint8Array[] = [];
  const children: number[] = [];
  for (let i = 0; i < count; i++) pushKey(reader, keys, reader.u32());
  for (let i = 0; i <= count; i++) children.push(positive(reader, reader.u64(), "child id"));
  return innerOf({ level: 0, keys, children, counts: [] });
}

function encodeLeaf2({ keys, values }: Leaf): Uint8Array<ArrayBuffer> {
  let size = 2;
  for (const key of keys) size += varintSize(key.length) + key.length;
  for (const value of values) size += valueSize(value);
  const writer = new ByteWriter(size);
  writer.u8(Tag.leaf2);
  writer.u8(keys.length);
  for (const [i, key] of keys.entries()) {
    writer.varint(key.length);
    writer.put(key);
    const value = values[i] as LeafValue;
    if (isLink(value)) {
      writer.varint(value.size * 2 + 1);
      writer.varint(value.id);
    } else {
      writer.varint(value.length * 2);
      writer.put(value);
    }
  }
  return writer.bytes;
}

function valueSize(value: LeafValue): number {
  return isLink(value)
    ? varintSize(value.size * 2 + 1) + varintSize(value.id)
    : varintSize(value.length * 2) + value.length;
}

function decodeLeaf2(reader: ByteReader): Leaf {
  const count = keyCount(reader, reader.u8(), 2);
  const keys: Uint8Array[] = [];
  const values: LeafValue[] = [];
  for (let i = 0; i < count; i++) {
    pushKey(reader, keys, reader.varint());
    const header = reader.varint();
    const size = Math.floor(header / 2);
    if (header % 2 === 0) values.push(reader.take(size));
    else values.push({ size, id: positive(reader, reader.varint(), "value id") });
  }
  return leafOf(keys, values);
}

function encodeInner2({ level, keys, children, counts }: Inner): Uint8Array<ArrayBuffer> {
  let size = 3;
  for (const key of keys) size += varintSize(key.length) + key.length;
  for (const child of children) size += varintSize(child);
  for (const count of counts) size += varintSize(count);
  const writer = new ByteWriter(size);
  writer.u8(Tag.inner2);
  writer.u8(level);
  writer.u8(keys.length);
  for (const key of keys) {
    writer.varint(key.length);
    writer.put(key);
  }
  for (const [i, child] of children.entries()) {
    writer.varint(child);
    writer.varint(counts[i] as number);
  }
  return writer.bytes;
}

function decodeInner2(reader: ByteReader): Inner {
  const level = reader.u8();
  if (level === 0 || level >= LEVEL_COUNT_MAX) throw reader.damage(`level ${level}`);
  const count = keyCount(reader, reader.u8(), 3);
  const keys: Uint8Array[] = [];
  const children: number[] = [];
  const counts: number[] = [];
  let entryCount = 0;
  for (let i = 0; i < count; i++) pushKey(reader, keys, reader.varint());
  for (let i = 0; i <= count; i++) {
    children.push(positive(reader, reader.varint(), "child id"));
    const entries = positive(reader, reader.varint(), "entry count");
    counts.push(entries);
    entryCount += entries;
  }
  if (entryCount > Number.MAX_SAFE_INTEGER) throw reader.damage("more than 2^53 - 1 entries");
  return innerOf({ level, keys, children, counts });
}

function encodeValue({ bytes }: ValueNode): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(1 + bytes.length);
  writer.u8(Tag.value2);
  writer.put(bytes);
  return writer.bytes;
}

/** Checked before anything is allocated for the keys. */
function keyCount(reader: ByteReader, count: number, keySizeMin: number): number {
  if (count === 0 || count > KEY_COUNT_MAX) throw reader.damage(`${count} keys`);
  if (count * keySizeMin > reader.remaining) throw reader.damage(`too few bytes for ${count} keys`);
  return count;
}

function pushKey(reader: ByteReader, keys: Uint8Array[], size: number): void {
  const key = reader.take(size);
  const before = keys.at(-1);
  if (before !== undefined && compareBytes(before, key) >= 0)
    throw reader.damage(`key ${keys.length} out of order`);
  keys.push(key);
}

function positive(reader: ByteReader, value: number, what: string): number {
  if (value === 0) throw reader.damage(`${what} 0`);
  return value;
}
