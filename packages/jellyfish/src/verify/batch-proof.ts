import { compareBytes, equalBytes } from "@x/hash";
import { checkArgument } from "../path.ts";
import {
  checkForm,
  checkPath,
  checkRoot,
  type Claim,
  failure,
  hashInner,
  hashLeaf,
  type Rules,
  rulesOf,
  valueHashOf,
} from "./checks.ts";
import {
  checkDepth,
  checkPlace,
  hashHidden,
  type PartialTree,
  unknownKind,
} from "./partial-tree.ts";
import type { Absence, ProofLeaf } from "./proof.ts";
import { firstRight } from "./range-proof.ts";

/** What a tree has under many paths. */
export interface BatchClaim extends Claim {
  /** 32 bytes each, in any order. */
  readonly paths: readonly Uint8Array[];
  /** Not trusted. Shows the leaves of asked paths with their values, and hides whatever no path leads into. */
  readonly proof: PartialTree;
}

/** That a path has a value. */
export interface Presence {
  readonly kind: "present";
  /** The stored bytes, fresh. */
  readonly value: Uint8Array<ArrayBuffer>;
}

/**
 * What a tree has under many paths, every shared hash being in the proof once.
 *
 * @returns for each path, in the order asked, its value or why it has none
 * @throws JellyfishError JELLYFISH_PROOF_INCOMPLETE (a path leads into what is hidden, or to a leaf without its value),
 *   JELLYFISH_PROOF_SURPLUS (it shows what no path leads to), JELLYFISH_PROOF_KEY (a leaf is in a wrong place),
 *   JELLYFISH_PROOF_ROOT, JELLYFISH_PROOF_UNSAFE (hardened rules), JELLYFISH_PROOF_FORMAT
 * @throws TypeError, RangeError if root or paths are not 32 bytes
 * @see FORMAT.md, "Partial tree"
 */
export function verifyBatch(claim: BatchClaim): (Presence | Absence)[] {
  const { scheme, root, paths, proof } = claim;
  const rules = rulesOf(claim);
  for (const path of paths) {
    checkArgument(path, "path");
    checkPath(claim, rules, path);
  }
  const order = paths.map((_, i) => i);
  order.sort((a, b) => compareBytes(paths[a] as Uint8Array, paths[b] as Uint8Array));
  const sorted = order.map((i) => paths[i] as Uint8Array);
  const found: (Presence | Absence)[] = [];
  checkRoot(hashPlace(proof, 0, sorted.length, 0), root);
  const results: (Presence | Absence)[] = [];
  for (const [i, index] of order.entries()) results[index] = found[i] as Presence | Absence;
  return results;

  /** Hash of a place where the sorted paths from `low` to before `high` lead to; says what they find there. */
  function hashPlace(node: PartialTree, low: number, high: number, depth: number): Uint8Array {
    if (low === high) return hashHidden(claim, node);
    switch (node?.kind) {
      case "hash":
        throw failure("INCOMPLETE", "hides what is asked");
      case "empty":
        for (let i = low; i < high; i++) found.push({ kind: "absent", because: "empty-place" });
        return scheme.placeholder;
      case "leaf":
        checkPlace(node.leaf, sorted[low] as Uint8Array, depth);
        return readLeaf(claim, rules, node.leaf, sorted.slice(low, high), found);
      case "inner": {
        checkDepth(depth);
        const middle = firstRight(sorted, low, high, depth);
        const left = hashPlace(node.left, low, middle, depth + 1);
        return hashInner(scheme, left, hashPlace(node.right, middle, high, depth + 1));
      }
      default:
        throw unknownKind();
    }
  }
}

/** Says what the paths that lead to a leaf find there. Returns its hash. */
function readLeaf(
  claim: Claim,
  rules: Rules,
  leaf: ProofLeaf,
  paths: readonly Uint8Array[],
  found: (Presence | Absence)[],
): Uint8Array {
  const valueHash = valueHashOf(claim, rules, leaf);
  const isAsked = paths.some((path) => equalBytes(leaf.path, path));
  if (!isAsked) checkForm(claim, rules, leaf);
  else if (!("value" in leaf)) throw failure("INCOMPLETE", "has no value of a path");
  for (const path of paths) {
    found.push(
      "value" in leaf && equalBytes(leaf.path, path)
        ? { kind: "present", value: new Uint8Array(leaf.value) }
        : { kind: "absent", because: "other-leaf", other: new Uint8Array(leaf.path) },
    );
  }
  return hashLeaf(claim.scheme, leaf.path, valueHash);
}
