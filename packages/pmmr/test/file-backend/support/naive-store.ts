import { createHash } from "node:crypto";
import { blake2b256, concatBytes } from "@x/hash";

/** How nodes are hashed; by default as Grin does. */
export interface NaiveHashing {
  hashLeaf(pos0: number, hashForm: Uint8Array): Uint8Array;
  hashInner(pos0: number, left: Uint8Array, right: Uint8Array): Uint8Array;
}

const hasher = blake2b256();

const GRIN: NaiveHashing = {
  hashLeaf: (pos0, hashForm) => hasher.hash(join([u64(pos0), hashForm])),
  hashInner: (pos0, left, right) => hasher.hash(join([u64(pos0), left, right])),
};

/**
 * The slow truth: a mountain range as a list of leaves and a set, and its five files written from scratch.
 *
 * Nothing here shares code with the package but the hash function: trees are built by merging equal heights, pruned
 * subtrees are found by looking at every node, and files are written whole from the state.
 */

/** One node of the whole range, pruned or not. Positions are 0-based. */
export interface NaiveNode {
  readonly height: number;
  /** Index of the first leaf below. */
  readonly leafBegin: number;
  /** Index after the last leaf below. */
  readonly leafEnd: number;
  readonly left: number;
  readonly right: number;
  readonly hash: Uint8Array;
}

interface NaiveLeaf {
  readonly record: Uint8Array;
  readonly hashForm: Uint8Array;
  unspent: boolean;
  /** Gone for good: at or below a pruned root. */
  pruned: boolean;
}

/** File names and their bytes. */
export type Files = Record<string, Uint8Array>;

export interface NaiveOptions {
  readonly prunable: boolean;
  readonly variable?: boolean;
}

export class NaiveStore {
  readonly #options: NaiveOptions;
  #leaves: NaiveLeaf[] = [];
  #nodes: NaiveNode[] = [];

  readonly #hashing: NaiveHashing;

  constructor(options: NaiveOptions, hashing: NaiveHashing = GRIN) {
    this.#options = options;
    this.#hashing = hashing;
  }

  clone(): NaiveStore {
    const copy = new NaiveStore(this.#options, this.#hashing);
    copy.#leaves = this.#leaves.map((leaf) => ({ ...leaf }));
    copy.#nodes = [...this.#nodes];
    return copy;
  }

  get size(): number {
    return this.#nodes.length;
  }

  get leafCount(): number {
    return this.#leaves.length;
  }

  node(pos0: number): NaiveNode | undefined {
    return this.#nodes[pos0];
  }

  /** Position of leaf `index`. */
  leafPosition(index: number): number {
    return sizeOfLeaves(index);
  }

  leafAt(pos0: number): number | undefined {
    const node = this.#nodes[pos0];
    return node !== undefined && node.height === 0 ? node.leafBegin : undefined;
  }

  isUnspent(leafIndex: number): boolean {
    return this.#leaves[leafIndex]?.unspent ?? false;
  }

  isPruned(leafIndex: number): boolean {
    return this.#leaves[leafIndex]?.pruned ?? false;
  }

  /** Record of a leaf that is still stored. */
  record(leafIndex: number): Uint8Array | undefined {
    const pos0 = this.leafPosition(leafIndex);
    return this.#isStored(pos0) ? this.#leaves[leafIndex]?.record : undefined;
  }

  hash(pos0: number): Uint8Array | undefined {
    return this.#isStored(pos0) ? this.#nodes[pos0]?.hash : undefined;
  }

  push(record: Uint8Array, hashForm: Uint8Array = record): void {
    this.#addLeaf({ record, hashForm, unspent: true, pruned: false });
  }

  /** Adds `hidden.length` (a power of two) leaves as one pruned subtree; returns its root's position and hash. */
  pushPruned(hidden: readonly Uint8Array[]): { pos0: number; hash: Uint8Array } {
    const begin = this.#leaves.length;
    for (const bytes of hidden) {
      this.#addLeaf({ record: bytes, hashForm: bytes, unspent: false, pruned: true });
    }
    const pos0 = this.#nodes.findIndex(
      (node) => node.leafBegin === begin && node.leafEnd === begin + hidden.length,
    );
    const hash = this.#nodes[pos0]?.hash;
    if (hash === undefined) throw new Error("not one subtree");
    return { pos0, hash };
  }

  spend(leafIndex: number): boolean {
    const leaf = this.#leaves[leafIndex];
    if (leaf === undefined || !leaf.unspent) return false;
    leaf.unspent = false;
    return true;
  }

  /** Whether a pruned root has leaves on both sides of the new end. */
  canRewind(leafCount: number): boolean {
    return !this.roots().some((pos0) => {
      const node = this.#nodes[pos0];
      return node !== undefined && node.leafBegin < leafCount && leafCount < node.leafEnd;
    });
  }

  rewind(leafCount: number, restored: Iterable<number> = []): void {
    this.#leaves.length = leafCount;
    this.#nodes = this.#nodes.slice(0, sizeOfLeaves(leafCount));
    for (const leafIndex of restored) {
      const leaf = this.#leaves[leafIndex];
      if (leaf === undefined || leaf.pruned) throw new Error(`cannot restore ${leafIndex}`);
      leaf.unspent = true;
    }
  }

  /** Prunes every spent leaf at a 0-based position below `cutoff` that is not in `restorable` (0-based positions). */
  compact(cutoff: number, restorable: Iterable<number> = []): void {
    const kept = new Set(restorable);
    for (const [pos0, node] of this.#nodes.entries()) {
      const leaf = node.height === 0 ? this.#leaves[node.leafBegin] : undefined;
      if (leaf !== undefined && pos0 < cutoff && !leaf.unspent && !kept.has(pos0)) {
        leaf.pruned = true;
      }
    }
  }

  /** Makes exactly these leaf indexes unspent. */
  useUnspent(unspent: ReadonlySet<number | undefined>): void {
    for (const [index, leaf] of this.#leaves.entries()) leaf.unspent = unspent.has(index);
  }

  /** 0-based positions of the maximal fully pruned subtrees, ascending. */
  roots(): number[] {
    const roots: number[] = [];
    for (const [pos0, node] of this.#nodes.entries()) {
      if (this.#isAllPruned(node) && !this.#hasPrunedParent(pos0)) roots.push(pos0);
    }
    return roots;
  }

  root(): Uint8Array {
    const peaks = this.peaks();
    let bag = peaks.pop();
    if (bag === undefined) return new Uint8Array(32);
    for (const peak of peaks.toReversed()) bag = this.#hashing.hashInner(this.size, peak, bag);
    return bag;
  }

  peaks(): Uint8Array[] {
    const parents = new Set<number>();
    for (const node of this.#nodes) parents.add(node.left).add(node.right);
    return this.#nodes.filter((_, pos0) => !parents.has(pos0)).map((node) => node.hash);
  }

  /** The five files (or those of them this kind of store has) as they must be at rest. */
  files(): Files {
    const stored = [...this.#nodes.entries()].filter(([pos0]) => this.#isStored(pos0));
    const leaves = stored.filter(([, node]) => node.height === 0);
    const records = leaves.map(([, node]) => this.#leaves[node.leafBegin]?.record ?? fail());
    const files: Files = {
      "pmmr_hash.bin": join(stored.map(([, node]) => node.hash)),
      "pmmr_data.bin": join(records),
      "pmmr_prun.bin": writeBitmap(this.roots().map((pos0) => pos0 + 1)),
    };
    if (this.#options.variable === true) files["pmmr_size.bin"] = sizeFile(records);
    if (this.#options.prunable) files["pmmr_leaf.bin"] = writeBitmap(this.unspentPositions1());
    return files;
  }

  unspentPositions1(): number[] {
    return [...this.#nodes.entries()]
      .filter(([, node]) => node.height === 0 && this.isUnspent(node.leafBegin))
      .map(([pos0]) => pos0 + 1);
  }

  #addLeaf(leaf: NaiveLeaf): void {
    const index = this.#leaves.length;
    const pos0 = this.#nodes.length;
    this.#leaves.push(leaf);
    const hash = this.#hashing.hashLeaf(pos0, leaf.hashForm);
    this.#nodes.push({
      height: 0,
      leafBegin: index,
      leafEnd: index + 1,
      left: -1,
      right: -1,
      hash,
    });
    this.#mergeEnd();
  }

  /** While the last two trees are equally high, a parent joins them. */
  #mergeEnd(): void {
    for (;;) {
      const right = this.#nodes.length - 1;
      const rightNode = this.#nodes[right] ?? fail();
      const left = right - (2 ** (rightNode.height + 1) - 1);
      const leftNode = this.#nodes[left];
      if (leftNode === undefined || leftNode.height !== rightNode.height) return;
      this.#nodes.push({
        height: rightNode.height + 1,
        leafBegin: leftNode.leafBegin,
        leafEnd: rightNode.leafEnd,
        left,
        right,
        hash: this.#hashing.hashInner(this.#nodes.length, leftNode.hash, rightNode.hash),
      });
    }
  }

  #isAllPruned(node: NaiveNode): boolean {
    for (let i = node.leafBegin; i < node.leafEnd; i++) if (!this.isPruned(i)) return false;
    return true;
  }

  /** Parents come later: the parent of a node is the first later node that spans it. */
  #parent(pos0: number): NaiveNode | undefined {
    const { height } = this.#nodes[pos0] ?? fail();
    const asRight = this.#nodes[pos0 + 1];
    if (asRight !== undefined && asRight.right === pos0) return asRight;
    const asLeft = this.#nodes[pos0 + 2 ** (height + 1)];
    return asLeft !== undefined && asLeft.left === pos0 ? asLeft : undefined;
  }

  #hasPrunedParent(pos0: number): boolean {
    const parent = this.#parent(pos0);
    return parent !== undefined && this.#isAllPruned(parent);
  }

  #isStored(pos0: number): boolean {
    return pos0 < this.#nodes.length && !this.#hasPrunedParent(pos0);
  }
}

/** Nodes in a range of `leafCount` leaves, by counting trees. */
export function sizeOfLeaves(leafCount: number): number {
  let size = 0;
  for (let rest = leafCount; rest > 0;) {
    let tree = 1;
    while (tree * 2 <= rest) tree *= 2;
    size += 2 * tree - 1;
    rest -= tree;
  }
  return size;
}

export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}

export function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concatBytes(parts);
}

/** SHA-256 over names and bytes: equal folders have equal digests. */
export function digestOf(files: Files): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).toSorted()) {
    const bytes = files[name] ?? fail();
    hash.update(`${name} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

function sizeFile(records: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(10 * records.length);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const [i, record] of records.entries()) {
    view.setBigUint64(10 * i, BigInt(offset));
    view.setUint16(10 * i + 8, record.length);
    offset += record.length;
  }
  return bytes;
}

/** The portable bitmap format without run containers, written from its description. */
export function writeBitmap(values: readonly number[]): Uint8Array<ArrayBuffer> {
  const containers = new Map<number, number[]>();
  for (const value of values) {
    const key = Math.floor(value / 65_536);
    containers.set(key, [...(containers.get(key) ?? []), value % 65_536]);
  }
  const keys = [...containers.keys()].toSorted((a, b) => a - b);
  const head = new Uint8Array(8 + 8 * keys.length);
  const view = new DataView(head.buffer);
  view.setUint32(0, 12_346, true);
  view.setUint32(4, keys.length, true);
  const bodies: Uint8Array[] = [];
  let offset = head.length;
  for (const [i, key] of keys.entries()) {
    const low = containers.get(key) ?? fail();
    const body = low.length <= 4096 ? arrayBody(low) : bitsetBody(low);
    view.setUint16(8 + 4 * i, key, true);
    view.setUint16(8 + 4 * i + 2, low.length - 1, true);
    view.setUint32(8 + 4 * keys.length + 4 * i, offset, true);
    offset += body.length;
    bodies.push(body);
  }
  return join([head, ...bodies]);
}

function arrayBody(values: readonly number[]): Uint8Array {
  const body = new Uint8Array(2 * values.length);
  const view = new DataView(body.buffer);
  for (const [i, value] of values.entries()) view.setUint16(2 * i, value, true);
  return body;
}

function bitsetBody(values: readonly number[]): Uint8Array {
  const body = new Uint8Array(8192);
  for (const value of values) {
    const at = Math.floor(value / 8);
    body[at] = (body[at] ?? 0) | (1 << (value % 8));
  }
  return body;
}

function fail(): never {
  throw new Error("naive store is wrong");
}
