import { equalBytes, type Hasher } from "@x/hash";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { TrieError } from "../errors.ts";
import { HASH_SIZE } from "../link.ts";

/** Bytes of the checksum: the first of Keccak-256 of all before. */
const CHECKSUM_SIZE = 8;
/** Largest file that is looked at: 512 MiB. */
const FILE_SIZE_MAX = 2 ** 29;
/** First byte of a handle: whether the node's hash comes before it. */
const HANDLE = { bare: 0, hashed: 1 } as const;

/** What tells the cache files of one kind of trie. */
export interface CacheKind {
  /** Four letters. */
  readonly magic: string;
  readonly version: number;
}

/** What a cache file says besides its nodes. */
export interface CacheHeader {
  /** Whatever the writer wanted to find again: vsdb puts the commit there. Unsigned, below 2^64. */
  readonly tag: bigint;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** Writes everything before the tree. @throws RangeError if the tag is no unsigned integer of 64 bits */
export function beginCache({ magic, version }: CacheKind, { tag, root }: CacheHeader): ByteWriter {
  if (BigInt.asUintN(64, tag) !== tag)
    throw new RangeError("tag must be at least 0 and below 2^64");
  const writer = new ByteWriter();
  for (let i = 0; i < magic.length; i++) writer.u8(magic.charCodeAt(i));
  writer.u8(version);
  for (let i = 0n; i < 64n; i += 8n) writer.u8(Number((tag >> i) & 255n));
  writer.bytes(Uint8Array.of(HASH_SIZE, 0, 0, 0));
  writer.bytes(root);
  return writer;
}

/** Writes the checksum behind the tree. @returns the file; fresh */
export function finishCache(writer: ByteWriter, hasher: Hasher): Uint8Array<ArrayBuffer> {
  writer.bytes(hasher.hash(writer.finish()).subarray(0, CHECKSUM_SIZE));
  return writer.finish();
}

/**
 * Checks the checksum and reads everything before the tree.
 *
 * @returns a reader that stands at the tree, and ends where it must
 * @throws TrieError TRIE_CACHE_TOO_LARGE, TRIE_CACHE_CHECKSUM, TRIE_CACHE_FORMAT
 */
export function openCache(
  file: Uint8Array,
  { magic, version }: CacheKind,
  hasher: Hasher,
): CacheHeader & { readonly reader: ByteReader } {
  if (!(file instanceof Uint8Array)) throw new TypeError("file must be a Uint8Array");
  if (file.length > FILE_SIZE_MAX)
    throw new TrieError("TRIE_CACHE_TOO_LARGE", `cache file has ${file.length} bytes`);
  const end = file.length - CHECKSUM_SIZE;
  const body = file.subarray(0, Math.max(0, end));
  if (end < 0 || !equalBytes(hasher.hash(body).subarray(0, CHECKSUM_SIZE), file.subarray(end)))
    throw new TrieError("TRIE_CACHE_CHECKSUM", "cache file does not match its checksum");
  const reader = new ByteReader(body, { code: "TRIE_CACHE_FORMAT" });
  for (let i = 0; i < magic.length; i++)
    if (reader.u8() !== magic.charCodeAt(i)) throw reader.refusal("is of another kind");
  if (reader.u8() !== version) throw reader.refusal("is of another version");
  let tag = 0n;
  for (let i = 0n; i < 64n; i += 8n) tag |= BigInt(reader.u8()) << i;
  if (reader.u16() + reader.u16() * 65_536 !== HASH_SIZE) throw reader.refusal("has no root");
  return { tag, root: reader.bytes(HASH_SIZE), reader };
}

/** Writes that a node follows, with its hash. */
export function writeHandle(writer: ByteWriter, hash: Uint8Array): void {
  writer.u8(HANDLE.hashed);
  writer.sized(hash);
}

/** Writes that a node follows without a hash. */
export function writeBareHandle(writer: ByteWriter): void {
  writer.u8(HANDLE.bare);
}

/** Reads the hash of the node that follows; `undefined` where it has none. */
export function readHandle(reader: ByteReader): Uint8Array | undefined {
  const kind = reader.u8();
  if (kind === HANDLE.bare) return undefined;
  if (kind !== HANDLE.hashed) throw reader.refusal("has a handle of no kind");
  if (reader.varint() !== HASH_SIZE) throw reader.refusal("has a hash that is none");
  return reader.bytes(HASH_SIZE);
}

/** @throws TrieError TRIE_CACHE_ROOT if a file holds another hash than its nodes make */
export function checkCached(found: Uint8Array, want: Uint8Array): void {
  if (!equalBytes(found, want))
    throw new TrieError("TRIE_CACHE_ROOT", "cache file holds a hash that its nodes do not make");
}
