import { compareBytes, concatBytes, equalBytes, toHex } from "@x/hash";
import { bitAt, commonBits } from "../../src/path.ts";
import type { HashScheme } from "../../src/scheme/scheme.ts";
import type {
  PartialTree,
  PathProof,
  ProofLeaf,
  ProvenEntry,
  RangeProof,
} from "../../src/verify/index.ts";

/** The binary tree of some entries, built from the definition: empty, one leaf, or the trees of both bits. */
export type NaiveNode =
  | { readonly kind: "empty"; readonly hash: Uint8Array }
  | { readonly kind: "leaf"; readonly hash: Uint8Array; readonly entry: ProvenEntry }
  | {
      readonly kind: "inner";
      readonly hash: Uint8Array;
      readonly left: NaiveNode;
      readonly right: NaiveNode;
    };

/** Whether proofs carry the values of the leaves they name. */
export type Form = "hashed" | "revealed";

/** A whole tree in memory with provers of its own, as an oracle for the real ones. */
export class NaiveTree {
  readonly scheme: HashScheme;
  readonly entries: readonly ProvenEntry[];
  readonly top: NaiveNode;

  constructor(scheme: HashScheme, entries: readonly ProvenEntry[]) {
    this.scheme = scheme;
    this.entries = entries.toSorted((a, b) => compareBytes(a.path, b.path));
    this.top = this.#build(this.entries, 0);
  }

  get root(): Uint8Array {
    return this.top.hash;
  }

  /** The value under a path. */
  get(path: Uint8Array): Uint8Array | undefined {
    return this.entries.find((entry) => equalBytes(entry.path, path))?.value;
  }

  /** The tree after some changes. */
  with(changes: readonly { path: Uint8Array; value: Uint8Array | undefined }[]): NaiveTree {
    const map = new Map(this.entries.map((entry) => [toHex(entry.path), entry]));
    for (const { path, value } of changes) {
      if (value === undefined) map.delete(toHex(path));
      else map.set(toHex(path), { path, value });
    }
    return new NaiveTree(this.scheme, [...map.values()]);
  }

  leaf({ path, value }: ProvenEntry, form: Form): ProofLeaf {
    return form === "revealed"
      ? { path, value }
      : { path, valueHash: this.scheme.hashValue(value) };
  }

  pathProof(path: Uint8Array, form: Form): PathProof {
    const siblings: Uint8Array[] = [];
    let node = this.top;
    for (let depth = 0; node.kind === "inner"; depth++) {
      const isRight = bitAt(path, depth) === 1;
      siblings.unshift((isRight ? node.left : node.right).hash);
      node = isRight ? node.right : node.left;
    }
    if (node.kind !== "leaf") return { leaf: undefined, siblings };
    // The value of the asked leaf is in the claim.
    const isAsked = equalBytes(node.entry.path, path);
    return { leaf: this.leaf(node.entry, isAsked ? "hashed" : form), siblings };
  }

  /** Entries and proof of everything between two paths. */
  range(
    from: Uint8Array | undefined,
    to: Uint8Array | undefined,
    form: Form,
  ): { entries: ProvenEntry[]; proof: RangeProof } {
    const isBefore = ({ path }: ProvenEntry): boolean =>
      from !== undefined && compareBytes(path, from) < 0;
    const isAfter = ({ path }: ProvenEntry): boolean =>
      to !== undefined && 0 < compareBytes(path, to);
    const entries = this.entries.filter((entry) => !isBefore(entry) && !isAfter(entry));
    const [first] = entries;
    const last = entries.at(-1);
    const startsAtBound = first !== undefined && from !== undefined && equalBytes(first.path, from);
    const endsAtBound = last !== undefined && to !== undefined && equalBytes(last.path, to);
    const before = startsAtBound ? undefined : this.entries.findLast(isBefore);
    const after = endsAtBound ? undefined : this.entries.find(isAfter);
    const leftmost = before ?? first ?? after;
    const rightmost = after ?? last ?? before;
    return {
      entries,
      proof: {
        before: before && this.leaf(before, form),
        after: after && this.leaf(after, form),
        leftSiblings: leftmost && this.#outside(leftmost.path, 1),
        rightSiblings: rightmost && this.#outside(rightmost.path, 0),
      },
    };
  }

  /** What many paths lead to: their own leaves with values. */
  batchProof(paths: readonly Uint8Array[], form: Form): PartialTree {
    const show = (node: NaiveNode, depth: number, asked: readonly Uint8Array[]): PartialTree => {
      if (node.kind === "empty") return { kind: "empty" };
      if (asked.length === 0) return { kind: "hash", hash: node.hash };
      if (node.kind === "leaf") {
        const isAsked = asked.some((path) => equalBytes(path, node.entry.path));
        return { kind: "leaf", leaf: this.leaf(node.entry, isAsked ? "revealed" : form) };
      }
      const [left, right] = split(asked, depth);
      return {
        kind: "inner",
        left: show(node.left, depth + 1, left),
        right: show(node.right, depth + 1, right),
      };
    };
    return show(this.top, 0, paths);
  }

  /** What some changes need. */
  updateProof(
    changes: readonly { path: Uint8Array; value: Uint8Array | undefined }[],
    form: Form,
  ): PartialTree {
    const after = this.with(changes);
    const show = (node: NaiveNode, depth: number, asked: readonly Uint8Array[]): PartialTree => {
      if (node.kind === "empty") return { kind: "empty" };
      if (asked.length === 0) return { kind: "hash", hash: node.hash };
      if (node.kind === "leaf") return { kind: "leaf", leaf: this.leaf(node.entry, form) };
      const [left, right] = split(asked, depth);
      // What is beside a place that has been cleared.
      const isCleared = (half: NaiveNode, paths: readonly Uint8Array[]): boolean =>
        half.kind !== "empty" && !after.holds(paths[0] as Uint8Array, depth + 1);
      return {
        kind: "inner",
        left:
          left.length === 0 && isCleared(node.right, right)
            ? this.#known(node.left, form)
            : show(node.left, depth + 1, left),
        right:
          right.length === 0 && isCleared(node.left, left)
            ? this.#known(node.right, form)
            : show(node.right, depth + 1, right),
      };
    };
    return show(
      this.top,
      0,
      changes.map(({ path }) => path),
    );
  }

  /** Whether some entry shares so many bits with a path. */
  holds(path: Uint8Array, depth: number): boolean {
    return this.entries.some((entry) => depth <= commonBits(entry.path, path));
  }

  #known(node: NaiveNode, form: Form): PartialTree {
    if (node.kind === "empty") return { kind: "empty" };
    if (node.kind === "leaf") return { kind: "leaf", leaf: this.leaf(node.entry, form) };
    const hidden = (half: NaiveNode): PartialTree =>
      half.kind === "empty" ? { kind: "empty" } : { kind: "hash", hash: half.hash };
    if (form === "hashed") {
      return { kind: "inner", left: hidden(node.left), right: hidden(node.right) };
    }
    return node.left.kind === "empty"
      ? { kind: "inner", left: { kind: "empty" }, right: this.#known(node.right, form) }
      : { kind: "inner", left: this.#known(node.left, form), right: hidden(node.right) };
  }

  /** The siblings of a leaf on one side, from the leaf up, or nothing where all are empty. */
  #outside(path: Uint8Array, bit: number): Uint8Array[] | undefined {
    const { siblings } = this.pathProof(path, "hashed");
    const outside = siblings.filter((_, i) => bitAt(path, siblings.length - 1 - i) === bit);
    const isEmpty = outside.every((sibling) => equalBytes(sibling, this.scheme.placeholder));
    return isEmpty ? undefined : outside;
  }

  #build(entries: readonly ProvenEntry[], depth: number): NaiveNode {
    const [first] = entries;
    if (first === undefined) return { kind: "empty", hash: this.scheme.placeholder };
    const hash = new Uint8Array(32);
    if (entries.length === 1) {
      const pair = concatBytes([first.path, this.scheme.hashValue(first.value)]);
      this.scheme.hashLeaves(pair, 1, hash);
      return { kind: "leaf", hash, entry: first };
    }
    const left = this.#build(
      entries.filter(({ path }) => bitAt(path, depth) === 0),
      depth + 1,
    );
    const right = this.#build(
      entries.filter(({ path }) => bitAt(path, depth) === 1),
      depth + 1,
    );
    this.scheme.hashInners(concatBytes([left.hash, right.hash]), 1, hash);
    return { kind: "inner", hash, left, right };
  }
}

function split(paths: readonly Uint8Array[], depth: number): [Uint8Array[], Uint8Array[]] {
  return [
    paths.filter((path) => bitAt(path, depth) === 0),
    paths.filter((path) => bitAt(path, depth) === 1),
  ];
}

/** A path of 32 bytes that begins with some bits, written as text; the rest is 0 or random. */
export function pathOf(bits: string, rest: Uint8Array = new Uint8Array(32)): Uint8Array {
  const path = new Uint8Array(rest);
  for (const [i, bit] of bits.split("").entries()) {
    const mask = 128 >>> (i & 7);
    const byte = path[i >>> 3] as number;
    path[i >>> 3] = bit === "1" ? byte | mask : byte & ~mask;
  }
  return path;
}

/** The code that a call fails with, or `undefined` if it succeeds. What has no code is thrown on. */
export function codeOf(call: () => unknown): string | undefined {
  try {
    call();
    return undefined;
  } catch (error) {
    const { code } = error as { readonly code?: string };
    if (code === undefined) throw error;
    return code;
  }
}

/** What a call gives, or the code it fails with. */
export function outcomeOf(call: () => unknown): unknown {
  let result: unknown;
  return codeOf(() => (result = call())) ?? result;
}
