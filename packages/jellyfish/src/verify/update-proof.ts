import { compareBytes, equalBytes } from "@x/hash";
import { bitAt, checkArgument, turned } from "../path.ts";
import type { HashScheme } from "../scheme/scheme.ts";
import {
  checkPath,
  checkRoot,
  type Claim,
  failure,
  hashInner,
  hashLeaf,
  hashNamedLeaf,
  hashStoredValue,
  type Rules,
  rulesOf,
} from "./checks.ts";
import {
  checkDepth,
  checkPlace,
  hashHidden,
  hashOfKnownKind,
  type PartialTree,
  unknownKind,
} from "./partial-tree.ts";
import { firstRight } from "./range-proof.ts";

/** A value to put under a path, or `undefined` to remove it. */
export interface PathChange {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** The bytes to store; `undefined` removes the path. */
  readonly value: Uint8Array | undefined;
}

/** What some changes make of a tree. */
export interface UpdateClaim extends Claim {
  /** In any order, each path once. Removing an absent path changes nothing. */
  readonly changes: readonly PathChange[];
  /** Not trusted. Shows what every change meets, and after a removal whether what is left beside it is a leaf. */
  readonly proof: PartialTree;
}

/**
 * The root that some changes lead to, computed without the tree from a proof under the old root.
 *
 * @returns the new root; 32 fresh bytes
 * @throws JellyfishError JELLYFISH_PROOF_INCOMPLETE (a change meets what is hidden, or it does not show whether what is left
 *   beside a removed leaf is a leaf), JELLYFISH_PROOF_SURPLUS (it shows more than that), JELLYFISH_PROOF_KEY (a leaf is in a
 *   wrong place), JELLYFISH_PROOF_ROOT, JELLYFISH_PROOF_UNSAFE (hardened rules), JELLYFISH_PROOF_FORMAT
 * @throws TypeError, RangeError if root or paths are not 32 bytes, a value is no Uint8Array, or a path is changed twice
 * @see FORMAT.md, "Partial tree"
 */
export function updatedRoot(claim: UpdateClaim): Uint8Array<ArrayBuffer> {
  const rules = rulesOf(claim);
  const { before, after } = applyChanges(claim, rules);
  checkRoot(before, claim.root);
  return new Uint8Array(after.hash);
}

/**
 * Whether some changes lead from one root to another.
 *
 * @throws as {@link updatedRoot}; JELLYFISH_PROOF_ROOT also if they lead to another new root
 * @see FORMAT.md, "Partial tree"
 */
export function verifyUpdate(claim: UpdateClaim & { readonly newRoot: Uint8Array }): void {
  checkArgument(claim.newRoot, "newRoot");
  checkRoot(updatedRoot(claim), claim.newRoot);
}

/** What a place comes to hold. `unknown`: a leaf or an inner node, which does not matter unless all beside it goes. */
interface Content {
  readonly kind: "empty" | "leaf" | "inner" | "unknown";
  readonly hash: Uint8Array;
}

/** A place before and after the changes below it. */
interface Change {
  readonly before: Uint8Array;
  readonly after: Content;
}

/** A leaf that is put, or already there. */
interface Leaf {
  readonly path: Uint8Array;
  readonly hash: Uint8Array;
}

function applyChanges(claim: UpdateClaim, rules: Rules): Change {
  const { scheme, proof } = claim;
  for (const { path } of claim.changes) {
    checkArgument(path, "path");
    checkPath(claim, rules, path);
  }
  const changes = claim.changes.toSorted((a, b) => compareBytes(a.path, b.path));
  const paths = changes.map(({ path }) => path);
  for (let i = 1; i < paths.length; i++) {
    if (equalBytes(paths[i - 1] as Uint8Array, paths[i] as Uint8Array)) {
      throw new RangeError("two changes are of one path");
    }
  }
  const puts = changes.map(({ path, value }): Leaf | undefined => {
    if (value === undefined) return undefined;
    return { path, hash: hashLeaf(scheme, path, hashStoredValue(claim, rules, value)) };
  });
  const empty: Content = { kind: "empty", hash: scheme.placeholder };
  return paths.length === 0 ? hidden(proof) : changeAt(proof, 0, paths.length, 0);

  /** A place where the changes from `low` to before `high` are. */
  function changeAt(node: PartialTree, low: number, high: number, depth: number): Change {
    switch (node?.kind) {
      case "hash":
        throw failure("INCOMPLETE", "hides what is asked");
      case "empty":
        return { before: scheme.placeholder, after: contentOf(scheme, putIn(low, high), depth) };
      case "leaf": {
        checkPlace(node.leaf, paths[low] as Uint8Array, depth);
        const { path } = node.leaf;
        const before = hashNamedLeaf(claim, rules, node.leaf);
        const leaves = putIn(low, high);
        if (!paths.slice(low, high).some((changed) => equalBytes(changed, path))) {
          leaves.push({ path, hash: before });
          leaves.sort((a, b) => compareBytes(a.path, b.path));
        }
        return { before, after: contentOf(scheme, leaves, depth) };
      }
      case "inner":
        return changeInner(node, low, high, depth);
      default:
        throw unknownKind();
    }
  }

  function putIn(low: number, high: number): Leaf[] {
    return puts.slice(low, high).filter((leaf) => leaf !== undefined);
  }

  function changeInner(
    { left, right }: Extract<PartialTree, { kind: "inner" }>,
    low: number,
    high: number,
    depth: number,
  ): Change {
    checkDepth(depth);
    const middle = firstRight(paths, low, high, depth);
    const changedLeft = low < middle ? changeAt(left, low, middle, depth + 1) : undefined;
    const changedRight = middle < high ? changeAt(right, middle, high, depth + 1) : undefined;
    const path = paths[low] as Uint8Array;
    const a = changedLeft ?? beside(left, changedRight as Change, path, depth);
    const b = changedRight ?? beside(right, changedLeft as Change, path, depth);
    return {
      before: hashInner(scheme, a.before, b.before),
      after: joined(scheme, a.after, b.after),
    };
  }

  /** A place without changes. What it holds must be known if everything in the place beside it goes, and only then. */
  function beside(node: PartialTree, other: Change, path: Uint8Array, depth: number): Change {
    const wasEmpty = equalBytes(other.before, scheme.placeholder);
    if (wasEmpty || other.after.kind !== "empty" || node?.kind === "empty") {
      const { before, after } = hidden(node);
      // A lone leaf would be where both places are one.
      return wasEmpty && after.kind === "unknown"
        ? { before, after: { ...after, kind: "inner" } }
        : { before, after };
    }
    if (node?.kind === "hash") throw failure("INCOMPLETE", "hides what is beside a removal");
    const place = turned(path, depth, 1 - bitAt(path, depth));
    const hash = hashOfKnownKind(claim, rules, node, place, depth + 1);
    return { before: hash, after: { kind: node.kind, hash } };
  }

  function hidden(node: PartialTree): Change {
    const hash = hashHidden(claim, node);
    return { before: hash, after: node.kind === "empty" ? empty : { kind: "unknown", hash } };
  }
}

/** What a place holds whose leaves, ascending, are all known. */
function contentOf(scheme: HashScheme, leaves: readonly Leaf[], depth: number): Content {
  const [first] = leaves;
  if (first === undefined) return { kind: "empty", hash: scheme.placeholder };
  if (leaves.length === 1) return { kind: "leaf", hash: first.hash };
  const middle = leaves.findIndex(({ path }) => bitAt(path, depth) === 1);
  const end = middle === -1 ? leaves.length : middle;
  return joined(
    scheme,
    contentOf(scheme, leaves.slice(0, end), depth + 1),
    contentOf(scheme, leaves.slice(end), depth + 1),
  );
}

/** What a place holds that has these two halves: a leaf alone in it is not below an inner node. */
function joined(scheme: HashScheme, left: Content, right: Content): Content {
  if (left.kind === "empty" && (right.kind === "empty" || right.kind === "leaf")) return right;
  if (right.kind === "empty" && left.kind === "leaf") return left;
  return { kind: "inner", hash: hashInner(scheme, left.hash, right.hash) };
}
