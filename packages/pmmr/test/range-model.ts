import { blake2b256, toHex } from "@x/hash";

const hasher = blake2b256();

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), false);
  return bytes;
}

/** BLAKE2b-256 of the position and the parts: the rule for every kind of node. */
export function naiveHash(pos0: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const all = [u64(pos0), ...parts];
  const message = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of all) {
    message.set(part, offset);
    offset += part.length;
  }
  return hasher.hash(message);
}

/** One leaf of the model. `id` counts every leaf ever made, so it names all leaves up to this one. */
interface ModelLeaf {
  readonly id: number;
  readonly element: Uint8Array;
}

/** A node as it lies in the list of all nodes. */
export interface ModelNode {
  readonly height: number;
  /** Index of the first leaf below. */
  readonly first: number;
}

/** What a commit keeps. */
interface Saved {
  readonly leaves: readonly ModelLeaf[];
  readonly spent: ReadonlySet<number>;
  readonly pruned: ReadonlySet<number>;
}

/**
 * The slow truth: a list of leaves, the set of those spent and the set of those pruned away. Trees, hashes, roots and what
 * is stored all follow from these by recursion over the list; there is no arithmetic on positions.
 */
export class RangeModel {
  leaves: ModelLeaf[] = [];
  spent = new Set<number>();
  pruned = new Set<number>();
  #saved: Saved = { leaves: [], spent: new Set(), pruned: new Set() };
  #nextId = 0;
  /** Hash of the perfect subtree of a height that ends with a leaf: it can never change. */
  readonly #hashes = new Map<string, Uint8Array>();
  #order: { readonly leafTotal: number; readonly nodes: ModelNode[] } = { leafTotal: 0, nodes: [] };

  /** All nodes in the order in which they come into being. */
  get nodes(): readonly ModelNode[] {
    if (this.#order.leafTotal !== this.leaves.length) {
      this.#order = { leafTotal: this.leaves.length, nodes: nodesOf(this.leaves.length) };
    }
    return this.#order.nodes;
  }

  get size(): number {
    return this.nodes.length;
  }

  push(element: Uint8Array): void {
    this.leaves.push({ id: this.#nextId++, element });
  }

  node(pos0: number): ModelNode {
    const node = this.nodes[pos0];
    if (node === undefined) throw new RangeError(`no node at ${pos0}`);
    return node;
  }

  hash(pos0: number): Uint8Array {
    const { height, first } = this.node(pos0);
    const leaf = this.leaves[first + 2 ** height - 1];
    if (leaf === undefined) throw new RangeError(`no leaf below ${pos0}`);
    const key = `${leaf.id}/${height}`;
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const hash =
      height === 0
        ? naiveHash(pos0, leaf.element)
        : naiveHash(pos0, this.hash(pos0 - 2 ** height), this.hash(pos0 - 1));
    this.#hashes.set(key, hash);
    return hash;
  }

  /** Positions of the peaks: nodes that no later node has below it. */
  peaks(): number[] {
    const peaks: number[] = [];
    for (let pos0 = this.size - 1; 0 <= pos0;) {
      peaks.unshift(pos0);
      pos0 -= 2 ** (this.node(pos0).height + 1) - 1;
    }
    return peaks;
  }

  root(): Uint8Array {
    const [last, ...others] = this.peaks().toReversed();
    if (last === undefined) return new Uint8Array(32);
    return others.reduce(
      (bagged, peak) => naiveHash(this.size, this.hash(peak), bagged),
      this.hash(last),
    );
  }

  /** Position of the leaf with this index. */
  leafPosition(index: number): number {
    const pos0 = this.nodes.findIndex((node) => node.height === 0 && node.first === index);
    if (pos0 < 0) throw new RangeError(`no leaf ${index}`);
    return pos0;
  }

  /** Whether every leaf below is pruned. */
  isPruned(pos0: number): boolean {
    const { height, first } = this.node(pos0);
    for (let i = first; i < first + 2 ** height; i++) if (!this.pruned.has(i)) return false;
    return true;
  }

  /** Whether a node's hash, or a leaf's record, is stored: unless its parent is there and pruned as a whole. */
  isStored(pos0: number): boolean {
    const parent = this.parent(pos0);
    return parent === undefined || !this.isPruned(parent);
  }

  /** Position of the parent, if it exists. */
  parent(pos0: number): number | undefined {
    const { height, first } = this.node(pos0);
    const from = first - (first % 2 ** (height + 1));
    const parent = this.nodes.findIndex(
      (node) => node.height === height + 1 && node.first === from,
    );
    return parent < 0 ? undefined : parent;
  }

  isUnspent(pos0: number): boolean {
    const { height, first } = this.node(pos0);
    return height === 0 && !this.spent.has(first);
  }

  /** Leaf indexes of unspent leaves. */
  unspent(): number[] {
    return [...this.leaves.keys()].filter((index) => !this.spent.has(index));
  }

  /** Whether a cut down to so many leaves goes through a subtree that is pruned as a whole. */
  cutsPruned(leafTotal: number): boolean {
    return this.nodes.some(
      ({ height, first }, pos0) =>
        first < leafTotal && leafTotal < first + 2 ** height && this.isPruned(pos0),
    );
  }

  rewind(leafTotal: number, restored: readonly number[]): void {
    this.leaves.length = leafTotal;
    this.spent = new Set([...this.spent].filter((index) => index < leafTotal));
    this.pruned = new Set([...this.pruned].filter((index) => index < leafTotal));
    for (const index of restored) this.spent.delete(index);
  }

  /** Prunes what is spent below a horizon (a size) and not restorable (leaf indexes). */
  compact(horizon: number, restorable: ReadonlySet<number>): void {
    for (const index of this.spent) {
      if (this.leafPosition(index) < horizon && !restorable.has(index)) this.pruned.add(index);
    }
  }

  commit(): void {
    this.#saved = {
      leaves: [...this.leaves],
      spent: new Set(this.spent),
      pruned: new Set(this.pruned),
    };
  }

  discard(): void {
    this.leaves = [...this.#saved.leaves];
    this.spent = new Set(this.#saved.spent);
    this.pruned = new Set(this.#saved.pruned);
  }
}

/** Nodes of so many leaves: two neighbours of one height are followed by their parent. */
export function nodesOf(leafTotal: number): ModelNode[] {
  const nodes: ModelNode[] = [];
  const trees: ModelNode[] = [];
  for (let first = 0; first < leafTotal; first++) {
    let node: ModelNode = { height: 0, first };
    nodes.push(node);
    while (trees.at(-1)?.height === node.height) {
      const left = trees.pop();
      if (left === undefined) break;
      node = { height: node.height + 1, first: left.first };
      nodes.push(node);
    }
    trees.push(node);
  }
  return nodes;
}

/** For comparing: hex, or nothing. */
export function hexOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes === undefined ? undefined : toHex(bytes);
}
