import { equalBytes } from "@x/hash";
import type { HashScheme } from "../../scheme/scheme.ts";
import { checkHidden, checkLeaf, checkObject } from "../checks.ts";
import { checkDepth, type PartialTree, unknownKind } from "../partial-tree.ts";
import { checkSiblingCount, checkSiblings, type PathProof, type ProofLeaf } from "../proof.ts";
import type { RangeProof } from "../range-proof.ts";
import { type ProofLimits, WireReader, WireWriter } from "./wire.ts";

/** First byte of every proof of this format. */
const VERSION = 1;
/** Second byte: which proof. */
const KIND = { path: 0, range: 1, tree: 2 } as const;
/** How a leaf is written. */
const LEAF = { none: 0, hashed: 1, revealed: 2 } as const;
/** How a node of a partial tree begins. A leaf begins with its own byte. */
const NODE = { empty: 0, hashed: 1, revealed: 2, inner: 3, hash: 4 } as const;
/** Stands for a list that is not there, in place of its count. */
const NO_LIST = 0xffff;

/**
 * Writes a path proof as bytes. Placeholder siblings take one bit each.
 *
 * @returns fresh bytes
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is none
 * @see FORMAT.md, "Path proof"
 */
export function encodePathProof(proof: PathProof, scheme: HashScheme): Uint8Array<ArrayBuffer> {
  checkObject(proof);
  checkSiblings(proof.siblings);
  const writer = begin(KIND.path);
  writeLeaf(writer, proof.leaf);
  writeSiblings(writer, proof.siblings, scheme);
  return writer.finish();
}

/**
 * Reads a path proof back; whatever {@link encodePathProof} would not have written is refused.
 *
 * @param bytes - not trusted; the result does not alias them
 * @param limits - default: 16 KiB
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodePathProof(
  bytes: Uint8Array,
  scheme: HashScheme,
  { bytesMax = 16_384 }: ProofLimits = {},
): PathProof {
  const reader = open(bytes, bytesMax, KIND.path);
  const leaf = readLeaf(reader, reader.u8());
  const siblings = readSiblings(reader, scheme);
  if (siblings === undefined) throw reader.refusal("has no siblings");
  reader.finish();
  return { leaf, siblings };
}

/**
 * Writes a range proof as bytes.
 *
 * @returns fresh bytes
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is none
 * @see FORMAT.md, "Range proof"
 */
export function encodeRangeProof(proof: RangeProof, scheme: HashScheme): Uint8Array<ArrayBuffer> {
  checkObject(proof);
  const writer = begin(KIND.range);
  writeLeaf(writer, proof.before);
  writeLeaf(writer, proof.after);
  writeSiblings(writer, proof.leftSiblings, scheme);
  writeSiblings(writer, proof.rightSiblings, scheme);
  return writer.finish();
}

/**
 * Reads a range proof back; whatever {@link encodeRangeProof} would not have written is refused.
 *
 * @param bytes - not trusted; the result does not alias them
 * @param limits - default: 32 KiB
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodeRangeProof(
  bytes: Uint8Array,
  scheme: HashScheme,
  { bytesMax = 32_768 }: ProofLimits = {},
): RangeProof {
  const reader = open(bytes, bytesMax, KIND.range);
  const before = readLeaf(reader, reader.u8());
  const after = readLeaf(reader, reader.u8());
  const leftSiblings = readSiblings(reader, scheme);
  const rightSiblings = readSiblings(reader, scheme);
  reader.finish();
  return { before, after, leftSiblings, rightSiblings };
}

/**
 * Writes a partial tree, the proof of a batch or an update, as bytes.
 *
 * @returns fresh bytes
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT if it is none
 * @see FORMAT.md, "Partial tree"
 */
export function encodePartialTree(tree: PartialTree, scheme: HashScheme): Uint8Array<ArrayBuffer> {
  const writer = begin(KIND.tree);
  writeNode(tree, 0);
  return writer.finish();

  function writeNode(node: PartialTree, depth: number): void {
    switch (node?.kind) {
      case "empty":
        return writer.uint(NODE.empty, 1);
      case "hash":
        checkHidden(scheme, node.hash);
        writer.uint(NODE.hash, 1);
        return writer.bytes(node.hash);
      case "leaf":
        checkLeaf(node.leaf);
        return writeLeaf(writer, node.leaf);
      case "inner":
        checkDepth(depth);
        writer.uint(NODE.inner, 1);
        writeNode(node.left, depth + 1);
        return writeNode(node.right, depth + 1);
      default:
        throw unknownKind();
    }
  }
}

/**
 * Reads a partial tree back; whatever {@link encodePartialTree} would not have written is refused.
 *
 * @param bytes - not trusted; the result does not alias them
 * @param limits - default: 1 MiB
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE
 * @throws TypeError if `bytes` is no Uint8Array
 */
export function decodePartialTree(
  bytes: Uint8Array,
  scheme: HashScheme,
  { bytesMax = 1 << 20 }: ProofLimits = {},
): PartialTree {
  const reader = open(bytes, bytesMax, KIND.tree);
  const tree = readNode(0);
  reader.finish();
  return tree;

  function readNode(depth: number): PartialTree {
    const kind = reader.u8();
    switch (kind) {
      case NODE.empty:
        return EMPTY;
      case NODE.hash: {
        const hash = reader.hash();
        checkHidden(scheme, hash);
        return { kind: "hash", hash };
      }
      case NODE.inner: {
        checkDepth(depth);
        const left = readNode(depth + 1);
        return { kind: "inner", left, right: readNode(depth + 1) };
      }
      default:
        return { kind: "leaf", leaf: readLeaf(reader, kind) as ProofLeaf };
    }
  }
}

/** Shared by all trees that are read, so that a byte of input is not a new object. */
const EMPTY: PartialTree = Object.freeze({ kind: "empty" });

function begin(kind: number): WireWriter {
  const writer = new WireWriter();
  writer.uint(VERSION, 1);
  writer.uint(kind, 1);
  return writer;
}

function open(bytes: Uint8Array, bytesMax: number, kind: number): WireReader {
  const reader = new WireReader(bytes, bytesMax);
  if (reader.u8() !== VERSION) throw reader.refusal("is of no known version");
  if (reader.u8() !== kind) throw reader.refusal("is of another kind");
  return reader;
}

function writeLeaf(writer: WireWriter, leaf: ProofLeaf | undefined): void {
  if (leaf === undefined) return writer.uint(LEAF.none, 1);
  checkLeaf(leaf);
  writer.uint("value" in leaf ? LEAF.revealed : LEAF.hashed, 1);
  writer.bytes(leaf.path);
  if ("value" in leaf) {
    writer.uint(leaf.value.length, 4);
    writer.bytes(leaf.value);
  } else writer.bytes(leaf.valueHash);
}

/** A leaf whose first byte has been read. */
function readLeaf(reader: WireReader, form: number): ProofLeaf | undefined {
  if (form === LEAF.none) return undefined;
  if (form !== LEAF.hashed && form !== LEAF.revealed) throw reader.refusal("has a leaf of no form");
  const path = reader.hash();
  if (form === LEAF.hashed) return { path, valueHash: reader.hash() };
  return { path, value: reader.bytes(reader.uint(4)) };
}

function writeSiblings(
  writer: WireWriter,
  siblings: readonly Uint8Array[] | undefined,
  { placeholder }: HashScheme,
): void {
  if (siblings === undefined) return writer.uint(NO_LIST, 2);
  checkSiblings(siblings);
  writer.uint(siblings.length, 2);
  const bitmap = new Uint8Array(Math.ceil(siblings.length / 8));
  writer.bytes(bitmap);
  for (const [i, sibling] of siblings.entries()) {
    if (equalBytes(sibling, placeholder)) bitmap[i >>> 3] = (bitmap[i >>> 3] as number) | bitOf(i);
    else writer.bytes(sibling);
  }
}

function readSiblings(reader: WireReader, scheme: HashScheme): Uint8Array[] | undefined {
  const count = reader.uint(2);
  if (count === NO_LIST) return undefined;
  checkSiblingCount(count);
  const bitmap = reader.bytes(Math.ceil(count / 8));
  for (let i = count; i < bitmap.length * 8; i++) {
    if (isSet(bitmap, i)) throw reader.refusal("has unused bits set");
  }
  const siblings: Uint8Array[] = [];
  // One for all, so that a bit of input is not 32 bytes.
  const placeholder = new Uint8Array(scheme.placeholder);
  for (let i = 0; i < count; i++) {
    if (isSet(bitmap, i)) siblings.push(placeholder);
    else {
      const hash = reader.hash();
      checkHidden(scheme, hash);
      siblings.push(hash);
    }
  }
  return siblings;
}

function isSet(bitmap: Uint8Array, index: number): boolean {
  return ((bitmap[index >>> 3] as number) & bitOf(index)) !== 0;
}

/** The most significant bit first, as in a path. */
function bitOf(index: number): number {
  return 128 >>> (index & 7);
}
