import { concatBytes } from "@x/hash";
import type {
  HashScheme,
  PartialTree,
  PathProof,
  ProofLeaf,
  ProvenEntry,
  RangeProof,
} from "../../src/verify/index.ts";

/** 32 zero bytes: what a careless verifier takes for an empty place. */
export const ZERO = new Uint8Array(32);

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, index = 0, mask = 1): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[index] = (copy[index] as number) ^ mask;
  return copy;
}

// Every list that differs in one place: an item dropped, doubled, swapped with another, changed or added.
export function* editsOfList(
  items: readonly Uint8Array[],
  foreign: readonly Uint8Array[],
): Generator<Uint8Array[]> {
  for (const [i, item] of items.entries()) {
    yield items.toSpliced(i, 1);
    yield items.toSpliced(i, 0, item);
    for (const other of [...foreign, flipped(item), flipped(item, 31, 128)]) {
      yield items.with(i, other);
    }
    for (let j = i + 1; j < items.length; j++) {
      yield items.with(i, items[j] as Uint8Array).with(j, item);
    }
  }
  for (let i = 0; i <= items.length; i++) {
    for (const other of foreign) yield items.toSpliced(i, 0, other);
  }
}

// Every leaf that differs in one field, and none.
export function* editsOfLeaf(
  leaf: ProofLeaf | undefined,
  foreign: readonly ProofLeaf[],
): Generator<ProofLeaf | undefined> {
  yield* foreign;
  if (leaf === undefined) return;
  yield undefined;
  yield { ...leaf, path: flipped(leaf.path, 0, 128) };
  yield { ...leaf, path: flipped(leaf.path, 31) };
  if ("value" in leaf) {
    yield { ...leaf, value: concatBytes([leaf.value, new Uint8Array(1)]) };
    yield { ...leaf, value: leaf.value.slice(1) };
  } else {
    yield { path: leaf.valueHash, valueHash: leaf.path };
    yield { ...leaf, valueHash: flipped(leaf.valueHash) };
  }
}

// Every path proof that differs in one place.
export function* editsOfPathProof(
  proof: PathProof,
  foreign: { readonly hashes: readonly Uint8Array[]; readonly leaves: readonly ProofLeaf[] },
): Generator<PathProof> {
  for (const siblings of editsOfList(proof.siblings, foreign.hashes)) yield { ...proof, siblings };
  for (const leaf of editsOfLeaf(proof.leaf, foreign.leaves)) yield { ...proof, leaf };
  yield { ...proof, siblings: [] };
  yield { leaf: undefined, siblings: [] };
}

// Every range that differs in one place: in its entries, the leaves around them or the siblings.
export function* editsOfRange(
  { entries, proof }: { readonly entries: readonly ProvenEntry[]; readonly proof: RangeProof },
  foreign: {
    readonly hashes: readonly Uint8Array[];
    readonly leaves: readonly ProofLeaf[];
    readonly entries: readonly ProvenEntry[];
  },
): Generator<{ entries: readonly ProvenEntry[]; proof: RangeProof }> {
  for (const [i, entry] of entries.entries()) {
    yield { entries: entries.toSpliced(i, 1), proof };
    yield { entries: entries.toSpliced(i, 0, entry), proof };
    yield { entries: entries.with(i, { ...entry, value: flipped(entry.value) }), proof };
    for (const other of foreign.entries) yield { entries: entries.with(i, other), proof };
    for (let j = i + 1; j < entries.length; j++) {
      yield { entries: entries.with(i, entries[j] as ProvenEntry).with(j, entry), proof };
    }
  }
  for (let i = 0; i <= entries.length; i++) {
    for (const other of foreign.entries) yield { entries: entries.toSpliced(i, 0, other), proof };
  }
  for (const before of editsOfLeaf(proof.before, foreign.leaves)) {
    yield { entries, proof: { ...proof, before } };
  }
  for (const after of editsOfLeaf(proof.after, foreign.leaves)) {
    yield { entries, proof: { ...proof, after } };
  }
  yield { entries, proof: { ...proof, before: proof.after, after: proof.before } };
  for (const side of ["leftSiblings", "rightSiblings"] as const) {
    const siblings = proof[side];
    if (siblings !== undefined) yield { entries, proof: { ...proof, [side]: undefined } };
    for (const edited of editsOfList(siblings ?? [], foreign.hashes)) {
      yield { entries, proof: { ...proof, [side]: edited } };
    }
  }
}

// Every partial tree that differs in one node.
export function* editsOfTree(
  node: PartialTree,
  foreign: {
    readonly scheme: HashScheme;
    readonly hashes: readonly Uint8Array[];
    readonly leaves: readonly ProofLeaf[];
  },
): Generator<PartialTree> {
  if (node.kind !== "empty") yield { kind: "empty" };
  for (const hash of foreign.hashes) yield { kind: "hash", hash };
  for (const leaf of foreign.leaves) yield { kind: "leaf", leaf };
  yield { kind: "inner", left: node, right: { kind: "empty" } };
  yield { kind: "inner", left: { kind: "empty" }, right: node };
  if (node.kind === "hash") yield { kind: "hash", hash: flipped(node.hash) };
  if (node.kind === "leaf") {
    for (const leaf of editsOfLeaf(node.leaf, [])) {
      if (leaf !== undefined) yield { kind: "leaf", leaf };
    }
  }
  if (node.kind !== "inner") return;
  const { left, right } = node;
  yield { kind: "inner", left: right, right: left };
  yield left;
  yield right;
  for (const edited of editsOfTree(left, foreign)) yield { kind: "inner", left: edited, right };
  for (const edited of editsOfTree(right, foreign)) yield { kind: "inner", left, right: edited };
}
