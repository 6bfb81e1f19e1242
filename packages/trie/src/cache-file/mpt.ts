import { type Hasher } from "@x/hash";
import { type ByteReader } from "../byte-reader.ts";
import { type ByteWriter } from "../byte-writer.ts";
import { type Link } from "../link.ts";
import { childrenOf } from "../mpt/hash.ts";
import { bitmapOf } from "../mpt/node-codec.ts";
import { countParts, type MptLink, type MptNode } from "../mpt/node.ts";
import {
  beginCache,
  type CacheHeader,
  checkCached,
  finishCache,
  openCache,
  readHandle,
  writeBareHandle,
  writeHandle,
} from "./frame.ts";

const KIND = { magic: "MPTC", version: 1 };
/** First byte of a node. Layout: FORMAT.md, "Cache files". */
const TAG = { null: 0, leaf: 1, extension: 2, branch: 3 } as const;
/** Longest path from the root, in nibbles. */
const NIBBLES_MAX = 2048;

/** Writes a cache file. Everything is loaded and hashed. */
export function encodeMptCache(
  link: MptLink | undefined,
  header: CacheHeader,
  hasher: Hasher,
): Uint8Array<ArrayBuffer> {
  const writer = beginCache(KIND, header);
  if (link === undefined) {
    writeBareHandle(writer);
    writer.u8(TAG.null);
  }
  const rest = link === undefined ? [] : [link];
  for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
    const node = one.node as MptNode;
    writeHandle(writer, one.ref as Uint8Array);
    writeNode(writer, node);
    for (const child of childrenOf(node).toReversed()) rest.push(child);
  }
  return finishCache(writer, hasher);
}

/** A node without its children, which follow it. */
function writeNode(writer: ByteWriter, node: MptNode): void {
  writer.u8(TAG[node.kind]);
  if (node.kind === "branch") {
    writer.u16(bitmapOf(node.children));
    writer.u8(node.value === undefined ? 0 : 1);
    if (node.value !== undefined) writer.sized(node.value);
  } else {
    // One byte for each nibble.
    writer.sized(node.path);
    if (node.kind === "leaf") writer.sized(node.value);
  }
}

/** A place of the tree that is read next. */
interface Place {
  readonly link: MptLink;
  /** Nibbles from the root. */
  readonly depth: number;
  readonly isBelowExtension: boolean;
}

/** A cache file as it was read. */
export interface MptCache extends CacheHeader {
  readonly link: MptLink | undefined;
}

/**
 * Reads a cache file, which may come from an enemy.
 *
 * @param hash - fills in the references below a link and returns the root
 * @throws TrieError TRIE_CACHE_TOO_LARGE, TRIE_CACHE_CHECKSUM, TRIE_CACHE_FORMAT, TRIE_CACHE_ROOT
 */
export function decodeMptCache(
  file: Uint8Array,
  hasher: Hasher,
  hash: (link: MptLink | undefined) => Uint8Array,
): MptCache {
  const { tag, root, reader } = openCache(file, KIND, hasher);
  const top: MptLink = { ref: undefined, node: undefined };
  const cached: { link: Link<MptNode>; hash: Uint8Array }[] = [];
  const rest: Place[] = [{ link: top, depth: 0, isBelowExtension: false }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const known = readHandle(reader);
    const node = readNode(reader, place);
    if (node === undefined) {
      if (place.link !== top || known !== undefined) throw reader.refusal("has an empty node");
      break;
    }
    if (known === undefined) throw reader.refusal("has a node without a hash");
    place.link.node = node;
    cached.push({ link: place.link, hash: known });
    const depth = place.depth + (node.kind === "extension" ? node.path.length : 1);
    const isBelowExtension = node.kind === "extension";
    for (const link of childrenOf(node).toReversed()) rest.push({ link, depth, isBelowExtension });
  }
  reader.finish();
  const link = top.node === undefined ? undefined : top;
  checkCached(hash(link), root);
  for (const one of cached) checkCached(one.link.ref as Uint8Array, one.hash);
  return { tag, root, link };
}

/** A node whose children are still to be read. */
function readNode(reader: ByteReader, { depth, isBelowExtension }: Place): MptNode | undefined {
  const tag = reader.u8();
  if (isBelowExtension && tag !== TAG.branch)
    throw reader.refusal("has an extension over something else than a branch");
  if (tag === TAG.null) return undefined;
  if (tag === TAG.branch) return readBranch(reader, depth);
  if (tag !== TAG.leaf && tag !== TAG.extension) throw reader.refusal("has a node of no kind");
  const path = reader.sized();
  checkDepth(reader, depth + path.length);
  if (path.some((nibble) => nibble > 15)) throw reader.refusal("has a nibble above 15");
  if (tag === TAG.leaf) return { kind: "leaf", path, value: reader.sized() };
  if (path.length === 0) throw reader.refusal("has an empty extension");
  return { kind: "extension", path, child: { ref: undefined, node: undefined } };
}

function readBranch(reader: ByteReader, depth: number): MptNode {
  const bitmap = reader.u16();
  const flag = reader.u8();
  if (flag > 1) throw reader.refusal("has a value that is neither there nor not");
  const value = flag === 1 ? reader.sized() : undefined;
  const children = Array.from({ length: 16 }, (_, i) =>
    ((bitmap >>> i) & 1) === 1 ? { ref: undefined, node: undefined } : undefined,
  );
  const node = { kind: "branch", children, value } as const;
  if (countParts(node) < 2) throw reader.refusal("has a branch of fewer than two");
  if (bitmap !== 0) checkDepth(reader, depth + 1);
  return node;
}

function checkDepth(reader: ByteReader, depth: number): void {
  if (depth > NIBBLES_MAX) throw reader.refusal("has a path that is too long");
}
