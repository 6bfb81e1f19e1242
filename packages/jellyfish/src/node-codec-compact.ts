import { type Bytes } from "@x/store";
import { copyBytes } from "@x/store/adapter";
import { type InternalNode, type LeafNode, type Node } from "./node.ts";
import { freshBytes, type NodeFormat } from "./node-format.ts";
import { decodeBitmaps, nodeFormatError, tagOf } from "./node-format-error.ts";
import { PATH_SIZE } from "./path.ts";
import { readVarint, varintSize, writeVarint } from "./varint.ts";

const TAG_INTERNAL = 0x10;
const TAG_INTERNAL_COUNTS = 0x11;
const TAG_LEAF = 0x12;
const TAG_LEAF_KEY = 0x13;
/** Where the hashes of an internal node begin: after the tag and the bitmaps. */
const HASHES_OFFSET = 5;
/** Where a leaf without key has its value: after the tag and the path. */
const LEAF_BODY_OFFSET = 1 + PATH_SIZE;

/** What a tree's nodes hold beyond what its root needs. */
export interface CompactNodesOptions {
  /** Internal nodes hold leaf counts, which gives size, rank and access by index. Default: false. */
  readonly counts?: boolean;
  /** Leaves hold the key that was hashed, where a change brings one. Default: false. */
  readonly keys?: boolean;
}

/**
 * This package's own node bytes: paths in binary, and on request counts and keys.
 *
 * @see FORMAT.md, "Nodes: compact"
 */
export function compactNodes(options: CompactNodesOptions = {}): NodeFormat {
  const { counts = false, keys = false } = options;
  return {
    name: `compact${counts ? "+counts" : ""}${keys ? "+keys" : ""}`,
    counts,
    keys,
    encode(node: Node | null, take: (size: number) => Bytes = freshBytes): Bytes {
      if (node === null) throw new TypeError("this node format has no null node");
      if (node.kind === "leaf") return encodeLeaf(node, keys, take);
      if ((node.counts !== undefined) !== counts)
        throw new TypeError(`this node format has ${counts ? "" : "no "}counts`);
      return encodeInternal(node, take);
    },
    decode(bytes: Uint8Array): Node {
      return this.decodeView(copyBytes(bytes)) as Node;
    },
    decodeView(bytes: Uint8Array): Node {
      const tag = tagOf(bytes);
      if (tag === (counts ? TAG_INTERNAL_COUNTS : TAG_INTERNAL))
        return decodeInternal(bytes, counts);
      if (tag === TAG_LEAF) return decodeLeaf(bytes);
      if (keys && tag === TAG_LEAF_KEY) return decodeLeafWithKey(bytes);
      throw nodeFormatError(bytes, `has tag ${tag}`);
    },
  };
}

function encodeInternal(
  { existence, leaves, hashes, counts = [] }: InternalNode,
  take: (size: number) => Bytes,
): Bytes {
  const isCounted = counts.length > 0;
  const subtreeCounts = isCounted ? countsOfSubtrees(existence, leaves, counts) : counts;
  let size = HASHES_OFFSET + hashes.length;
  for (const count of subtreeCounts) size += varintSize(count);
  const bytes = take(size);
  bytes[0] = isCounted ? TAG_INTERNAL_COUNTS : TAG_INTERNAL;
  bytes[1] = existence & 255;
  bytes[2] = existence >>> 8;
  bytes[3] = leaves & 255;
  bytes[4] = leaves >>> 8;
  bytes.set(hashes, HASHES_OFFSET);
  let offset = HASHES_OFFSET + hashes.length;
  for (const count of subtreeCounts) offset = writeVarint(count, bytes, offset);
  return bytes;
}

function decodeInternal(bytes: Uint8Array, isCounted: boolean): InternalNode {
  const { existence, leaves, childCount } = decodeBitmaps(bytes);
  const hashesEnd = HASHES_OFFSET + PATH_SIZE * childCount;
  let end = hashesEnd;
  let counts: number[] | undefined;
  if (isCounted) {
    counts = [];
    let room = Number.MAX_SAFE_INTEGER;
    for (let rest = existence; rest !== 0; rest &= rest - 1) {
      const isLeaf = (leaves & rest & -rest) !== 0;
      const count = isLeaf ? { value: 1, end } : readVarint(bytes, end, room);
      if (count === undefined || (!isLeaf && count.value < 2) || count.value > room)
        throw nodeFormatError(bytes, `has no count at offset ${end}`);
      counts.push(count.value);
      room -= count.value;
      end = count.end;
    }
  }
  if (bytes.length > end) throw nodeFormatError(bytes, `goes on after offset ${end}`);
  const hashes = bytes.subarray(HASHES_OFFSET, hashesEnd);
  return { kind: "internal", existence, leaves, hashes, counts };
}

/** The counts that a leaf's place does not say. */
function countsOfSubtrees(existence: number, leaves: number, counts: readonly number[]): number[] {
  const chosen: number[] = [];
  for (let rest = existence, index = 0; rest !== 0; rest &= rest - 1, index++)
    if ((leaves & rest & -rest) === 0) chosen.push(counts[index] as number);
  return chosen;
}

function encodeLeaf(
  { path, value, key }: LeafNode,
  keys: boolean,
  take: (size: number) => Bytes,
): Bytes {
  if (key !== undefined && !keys) throw new TypeError("this node format has no keys");
  const keySize = key === undefined ? 0 : varintSize(key.length) + key.length;
  const bytes = take(LEAF_BODY_OFFSET + keySize + value.length);
  bytes[0] = key === undefined ? TAG_LEAF : TAG_LEAF_KEY;
  bytes.set(path, 1);
  if (key !== undefined) bytes.set(key, writeVarint(key.length, bytes, LEAF_BODY_OFFSET));
  bytes.set(value, LEAF_BODY_OFFSET + keySize);
  return bytes;
}

function decodeLeaf(bytes: Uint8Array): LeafNode {
  if (bytes.length < LEAF_BODY_OFFSET) throw nodeFormatError(bytes, "ends before its path does");
  return leafOf(bytes, undefined, LEAF_BODY_OFFSET);
}

function decodeLeafWithKey(bytes: Uint8Array): LeafNode {
  const length = readVarint(bytes, LEAF_BODY_OFFSET, Number.MAX_SAFE_INTEGER);
  if (length === undefined || length.value > bytes.length - length.end)
    throw nodeFormatError(bytes, `has no key at offset ${LEAF_BODY_OFFSET}`);
  const end = length.end + length.value;
  return leafOf(bytes, bytes.subarray(length.end, end), end);
}

function leafOf(bytes: Uint8Array, key: Uint8Array | undefined, valueOffset: number): LeafNode {
  const path = bytes.subarray(1, LEAF_BODY_OFFSET);
  return { kind: "leaf", path, value: bytes.subarray(valueOffset), key };
}
