import { type Hasher } from "@x/hash";
import { bitAt, commonBits, maskBits, PATH_BITS } from "../bits.ts";
import { type ByteReader } from "../byte-reader.ts";
import { type ByteWriter } from "../byte-writer.ts";
import { HASH_SIZE } from "../link.ts";
import type { SmtInner, SmtLink, SmtNode } from "../smt/node.ts";
import {
  beginCache,
  type CacheHeader,
  checkCached,
  finishCache,
  openCache,
  readHandle,
  writeHandle,
} from "./frame.ts";

const KIND = { magic: "SMTC", version: 3 };
/** First byte of a node. Layout: FORMAT.md, "Cache files". */
const TAG = { empty: 0, leaf: 1, inner: 2 } as const;

/** Writes a cache file. Everything is loaded and hashed. */
export function encodeSmtCache(
  link: SmtLink | undefined,
  header: CacheHeader,
  hasher: Hasher,
): Uint8Array<ArrayBuffer> {
  const writer = beginCache(KIND, header);
  if (link === undefined) {
    writeHandle(writer, header.root);
    writer.u8(TAG.empty);
  }
  const rest = link === undefined ? [] : [{ link, depth: 0 }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const node = place.link.node as SmtNode;
    writeHandle(writer, place.link.ref as Uint8Array);
    if (node.kind === "leaf") {
      writer.u8(TAG.leaf);
      writeBits(writer, node.keyHash, place.depth, PATH_BITS);
      writer.bytes(node.keyHash);
      writer.sized(node.value);
    } else {
      writer.u8(TAG.inner);
      writeBits(writer, node.prefix, place.depth, node.split);
      const depth = node.split + 1;
      rest.push({ link: node.right, depth }, { link: node.left, depth });
    }
  }
  return finishCache(writer, hasher);
}

/** Bits of a path between two depths: their number, then eight a byte, the first the highest; unused ones are zero. */
function writeBits(writer: ByteWriter, path: Uint8Array, from: number, to: number): void {
  const packed = new Uint8Array(Math.ceil((to - from) / 8));
  copyBits(path, from, packed, 0, to - from);
  writer.varint(to - from);
  writer.bytes(packed);
}

function copyBits(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const at = to + i;
    if (bitAt(source, from + i) === 1)
      target[at >>> 3] = (target[at >>> 3] as number) | (128 >>> (at & 7));
  }
}

/** A place of the tree that is read next. */
interface Place {
  readonly link: SmtLink;
  /** Bits from the root that lie before it; 32 bytes, the rest is zero. */
  readonly prefix: Uint8Array;
  readonly depth: number;
}

/** A cache file as it was read. */
export interface SmtCache extends CacheHeader {
  readonly link: SmtLink | undefined;
}

/** Reads a cache file, which may come from an enemy. Arguments and errors as `decodeMptCache`. */
export function decodeSmtCache(
  file: Uint8Array,
  hasher: Hasher,
  hash: (link: SmtLink | undefined) => Uint8Array,
): SmtCache {
  const { tag, root, reader } = openCache(file, KIND, hasher);
  const top = toRead();
  const cached: { link: SmtLink; hash: Uint8Array }[] = [];
  const rest: Place[] = [{ link: top, prefix: new Uint8Array(HASH_SIZE), depth: 0 }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const known = readHandle(reader);
    if (known === undefined) throw reader.refusal("has a node without a hash");
    const node = readNode(reader, place);
    if (node === undefined) {
      if (place.link !== top) throw reader.refusal("has an empty node");
      checkCached(new Uint8Array(HASH_SIZE), known);
      break;
    }
    place.link.node = node;
    cached.push({ link: place.link, hash: known });
    if (node.kind === "inner") rest.push(sideBelow(node, 1), sideBelow(node, 0));
  }
  reader.finish();
  const link = top.node === undefined ? undefined : top;
  checkCached(hash(link), root);
  for (const one of cached) checkCached(one.link.ref as Uint8Array, one.hash);
  return { tag, root, link };
}

function sideBelow(node: SmtInner, bit: 0 | 1): Place {
  const prefix = new Uint8Array(node.prefix);
  copyBits(Uint8Array.of(bit << 7), 0, prefix, node.split, 1);
  return { link: bit === 0 ? node.left : node.right, prefix, depth: node.split + 1 };
}

/** A node whose children are still to be read. */
function readNode(reader: ByteReader, { prefix, depth }: Place): SmtNode | undefined {
  const tag = reader.u8();
  if (tag === TAG.empty) return undefined;
  if (tag !== TAG.leaf && tag !== TAG.inner) throw reader.refusal("has a node of no kind");
  const count = reader.varint();
  if (depth + count > PATH_BITS) throw reader.refusal("has a path that is too long");
  const packed = reader.view(Math.ceil(count / 8));
  if (
    commonBits(maskBits(packed, count, packed.length), packed, packed.length * 8) <
    packed.length * 8
  )
    throw reader.refusal("has an unused bit that is not zero");
  const path = new Uint8Array(prefix);
  copyBits(packed, 0, path, depth, count);
  const end = depth + count;
  if (tag === TAG.leaf) {
    const keyHash = reader.bytes(HASH_SIZE);
    if (end < PATH_BITS || commonBits(path, keyHash) < PATH_BITS)
      throw reader.refusal("has a leaf in a wrong place");
    return { kind: "leaf", keyHash, value: reader.sized() };
  }
  if (end === PATH_BITS) throw reader.refusal("splits below the last bit");
  return { kind: "inner", start: depth, split: end, prefix: path, left: toRead(), right: toRead() };
}

/** A link to a node that is still to be read. */
function toRead(): SmtLink {
  return { ref: undefined, node: undefined };
}
