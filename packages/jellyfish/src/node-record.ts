import { INNER_SIZE } from "./inner-hash.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type InternalNode, type LeafNode, type Node } from "./node.ts";
import { PATH_SIZE } from "./path.ts";
import { bitCount } from "./slots.ts";

/**
 * Decoded nodes as plain bytes of large chunks, for a cache: what a collector of garbage does not have to look at. Internal to the
 * process; nothing of it is stored.
 *
 *     all       hash (32)  flags (1)  –  existence (2, from 34)  leaves (2)
 *     internal  from 40: counts (8 each, if known)  hashes (32 each)  inner hashes (512, if known)
 *     leaf      from 40: size of the value (8)  size of the key (8)  path (32)  value  key
 */
export interface RecordChunk {
  readonly bytes: Uint8Array;
  /** The same memory. Records begin at multiples of eight bytes. */
  readonly numbers: Float64Array;
}

const FLAGS = PATH_SIZE;
const BODY = 40;
const LEAF_PATH = BODY + 16;
const LEAF_VALUE = LEAF_PATH + PATH_SIZE;

const IS_LEAF = 1;
const HAS_KEY = 2;
const HAS_COUNTS = 4;
const HAS_INNER = 8;
const IS_USED = 16;

/** Bytes of a record: a multiple of eight. */
export function recordSize({ node, inner }: LoadedNode): number {
  if (node.kind === "leaf") return leafSize(node.value.length, node.key?.length ?? 0);
  const innerSize = inner === undefined ? 0 : INNER_SIZE;
  return BODY + 8 * (node.counts?.length ?? 0) + node.hashes.length + innerSize;
}

/** Bytes of the record at `at`. */
export function recordSizeAt({ bytes, numbers }: RecordChunk, at: number): number {
  const flags = bytes[at + FLAGS] as number;
  const body = (at + BODY) / 8;
  if ((flags & IS_LEAF) !== 0)
    return leafSize(numbers[body] as number, numbers[body + 1] as number);
  const hashesEnd = hashesOffset(bytes, at) + PATH_SIZE * childCount(bytes, at);
  return hashesEnd - at + ((flags & HAS_INNER) === 0 ? 0 : INNER_SIZE);
}

function leafSize(valueSize: number, keySize: number): number {
  return 8 * Math.ceil((LEAF_VALUE + valueSize + keySize) / 8);
}

/** Copies a record, which is not used yet where it goes. */
export function copyRecord(
  source: RecordChunk,
  from: number,
  target: RecordChunk,
  to: number,
  size: number,
): void {
  target.bytes.set(source.bytes.subarray(from, from + size), to);
  target.bytes[to + FLAGS] = (target.bytes[to + FLAGS] as number) & ~IS_USED;
}

/** Writes a record, not used yet, at a multiple of eight. */
export function writeRecord(
  { bytes, numbers }: RecordChunk,
  at: number,
  { hash, node, inner }: LoadedNode,
): void {
  bytes.set(hash, at);
  if (node.kind === "leaf") {
    const { path, value, key } = node;
    bytes[at + FLAGS] = IS_LEAF | (key === undefined ? 0 : HAS_KEY);
    numbers[(at + BODY) / 8] = value.length;
    numbers[(at + BODY) / 8 + 1] = key?.length ?? 0;
    bytes.set(path, at + LEAF_PATH);
    bytes.set(value, at + LEAF_VALUE);
    if (key !== undefined) bytes.set(key, at + LEAF_VALUE + value.length);
    return;
  }
  const { existence, leaves, hashes, counts } = node;
  bytes[at + FLAGS] =
    (counts === undefined ? 0 : HAS_COUNTS) | (inner === undefined ? 0 : HAS_INNER);
  bytes[at + 34] = existence & 255;
  bytes[at + 35] = existence >>> 8;
  bytes[at + 36] = leaves & 255;
  bytes[at + 37] = leaves >>> 8;
  let end = at + BODY;
  if (counts !== undefined)
    for (const count of counts) {
      numbers[end / 8] = count;
      end += 8;
    }
  bytes.set(hashes, end);
  if (inner !== undefined) bytes.set(inner, end + hashes.length);
}

/** Whether the record at `at` is that of a hash. */
export function isRecordOf({ bytes }: RecordChunk, at: number, hash: Uint8Array): boolean {
  for (let i = 0; i < PATH_SIZE; i++) if (bytes[at + i] !== hash[i]) return false;
  return true;
}

/** Whether a record was read since it was written. */
export function isUsedRecord({ bytes }: RecordChunk, at: number): boolean {
  return ((bytes[at + FLAGS] as number) & IS_USED) !== 0;
}

/** The node of a record. Its parts are views of the chunk, `hash` is kept, and the record is now used. */
export function readRecord(chunk: RecordChunk, at: number, hash: Uint8Array): LoadedNode {
  chunk.bytes[at + FLAGS] = (chunk.bytes[at + FLAGS] as number) | IS_USED;
  return new RecordNode(chunk, at, hash);
}

/** Reads of a tree have no use for inner hashes, so that their view is made when it is asked for. */
class RecordNode implements LoadedNode {
  readonly hash: Uint8Array;
  readonly node: Node;
  readonly #chunk: RecordChunk;
  readonly #at: number;

  constructor(chunk: RecordChunk, at: number, hash: Uint8Array) {
    const isLeaf = ((chunk.bytes[at + FLAGS] as number) & IS_LEAF) !== 0;
    this.hash = hash;
    this.node = isLeaf ? leafAt(chunk, at) : internalAt(chunk, at);
    this.#chunk = chunk;
    this.#at = at;
  }

  get inner(): Uint8Array | undefined {
    const { bytes } = this.#chunk;
    if (((bytes[this.#at + FLAGS] as number) & HAS_INNER) === 0) return undefined;
    const from = hashesOffset(bytes, this.#at) + PATH_SIZE * childCount(bytes, this.#at);
    return bytes.subarray(from, from + INNER_SIZE);
  }
}

function leafAt({ bytes, numbers }: RecordChunk, at: number): LeafNode {
  const valueEnd = at + LEAF_VALUE + (numbers[(at + BODY) / 8] as number);
  const keySize = numbers[(at + BODY) / 8 + 1] as number;
  const hasKey = ((bytes[at + FLAGS] as number) & HAS_KEY) !== 0;
  return {
    kind: "leaf",
    path: bytes.subarray(at + LEAF_PATH, at + LEAF_VALUE),
    value: bytes.subarray(at + LEAF_VALUE, valueEnd),
    key: hasKey ? bytes.subarray(valueEnd, valueEnd + keySize) : undefined,
  };
}

function internalAt({ bytes, numbers }: RecordChunk, at: number): InternalNode {
  const from = hashesOffset(bytes, at);
  const count = childCount(bytes, at);
  let counts: number[] | undefined;
  if (from > at + BODY) {
    counts = [];
    for (let i = 0; i < count; i++) counts.push(numbers[(at + BODY) / 8 + i] as number);
  }
  return {
    kind: "internal",
    existence: existenceOf(bytes, at),
    leaves: (bytes[at + 36] as number) | ((bytes[at + 37] as number) << 8),
    hashes: bytes.subarray(from, from + PATH_SIZE * count),
    counts,
  };
}

function hashesOffset(bytes: Uint8Array, at: number): number {
  const hasCounts = ((bytes[at + FLAGS] as number) & HAS_COUNTS) !== 0;
  return at + BODY + (hasCounts ? 8 * childCount(bytes, at) : 0);
}

function childCount(bytes: Uint8Array, at: number): number {
  return bitCount(existenceOf(bytes, at));
}

function existenceOf(bytes: Uint8Array, at: number): number {
  return (bytes[at + 34] as number) | ((bytes[at + 35] as number) << 8);
}
