import { PATH_BITS } from "../../bits.ts";
import { ByteReader } from "../../byte-reader.ts";
import { ByteWriter } from "../../byte-writer.ts";
import { HASH_SIZE } from "../../link.ts";
import { checkField, checkList, failure, isSame, ZEROS } from "../checks.ts";
import type { MptBatchProof } from "../mpt-batch.ts";
import type { MptProof } from "../mpt-proof.ts";
import type { MptEntry, MptRangeProof } from "../mpt-range.ts";
import { checkPart, type SmtBatchProof, type SmtPart } from "../smt-batch.ts";
import type { SmtProof, SmtProofLeaf } from "../smt-proof.ts";

const VERSION = 1;
/** Second byte of a proof. Layout: FORMAT.md, "Proofs". */
const KIND = { mpt: 1, smt: 2, mptBatch: 3, smtBatch: 4, mptRange: 5 } as const;
/** First byte of a part. */
const PART = { empty: 0, leaf: 1, inner: 2, hash: 3 } as const;
const EMPTY: SmtPart = Object.freeze({ kind: "empty" });
const INNER: SmtPart = Object.freeze({ kind: "inner" });

/** What a decoder takes at most. */
export interface ProofLimits {
  /** Bytes of the whole proof. Default: 1 MiB. */
  readonly bytesMax?: number;
}

/** The bytes of a proof; fresh. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function encodeMptProof({ key, value, nodes }: MptProof): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.mpt);
  checkField(key, "key");
  writer.sized(key);
  writer.u8(value === undefined ? 0 : 1);
  if (value !== undefined) writeSized(writer, value, "value");
  writeNodes(writer, nodes);
  return writer.finish();
}

/**
 * Reads a proof back; what its encoder would not have written is refused. It shares nothing with the bytes, and is not verified.
 *
 * @throws TrieError TRIE_PROOF_FORMAT, TRIE_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodeMptProof(bytes: Uint8Array, limits?: ProofLimits): MptProof {
  const reader = open(bytes, KIND.mpt, limits);
  const key = reader.sized();
  const value = readFlag(reader) ? reader.sized() : undefined;
  const nodes = readNodes(reader);
  reader.finish();
  return { key, value, nodes };
}

/** The bytes of a proof; fresh. @throws TrieError TRIE_PROOF_FORMAT if it is none, TRIE_PROOF_TOO_LARGE */
export function encodeSmtProof({ keyHash, leaf, siblings }: SmtProof): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.smt);
  checkField(keyHash, "key hash", HASH_SIZE);
  writer.bytes(keyHash);
  writer.u8(leaf === undefined ? 0 : 1);
  if (leaf !== undefined) writeLeaf(writer, leaf);
  checkList(siblings, "sibling", HASH_SIZE);
  checkSiblingCount(siblings.length);
  writer.u16(siblings.length);
  const bitmap = new Uint8Array(Math.ceil(siblings.length / 8));
  for (const [i, sibling] of siblings.entries())
    if (!isSame(sibling, ZEROS)) bitmap[i >>> 3] = (bitmap[i >>> 3] as number) | (1 << (i & 7));
  writer.bytes(bitmap);
  for (const sibling of siblings) if (!isSame(sibling, ZEROS)) writer.bytes(sibling);
  return writer.finish();
}

/** Reads a proof back. As {@link decodeMptProof}. */
export function decodeSmtProof(bytes: Uint8Array, limits?: ProofLimits): SmtProof {
  const reader = open(bytes, KIND.smt, limits);
  const keyHash = reader.bytes(HASH_SIZE);
  const leaf = readFlag(reader) ? readLeaf(reader) : undefined;
  const count = reader.u16();
  checkSiblingCount(count);
  const bitmap = reader.view(Math.ceil(count / 8));
  const siblings: Uint8Array[] = [];
  for (let i = 0; i < bitmap.length * 8; i++) {
    const isThere = (((bitmap[i >>> 3] as number) >>> (i & 7)) & 1) === 1;
    if (i < count) siblings.push(isThere ? readHash(reader) : new Uint8Array(HASH_SIZE));
    else if (isThere) throw reader.refusal("has an unused bit that is not zero");
  }
  reader.finish();
  return { keyHash, leaf, siblings };
}

/** The bytes of a proof; fresh. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function encodeMptBatchProof({ nodes }: MptBatchProof): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.mptBatch);
  writeNodes(writer, nodes);
  return writer.finish();
}

/** Reads a proof back. As {@link decodeMptProof}. */
export function decodeMptBatchProof(bytes: Uint8Array, limits?: ProofLimits): MptBatchProof {
  const reader = open(bytes, KIND.mptBatch, limits);
  const nodes = readNodes(reader);
  reader.finish();
  return { nodes };
}

/** The bytes of a proof; fresh. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function encodeSmtBatchProof({ parts }: SmtBatchProof): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.smtBatch);
  if (!Array.isArray(parts)) throw failure("FORMAT", "has no parts");
  for (const part of parts as readonly SmtPart[]) {
    checkPart(part);
    writer.u8(PART[part.kind]);
    if (part.kind === "leaf") writeLeaf(writer, part.leaf);
    if (part.kind === "hash") writer.bytes(part.hash);
  }
  return writer.finish();
}

/** Reads a proof back. As {@link decodeMptProof}. */
export function decodeSmtBatchProof(bytes: Uint8Array, limits?: ProofLimits): SmtBatchProof {
  const reader = open(bytes, KIND.smtBatch, limits);
  const parts: SmtPart[] = [];
  while (reader.remaining > 0) parts.push(readPart(reader));
  return { parts };
}

/** The bytes of a proof; fresh. @throws TrieError TRIE_PROOF_FORMAT if it is none */
export function encodeMptRangeProof({ entries, nodes }: MptRangeProof): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.mptRange);
  if (!Array.isArray(entries)) throw failure("FORMAT", "has no list of entries");
  writer.varint(entries.length);
  for (const { key, value } of entries as readonly MptEntry[]) {
    writeSized(writer, key, "key");
    writeSized(writer, value, "value");
  }
  writeNodes(writer, nodes);
  return writer.finish();
}

/** Reads a proof back. As {@link decodeMptProof}. */
export function decodeMptRangeProof(bytes: Uint8Array, limits?: ProofLimits): MptRangeProof {
  const reader = open(bytes, KIND.mptRange, limits);
  const entries: MptEntry[] = [];
  for (let rest = readCount(reader, 2); rest > 0; rest--)
    entries.push({ key: reader.sized(), value: reader.sized() });
  const nodes = readNodes(reader);
  reader.finish();
  return { entries, nodes };
}

function begin(kind: number): ByteWriter {
  const writer = new ByteWriter();
  writer.u8(VERSION);
  writer.u8(kind);
  return writer;
}

function open(bytes: Uint8Array, kind: number, limits: ProofLimits = {}): ByteReader {
  const { bytesMax = 1 << 20 } = limits;
  const reader = new ByteReader(bytes, { code: "TRIE_PROOF_FORMAT" });
  if (bytes.length > bytesMax)
    throw failure("TOO_LARGE", `has ${bytes.length} bytes, want at most ${bytesMax}`);
  if (reader.u8() !== VERSION) throw reader.refusal("is of no known version");
  if (reader.u8() !== kind) throw reader.refusal("is a proof of another kind");
  return reader;
}

/** A count of items, so many bytes each at least. */
function readCount(reader: ByteReader, sizeMin: number): number {
  const count = reader.varint();
  if (count * sizeMin > reader.remaining) throw reader.refusal("counts more than it has");
  return count;
}

function readFlag(reader: ByteReader): boolean {
  const flag = reader.u8();
  if (flag > 1) throw reader.refusal("has a part that is neither there nor not");
  return flag === 1;
}

function writeNodes(writer: ByteWriter, nodes: readonly Uint8Array[]): void {
  checkList(nodes, "node");
  writer.varint(nodes.length);
  for (const node of nodes) writer.sized(node);
}

function readNodes(reader: ByteReader): Uint8Array[] {
  const nodes: Uint8Array[] = [];
  for (let rest = readCount(reader, 1); rest > 0; rest--) nodes.push(reader.sized());
  return nodes;
}

function writeSized(writer: ByteWriter, bytes: Uint8Array, what: string): void {
  checkField(bytes, what);
  writer.sized(bytes);
}

function writeLeaf(writer: ByteWriter, { keyHash, value }: SmtProofLeaf): void {
  checkField(keyHash, "key hash", HASH_SIZE);
  writer.bytes(keyHash);
  writeSized(writer, value, "value");
}

function readLeaf(reader: ByteReader): SmtProofLeaf {
  return { keyHash: reader.bytes(HASH_SIZE), value: reader.sized() };
}

function readPart(reader: ByteReader): SmtPart {
  const kind = reader.u8();
  switch (kind) {
    case PART.empty:
      return EMPTY;
    case PART.inner:
      return INNER;
    case PART.leaf:
      return { kind: "leaf", leaf: readLeaf(reader) };
    case PART.hash:
      return { kind: "hash", hash: readHash(reader) };
    default:
      throw reader.refusal("has a part of no kind");
  }
}

/** A hash that is not that of an empty place, which has another form. */
function readHash(reader: ByteReader): Uint8Array {
  const hash = reader.bytes(HASH_SIZE);
  if (isSame(hash, ZEROS)) throw reader.refusal("has an empty place as a hash");
  return hash;
}

/** @throws TrieError TRIE_PROOF_TOO_LARGE above 256 */
export function checkSiblingCount(count: number): void {
  if (count > PATH_BITS) throw failure("TOO_LARGE", `has ${count} siblings`);
}
