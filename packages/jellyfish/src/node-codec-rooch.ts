import { type Bytes } from "@x/store";
import { copyBytes } from "@x/store/adapter";
import { type InternalNode, type LeafNode, type Node } from "./node.ts";
import { freshBytes, type NodeFormat } from "./node-format.ts";
import { decodeBitmaps, nodeFormatError, tagOf } from "./node-format-error.ts";
import { PATH_SIZE } from "./path.ts";
import { readVarint, varintSize, writeVarint } from "./varint.ts";

const TAG_NULL = 0;
const TAG_INTERNAL = 1;
const TAG_LEAF = 2;
/** Bytes of a path in a leaf: `0x` and 64 digits. */
const PATH_TEXT_SIZE = 66;
/** Where the length of a leaf's value stands: after the tag, the text's length and the text. */
const VALUE_LENGTH_OFFSET = 2 + PATH_TEXT_SIZE;
const VALUE_SIZE_MAX = 2 ** 31 - 1;
const DIGITS = "0123456789abcdef";

/**
 * The node bytes of Rooch's tree, exactly; decoding refuses what Rooch would not have written. No counts, no keys.
 *
 * @see FORMAT.md, "Nodes: rooch"
 */
export const roochNodes: NodeFormat = {
  name: "rooch",
  counts: false,
  keys: false,
  encode(node: Node | null, take: (size: number) => Bytes = freshBytes): Bytes {
    if (node === null) return Uint8Array.of(TAG_NULL);
    return node.kind === "leaf" ? encodeLeaf(node, take) : encodeInternal(node, take);
  },
  decode: (bytes: Uint8Array): Node | null => roochNodes.decodeView(copyBytes(bytes)),
  decodeView(bytes: Uint8Array): Node | null {
    switch (tagOf(bytes)) {
      case TAG_NULL:
        if (bytes.length !== 1) throw nodeFormatError(bytes, "is null and goes on");
        return null;
      case TAG_INTERNAL:
        return decodeInternal(bytes);
      case TAG_LEAF:
        return decodeLeaf(bytes);
      default:
        throw nodeFormatError(bytes, `has tag ${tagOf(bytes)}`);
    }
  },
};

function encodeInternal(
  { existence, leaves, hashes, counts }: InternalNode,
  take: (size: number) => Bytes,
): Bytes {
  if (counts !== undefined) throw new TypeError("this node format has no counts");
  const bytes = take(5 + hashes.length);
  bytes[0] = TAG_INTERNAL;
  bytes[1] = existence & 255;
  bytes[2] = existence >>> 8;
  bytes[3] = leaves & 255;
  bytes[4] = leaves >>> 8;
  bytes.set(hashes, 5);
  return bytes;
}

function decodeInternal(bytes: Uint8Array): InternalNode {
  const { existence, leaves, childCount } = decodeBitmaps(bytes);
  const end = 5 + PATH_SIZE * childCount;
  if (bytes.length > end) throw nodeFormatError(bytes, `goes on after offset ${end}`);
  return {
    kind: "internal",
    existence,
    leaves,
    hashes: bytes.subarray(5),
    counts: undefined,
  };
}

function encodeLeaf({ path, value, key }: LeafNode, take: (size: number) => Bytes): Bytes {
  if (key !== undefined) throw new TypeError("this node format has no keys");
  if (value.length > VALUE_SIZE_MAX)
    throw new TypeError(`a value of ${value.length} bytes does not fit this node format`);
  const bytes = take(VALUE_LENGTH_OFFSET + varintSize(value.length) + value.length);
  bytes[0] = TAG_LEAF;
  bytes[1] = PATH_TEXT_SIZE;
  bytes[2] = 0x30;
  bytes[3] = 0x78;
  for (let i = 0; i < PATH_SIZE; i++) {
    const byte = path[i] as number;
    bytes[4 + 2 * i] = DIGITS.charCodeAt(byte >>> 4);
    bytes[5 + 2 * i] = DIGITS.charCodeAt(byte & 15);
  }
  bytes.set(value, writeVarint(value.length, bytes, VALUE_LENGTH_OFFSET));
  return bytes;
}

function decodeLeaf(bytes: Uint8Array): LeafNode {
  if (bytes.length <= VALUE_LENGTH_OFFSET) throw nodeFormatError(bytes, "ends before its value");
  if (bytes[1] !== PATH_TEXT_SIZE || bytes[2] !== 0x30 || bytes[3] !== 0x78)
    throw nodeFormatError(bytes, "has no path at offset 1");
  const path = new Uint8Array(PATH_SIZE);
  for (let i = 0; i < PATH_SIZE; i++)
    path[i] = (digitAt(bytes, 4 + 2 * i) << 4) | digitAt(bytes, 5 + 2 * i);
  const length = readVarint(bytes, VALUE_LENGTH_OFFSET, VALUE_SIZE_MAX);
  if (length === undefined)
    throw nodeFormatError(bytes, `has no length at offset ${VALUE_LENGTH_OFFSET}`);
  if (bytes.length - length.end !== length.value)
    throw nodeFormatError(bytes, `declares a value of ${length.value} at offset ${length.end}`);
  return { kind: "leaf", path, value: bytes.subarray(length.end), key: undefined };
}

/** The value of a lower-case hex digit. */
function digitAt(bytes: Uint8Array, offset: number): number {
  const code = bytes[offset] as number;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  throw nodeFormatError(bytes, `has no lower-case digit at offset ${offset}`);
}
