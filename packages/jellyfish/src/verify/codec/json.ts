import { fromHex, toHex } from "@x/hash";
import { checkHash, checkLeaf, checkObject, failure } from "../checks.ts";
import { checkDepth, type PartialTree, unknownKind } from "../partial-tree.ts";
import { checkSiblingCount, checkSiblings, type PathProof, type ProofLeaf } from "../proof.ts";
import type { RangeProof } from "../range-proof.ts";

/** `0x` and lower-case hex digits, two per byte. */
export type HexText = `0x${string}`;

/** A leaf as JSON: path and value hash, as Rooch writes it, or path and value. */
export type ProofLeafJson =
  | readonly [path: HexText, valueHash: HexText]
  | { readonly path: HexText; readonly value: HexText };

/** A path proof as JSON; with a value hash in its leaf it is the form that Rooch writes. */
export interface PathProofJson {
  readonly leaf: ProofLeafJson | null;
  readonly siblings: readonly HexText[];
}

/** A range proof as JSON. */
export interface RangeProofJson {
  readonly before: ProofLeafJson | null;
  readonly after: ProofLeafJson | null;
  readonly leftSiblings: readonly HexText[] | null;
  readonly rightSiblings: readonly HexText[] | null;
}

/** A partial tree as JSON: `null` is empty, a text a hash, an object a leaf, a list an inner node. */
export type PartialTreeJson =
  | null
  | HexText
  | { readonly leaf: ProofLeafJson }
  | readonly [left: PartialTreeJson, right: PartialTreeJson];

/** The JSON form of a path proof. @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is none */
export function pathProofToJson(proof: PathProof): PathProofJson {
  checkObject(proof);
  return { leaf: leafToJson(proof.leaf), siblings: siblingsToJson(proof.siblings) };
}

/**
 * Reads the JSON form of a path proof, as strictly as the bytes: no other field, no upper-case digit.
 *
 * @param value - what `JSON.parse` gave; not trusted
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE (more than 256 siblings)
 */
export function pathProofFromJson(value: unknown): PathProof {
  const { leaf, siblings } = fieldsOf(value, ["leaf", "siblings"]);
  return { leaf: leafFromJson(leaf), siblings: siblingsFromJson(siblings) };
}

/** The JSON form of a range proof. @throws as {@link pathProofToJson} */
export function rangeProofToJson(proof: RangeProof): RangeProofJson {
  checkObject(proof);
  const { before, after, leftSiblings, rightSiblings } = proof;
  return {
    before: leafToJson(before),
    after: leafToJson(after),
    leftSiblings: leftSiblings === undefined ? null : siblingsToJson(leftSiblings),
    rightSiblings: rightSiblings === undefined ? null : siblingsToJson(rightSiblings),
  };
}

/** Reads the JSON form of a range proof. Strictness and errors as {@link pathProofFromJson}. */
export function rangeProofFromJson(value: unknown): RangeProof {
  const fields = fieldsOf(value, ["before", "after", "leftSiblings", "rightSiblings"]);
  const { before, after, leftSiblings, rightSiblings } = fields;
  return {
    before: leafFromJson(before),
    after: leafFromJson(after),
    leftSiblings: leftSiblings === null ? undefined : siblingsFromJson(leftSiblings),
    rightSiblings: rightSiblings === null ? undefined : siblingsFromJson(rightSiblings),
  };
}

/** The JSON form of a partial tree. @throws JellyfishError JELLYFISH_PROOF_FORMAT if it is none */
export function partialTreeToJson(tree: PartialTree): PartialTreeJson {
  return nodeToJson(tree, 0);
}

function nodeToJson(node: PartialTree, depth: number): PartialTreeJson {
  switch (node?.kind) {
    case "empty":
      return null;
    case "hash":
      return hashToText(node.hash);
    case "leaf":
      checkLeaf(node.leaf);
      return { leaf: leafToJson(node.leaf) as ProofLeafJson };
    case "inner":
      checkDepth(depth);
      return [nodeToJson(node.left, depth + 1), nodeToJson(node.right, depth + 1)];
    default:
      throw unknownKind();
  }
}

/** Reads the JSON form of a partial tree. Strictness and errors as {@link pathProofFromJson}. */
export function partialTreeFromJson(value: unknown): PartialTree {
  return nodeFromJson(value, 0);
}

function nodeFromJson(value: unknown, depth: number): PartialTree {
  if (value === null) return { kind: "empty" };
  if (typeof value === "string") return { kind: "hash", hash: hashFromText(value) };
  if (!Array.isArray(value)) {
    const leaf = leafFromJson(fieldsOf(value, ["leaf"])["leaf"]);
    if (leaf === undefined) throw failure("FORMAT", "has no leaf in a leaf");
    return { kind: "leaf", leaf };
  }
  if (value.length !== 2) throw failure("FORMAT", "has an inner node without two children");
  checkDepth(depth);
  const left = nodeFromJson(value[0], depth + 1);
  return { kind: "inner", left, right: nodeFromJson(value[1], depth + 1) };
}

function leafToJson(leaf: ProofLeaf | undefined): ProofLeafJson | null {
  if (leaf === undefined) return null;
  checkLeaf(leaf);
  const path = hashToText(leaf.path);
  if ("value" in leaf) return { path, value: `0x${toHex(leaf.value)}` };
  return [path, hashToText(leaf.valueHash)];
}

function leafFromJson(value: unknown): ProofLeaf | undefined {
  if (value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length !== 2) throw failure("FORMAT", "has a leaf without two fields");
    return { path: hashFromText(value[0]), valueHash: hashFromText(value[1]) };
  }
  const fields = fieldsOf(value, ["path", "value"]);
  return { path: hashFromText(fields["path"]), value: bytesFromText(fields["value"]) };
}

function siblingsToJson(siblings: readonly Uint8Array[]): HexText[] {
  checkSiblings(siblings);
  return siblings.map(hashToText);
}

function siblingsFromJson(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw failure("FORMAT", "has no list of siblings");
  checkSiblingCount(value.length);
  // Not `map`, which passes over places that hold nothing.
  return Array.from(value, hashFromText);
}

/** The object itself, once it has exactly these own fields: nothing read from it is inherited. */
function fieldsOf(value: unknown, names: readonly string[]): Record<string, unknown> {
  checkObject(value);
  const keys = Reflect.ownKeys(value as object);
  if (keys.length !== names.length || !names.every((name) => keys.includes(name))) {
    throw failure("FORMAT", "has other fields than it must");
  }
  return value as Record<string, unknown>;
}

function hashToText(hash: Uint8Array): HexText {
  checkHash(hash, "hash");
  return `0x${toHex(hash)}`;
}

/** @throws JellyfishError JELLYFISH_PROOF_FORMAT if it is not `0x` and 64 lower-case digits */
export function hashFromText(text: unknown): Uint8Array<ArrayBuffer> {
  const hash = bytesFromText(text);
  checkHash(hash, "hash");
  return hash;
}

function bytesFromText(text: unknown): Uint8Array<ArrayBuffer> {
  if (typeof text !== "string" || !/^0x(?:[0-9a-f]{2})*$/.test(text)) {
    throw failure("FORMAT", "has something that is not 0x and lower-case hex digits");
  }
  return fromHex(text.slice(2));
}
