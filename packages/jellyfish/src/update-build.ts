import { type Bytes } from "@x/store";
import { ByteSlab } from "./byte-slab.ts";
import { type TreeContext } from "./context.ts";
import { type Draft, type NewLeaf } from "./draft.ts";
import {
  ALL_SLOTS,
  copyBlock,
  HEAP_SIZE,
  HeapHasher,
  INNER_SIZE,
  placeChildren,
  type HeapShape,
} from "./inner-hash.ts";
import { type LoadedNode, loadedSize } from "./node-cache.ts";
import { type InternalNode } from "./node.ts";
import { PATH_SIZE } from "./path.ts";
import { bitCount, indexOfSlot, isSingle, lowestSlot } from "./slots.ts";

/** Up to so many leaves are hashed again in no more pairs than four levels take: their inner hashes are not worth keeping. */
const SMALL_COUNT_MAX = 4;
/** Nodes hashed in one pack: enough to pay for the call, few enough to stay in the processor's cache. */
const PACK_COUNT_MAX = 512;

const NO_CHILDREN: Pick<InternalNode, "existence" | "hashes"> = {
  existence: 0,
  hashes: new Uint8Array(0),
};

/** Turns a plan into nodes, from the deepest level up, each level hashed in packs. */
export class UpdateBuild {
  readonly nodes: [hash: Bytes, bytes: Bytes][] = [];
  readonly staleInternals: Uint8Array[] = [];
  byteCount = 0;
  readonly #context: TreeContext;
  readonly #hasher: HeapHasher;
  /** Memory of this update alone. */
  readonly #scratch = new ByteSlab();
  /** Memory of the result: nodes' bytes. */
  readonly #slab = new ByteSlab();
  readonly #take = (size: number): Bytes => this.#slab.take(size);
  #heaps = new Uint8Array(0);
  #room: number;
  #loaded: LoadedNode[] = [];
  /** How many of `#loaded` did not fit. */
  #forgotten = 0;

  constructor(context: TreeContext) {
    this.#context = context;
    this.#hasher = new HeapHasher(context.scheme, this.#scratch);
    this.#room = context.cache?.byteCountMax ?? 0;
  }

  /** New internal nodes with their inner hashes, for a cache: the youngest that fit its budget. */
  get loaded(): LoadedNode[] {
    return this.#loaded.slice(this.#forgotten);
  }

  /** Hashes new leaves in packs, and encodes them. */
  addLeaves(leaves: readonly NewLeaf[]): void {
    const { scheme, format } = this.#context;
    const pairs = this.#scratch.take(64 * Math.min(leaves.length, PACK_COUNT_MAX));
    for (let from = 0; from < leaves.length; from += PACK_COUNT_MAX) {
      const pack = leaves.slice(from, from + PACK_COUNT_MAX);
      const hashes = this.#slab.take(PATH_SIZE * pack.length);
      for (let index = 0; index < pack.length; index++) {
        const { path, value } = pack[index] as NewLeaf;
        copyBlock(path, 0, pairs, index * 64, PATH_SIZE);
        copyBlock(scheme.hashValue(value), 0, pairs, index * 64 + PATH_SIZE, PATH_SIZE);
      }
      scheme.hashLeaves(pairs, pack.length, hashes, 0);
      for (let index = 0; index < pack.length; index++) {
        const leaf = pack[index] as NewLeaf;
        const hash = hashes.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE);
        leaf.hash = hash;
        const { path, value, key } = leaf;
        this.#add(hash, format.encode({ kind: "leaf", path, value, key }, this.#take));
      }
    }
  }

  /** Settles the drafts of one level in their parents. All deeper levels are settled. */
  addLevel(drafts: readonly Draft[]): void {
    let pack: Draft[] = [];
    for (const draft of drafts) {
      if (draft.touched === 0) continue;
      if (draft.old !== undefined) this.staleInternals.push(draft.old.hash);
      if (draft.existence === 0) draft.parent.settle(draft.slot, undefined);
      else if (draft.existence === draft.leaves && isSingle(draft.leaves))
        draft.parent.settle(draft.slot, draft.onlyChild());
      else pack.push(draft);
      if (pack.length === PACK_COUNT_MAX) {
        this.#addPack(pack);
        pack = [];
      }
    }
    if (pack.length > 0) this.#addPack(pack);
  }

  #addPack(drafts: readonly Draft[]): void {
    if (this.#heaps.length < drafts.length * HEAP_SIZE)
      this.#heaps = this.#scratch.take(drafts.length * HEAP_SIZE);
    const shapes = drafts.map((draft, index) => this.#fill(draft, index * HEAP_SIZE));
    this.#hasher.hash(this.#heaps, shapes);
    for (let i = 0; i < drafts.length; i++) this.#finish(drafts[i] as Draft, i * HEAP_SIZE);
  }

  /** Puts what is known into the heap at `base`: the old node's hashes, then those of changed slots. */
  #fill(draft: Draft, base: number): HeapShape {
    const heaps = this.#heaps;
    const { placeholder } = this.#context.scheme;
    const { old, existence, leaves } = draft;
    const node = (old?.node ?? NO_CHILDREN) as InternalNode;
    placeChildren(heaps, base, node, placeholder);
    const inner = old?.inner;
    if (inner !== undefined) heaps.set(inner, base);
    for (let rest = draft.touched; rest !== 0; rest &= rest - 1) {
      const slot = lowestSlot(rest);
      const hash = ((existence >>> slot) & 1) === 0 ? placeholder : draft.changedAt(slot).hash;
      copyBlock(hash, 0, heaps, base + INNER_SIZE + slot * PATH_SIZE, PATH_SIZE);
    }
    return { existence, leaves, touched: inner === undefined ? 0xffff : draft.touched };
  }

  /** Reads the node out of the hashed heap at `base`. */
  #finish(draft: Draft, base: number): void {
    const heaps = this.#heaps;
    const { existence, leaves } = draft;
    const hashes = this.#hashesOf(existence, base);
    const { counts, count } = this.#countLeaves(draft);
    const node: InternalNode = { kind: "internal", existence, leaves, hashes, counts };
    const hash = this.#slab.take(PATH_SIZE);
    copyBlock(heaps, base + PATH_SIZE, hash, 0, PATH_SIZE);
    this.#add(hash, this.#context.format.encode(node, this.#take));
    draft.parent.settle(draft.slot, { hash, isLeaf: false, count });
    if (this.#context.cache === undefined) return;
    const isSmall = leaves === existence && hashes.length <= SMALL_COUNT_MAX * PATH_SIZE;
    const inner = isSmall ? undefined : this.#scratch.copy(heaps.subarray(base, base + INNER_SIZE));
    this.#remember({ hash, node, inner });
  }

  /** The hashes of the children in the heap at `base`, without gaps. */
  #hashesOf(existence: number, base: number): Uint8Array {
    const heaps = this.#heaps;
    const first = base + INNER_SIZE;
    if (existence === ALL_SLOTS) return this.#scratch.copy(heaps.subarray(first, base + HEAP_SIZE));
    const hashes = this.#scratch.take(bitCount(existence) * PATH_SIZE);
    let end = 0;
    for (let rest = existence; rest !== 0; rest &= rest - 1, end += PATH_SIZE)
      copyBlock(heaps, first + lowestSlot(rest) * PATH_SIZE, hashes, end, PATH_SIZE);
    return hashes;
  }

  #countLeaves(draft: Draft): { counts: number[] | undefined; count: number } {
    if (!this.#context.format.counts) return { counts: undefined, count: Number.NaN };
    const { existence, touched } = draft;
    const old = draft.old?.node as InternalNode | undefined;
    const counts: number[] = [];
    let count = 0;
    for (let rest = existence; rest !== 0; rest &= rest - 1) {
      const slot = lowestSlot(rest);
      const isTouched = ((touched >>> slot) & 1) === 1;
      const below = isTouched
        ? draft.changedAt(slot).count
        : (old?.counts?.[indexOfSlot(old.existence, slot)] as number);
      counts.push(below);
      count += below;
    }
    return { counts, count };
  }

  /** Upper levels are the hotter ones and come last: what does not fit falls out at the front. */
  #remember(loaded: LoadedNode): void {
    this.#loaded.push(loaded);
    this.#room -= loadedSize(loaded);
    while (this.#room < 0 && this.#forgotten < this.#loaded.length)
      this.#room += loadedSize(this.#loaded[this.#forgotten++] as LoadedNode);
    if (2 * this.#forgotten <= this.#loaded.length) return;
    this.#loaded = this.#loaded.slice(this.#forgotten);
    this.#forgotten = 0;
  }

  #add(hash: Bytes, bytes: Bytes): void {
    this.nodes.push([hash, bytes]);
    this.byteCount += bytes.length;
  }
}
