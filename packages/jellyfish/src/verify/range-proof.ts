import { compareBytes, concatBytes, equalBytes } from "@x/hash";
import { bitAt, checkArgument, PATH_BITS, PATH_SIZE } from "../path.ts";
import type { HashScheme } from "../scheme/scheme.ts";
import {
  checkForm,
  checkObject,
  checkPath,
  checkRoot,
  type Claim,
  failure,
  hashInner,
  hashStoredValue,
  rulesOf,
  valueHashOf,
  type Rules,
} from "./checks.ts";
import { type Absence, checkSiblings, type ProofLeaf, type ProvenEntry } from "./proof.ts";

/**
 * That some entries are all there are between two paths. Plain data; nothing in it is trusted by a verifier.
 *
 * The leaves of the proof are the entries with `before` and `after` around them. Everything left of the first leaf is in
 * `leftSiblings`, everything right of the last one in `rightSiblings`.
 *
 * Bytes: FORMAT.md, "Range proof".
 */
export interface RangeProof {
  /** The last leaf before the range; `undefined` if there is none, or the first entry is where the range begins. */
  readonly before: ProofLeaf | undefined;
  /** The first leaf after the range; `undefined` if there is none, or the last entry is where the range ends. */
  readonly after: ProofLeaf | undefined;
  /** The siblings at the 1 bits of the first leaf's path, from the leaf up to the root; `undefined` if nothing is there. */
  readonly leftSiblings: readonly Uint8Array[] | undefined;
  /** The siblings at the 0 bits of the last leaf's path, from the leaf up to the root; `undefined` if nothing is there. */
  readonly rightSiblings: readonly Uint8Array[] | undefined;
}

/** That a tree has these entries between two paths, and no others. */
export interface RangeClaim extends Claim {
  /** The smallest path of the range. 32 bytes; `undefined`: the range begins with the tree. */
  readonly from: Uint8Array | undefined;
  /** The largest path of the range. 32 bytes; `undefined`: the range ends with the tree. */
  readonly to: Uint8Array | undefined;
  /** Paths strictly ascending, inside the range. May be empty. */
  readonly entries: readonly ProvenEntry[];
  /** Not trusted. */
  readonly proof: RangeProof;
}

/** Where a proven range lies in its tree. */
export interface ProvenRange {
  /** Nothing in the tree is before the first entry. */
  readonly isFirst: boolean;
  /** Nothing in the tree is after the last entry. */
  readonly isLast: boolean;
}

/**
 * Whether a tree has exactly the claimed entries between two paths, both included.
 *
 * O(n) hashes, and at most 256 at each end.
 *
 * @returns where the range lies
 * @throws JellyfishError JELLYFISH_PROOF_KEY (an entry is outside the range or not in order, or `before` or `after` is inside),
 *   JELLYFISH_PROOF_INCOMPLETE (there may be more between the bounds, or a sibling is missing), JELLYFISH_PROOF_SURPLUS (more
 *   leaves or siblings than the statement needs), JELLYFISH_PROOF_ROOT, JELLYFISH_PROOF_UNSAFE (hardened rules),
 *   JELLYFISH_PROOF_TOO_LARGE, JELLYFISH_PROOF_FORMAT
 * @throws TypeError, RangeError if root, bounds or paths are not 32 bytes, a value is no Uint8Array, or `to` is before `from`
 * @see FORMAT.md, "Range proof"
 */
export function verifyRange(claim: RangeClaim): ProvenRange {
  const { root, from, to, entries, proof } = claim;
  checkObject(proof);
  const { before, after, leftSiblings, rightSiblings } = proof;
  const rules = rulesOf(claim);
  if (from !== undefined) checkArgument(from, "from");
  if (to !== undefined) checkArgument(to, "to");
  if (from !== undefined && to !== undefined && compareBytes(to, from) < 0) {
    throw new RangeError("to must not be before from");
  }
  for (const siblings of [leftSiblings, rightSiblings]) {
    if (siblings === undefined) continue;
    checkSiblings(siblings);
    if (isEmptySide(siblings, claim.scheme)) throw failure("FORMAT", "lists empty siblings alone");
  }
  const leaves = leavesOf(claim, rules);
  checkOrder(leaves.paths);
  checkEnd(from, entries[0]?.path, before?.path, leftSiblings, compareBytes);
  checkEnd(to, entries.at(-1)?.path, after?.path, rightSiblings, (a, b) => compareBytes(b, a));
  checkRoot(rootOfLeaves(claim, leaves), root);
  return {
    isFirst: before === undefined && leftSiblings === undefined,
    isLast: after === undefined && rightSiblings === undefined,
  };
}

/**
 * The range proof that a list of right-hand siblings alone is, as Rooch writes it: of all leaves from the first one up to the
 * last entry. To be verified without `from`, `to` being the last entry's path.
 *
 * @throws JellyfishError JELLYFISH_PROOF_FORMAT, JELLYFISH_PROOF_TOO_LARGE if it is no list of at most 256 hashes
 */
export function rangeProofOfRightSiblings(
  siblings: readonly Uint8Array[],
  scheme: HashScheme,
): RangeProof {
  checkSiblings(siblings);
  const rightSiblings = isEmptySide(siblings, scheme) ? undefined : siblings;
  return { before: undefined, after: undefined, leftSiblings: undefined, rightSiblings };
}

/** Whether nothing is on a side: its siblings are all empty, or there are none. */
function isEmptySide(siblings: readonly Uint8Array[], { placeholder }: HashScheme): boolean {
  return siblings.every((sibling) => equalBytes(sibling, placeholder));
}

/**
 * That a path has no value, by the leaves on both sides of it: a range from the path to itself, without entries.
 *
 * @returns the neighbours
 * @throws as {@link verifyRange}
 * @see FORMAT.md, "Range proof"
 */
export function verifyExclusionByNeighbours(
  claim: Claim & { readonly path: Uint8Array; readonly proof: RangeProof },
): Absence {
  const { path, proof } = claim;
  verifyRange({ ...claim, from: path, to: path, entries: [] });
  return {
    kind: "absent",
    because: "neighbours",
    before: proof.before && new Uint8Array(proof.before.path),
    after: proof.after && new Uint8Array(proof.after.path),
  };
}

/** Leaves side by side in the tree, ascending. */
interface Leaves {
  readonly paths: readonly Uint8Array[];
  /** 32 bytes for each. */
  readonly hashes: Uint8Array;
}

function leavesOf(claim: RangeClaim, rules: Rules): Leaves {
  const { scheme, entries, proof } = claim;
  const paths: Uint8Array[] = [];
  const pairs: Uint8Array[] = [];
  if (proof.before !== undefined) addNamed(proof.before);
  for (const { path, value } of entries) {
    checkArgument(path, "path");
    checkPath(claim, rules, path);
    add(path, hashStoredValue(claim, rules, value));
  }
  if (proof.after !== undefined) addNamed(proof.after);
  const hashes = new Uint8Array(paths.length * PATH_SIZE);
  scheme.hashLeaves(concatBytes(pairs), paths.length, hashes);
  return { paths, hashes };

  function addNamed(leaf: ProofLeaf): void {
    const valueHash = valueHashOf(claim, rules, leaf);
    checkForm(claim, rules, leaf);
    add(leaf.path, valueHash);
  }

  function add(path: Uint8Array, valueHash: Uint8Array): void {
    paths.push(path);
    pairs.push(path, valueHash);
  }
}

function checkOrder(paths: readonly Uint8Array[]): void {
  for (let i = 1; i < paths.length; i++) {
    if (compareBytes(paths[i - 1] as Uint8Array, paths[i] as Uint8Array) >= 0) {
      throw failure("KEY", `has leaf ${i} out of order`);
    }
  }
}

/**
 * Whether nothing can hide between a bound and the first leaf on its side. `order` looks from that side inwards, so that the
 * left end can be described for both.
 */
function checkEnd(
  bound: Uint8Array | undefined,
  first: Uint8Array | undefined,
  outside: Uint8Array | undefined,
  siblings: readonly Uint8Array[] | undefined,
  order: (a: Uint8Array, b: Uint8Array) => number,
): void {
  if (bound === undefined) {
    if (outside !== undefined) throw failure("SURPLUS", "has a leaf outside the range");
    if (siblings !== undefined)
      throw failure("INCOMPLETE", "does not reach the bound of the range");
    return;
  }
  if (first !== undefined && order(first, bound) < 0) {
    throw failure("KEY", "has an entry in a wrong place");
  }
  if (outside !== undefined) {
    if (order(outside, bound) >= 0) throw failure("KEY", "has a leaf in a wrong place");
    if (first !== undefined && equalBytes(first, bound)) {
      throw failure("SURPLUS", "has a leaf outside the range");
    }
  } else if (siblings !== undefined && (first === undefined || !equalBytes(first, bound))) {
    throw failure("INCOMPLETE", "does not reach the bound of the range");
  }
}

/** The siblings outside one end of the leaves, taken from the root downwards. */
class Edge {
  readonly #siblings: readonly Uint8Array[] | undefined;
  readonly #placeholder: Uint8Array;
  #left: number;

  constructor(siblings: readonly Uint8Array[] | undefined, placeholder: Uint8Array) {
    this.#siblings = siblings;
    this.#placeholder = placeholder;
    this.#left = siblings?.length ?? 0;
  }

  get isUsedUp(): boolean {
    return this.#left === 0;
  }

  next(): Uint8Array {
    if (this.#siblings === undefined) return this.#placeholder;
    const sibling = this.#siblings[--this.#left];
    if (sibling === undefined) throw failure("INCOMPLETE", "lacks a sibling");
    return sibling;
  }
}

/** The root over neighbouring leaves and what is outside of them; every sibling is used. */
function rootOfLeaves({ scheme, proof }: RangeClaim, { paths, hashes }: Leaves): Uint8Array {
  const left = new Edge(proof.leftSiblings, scheme.placeholder);
  const right = new Edge(proof.rightSiblings, scheme.placeholder);
  const root = hashPlace(0, paths.length, 0, paths[0], paths.at(-1));
  if (!left.isUsedUp || !right.isUsedUp) throw failure("SURPLUS", "has siblings left over");
  return root;

  /**
   * Hash of the place that holds the leaves from `low` to before `high` and is `depth` bits down. `first` and `last` are given
   * where the place is also on the path of that leaf, and so holds what is outside of it.
   */
  function hashPlace(
    low: number,
    high: number,
    depth: number,
    first: Uint8Array | undefined,
    last: Uint8Array | undefined,
  ): Uint8Array {
    if (low === high) return scheme.placeholder;
    const isClosed =
      (first === undefined || left.isUsedUp) && (last === undefined || right.isUsedUp);
    if (high - low === 1 && isClosed) {
      return hashes.subarray(low * PATH_SIZE, high * PATH_SIZE);
    }
    if (depth === PATH_BITS) throw failure("SURPLUS", "has siblings left over");
    const middle = firstRight(paths, low, high, depth);
    const leftIsOutside = first !== undefined && bitAt(first, depth) === 1;
    const rightIsOutside = last !== undefined && bitAt(last, depth) === 0;
    // What is outside comes first: it is taken from the root downwards.
    const outsideLeft = leftIsOutside ? left.next() : undefined;
    const outsideRight = rightIsOutside ? right.next() : undefined;
    const leftHash =
      outsideLeft ?? hashPlace(low, middle, depth + 1, first, rightIsOutside ? last : undefined);
    const rightHash =
      outsideRight ?? hashPlace(middle, high, depth + 1, leftIsOutside ? first : undefined, last);
    return hashInner(scheme, leftHash, rightHash);
  }
}

/** Index of the first of some ascending paths, alike up to `depth`, whose bit there is 1; `high` if there is none. */
export function firstRight(
  paths: readonly Uint8Array[],
  low: number,
  high: number,
  depth: number,
): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bitAt(paths[middle] as Uint8Array, depth) === 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
