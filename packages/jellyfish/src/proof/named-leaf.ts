import { copyBytes } from "@x/store/adapter";
import { type TreeContext } from "../context.ts";
import { type LeafNode } from "../node.ts";
import { type ProofLeaf } from "../verify/proof.ts";

/** A leaf that a proof names, as the rules of its verifiers want it. */
export function namedLeaf(context: TreeContext, leaf: LeafNode): ProofLeaf {
  return carriesValues(context) ? revealedLeaf(leaf) : hashedLeaf(context, leaf);
}

/** A leaf by its value hash. */
export function hashedLeaf({ scheme }: TreeContext, { path, value }: LeafNode): ProofLeaf {
  return { path: copyBytes(path), valueHash: scheme.hashValue(value) };
}

/** A leaf with its value. */
export function revealedLeaf({ path, value }: LeafNode): ProofLeaf {
  return { path: copyBytes(path), value: copyBytes(value) };
}

/** Whether leaves and inner nodes hash alike, and so proofs show the values of the leaves they name. */
export function carriesValues({ scheme, rules }: TreeContext): boolean {
  return scheme.domains !== "separated" && rules?.absenceCarriesValue !== false;
}
