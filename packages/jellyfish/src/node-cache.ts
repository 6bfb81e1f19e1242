import { sameBytes } from "@x/store/adapter";
import { ByteSlab } from "./byte-slab.ts";
import { INNER_SIZE } from "./inner-hash.ts";
import { type Node } from "./node.ts";

/** A node as it was read or made. */
export interface LoadedNode {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly node: Node;
  /** Inner hashes of an internal node, if they are known: entries 1…15 of its heap, 32 bytes each, from byte 32. */
  readonly inner: Uint8Array | undefined;
}

/** How a {@link NodeCache} is bounded. */
export interface NodeCacheOptions {
  /** Most bytes of nodes, with an estimate for what the engine adds. Default: 64 MiB. */
  readonly byteCountMax?: number;
}

const BYTE_COUNT_MAX = 64 * 2 ** 20;
/** What the engine adds to a node: its objects and the entry of the map. An estimate. */
const OVERHEAD_SIZE = 400;

interface Entry {
  readonly loaded: LoadedNode;
  /** Read since it was last passed over. */
  isUsed: boolean;
}

/**
 * Decoded nodes by hash, within a byte budget. Hot internal nodes keep their inner hashes, so that a put costs four pair hashes
 * per level instead of fifteen.
 *
 * A node is named by its content, so a cached node is never wrong; but it may be gone from the store. Whoever deletes nodes
 * calls {@link delete} or {@link clear}, else a collected root still reads in part. One cache serves any number of trees of
 * one scheme and format.
 *
 * Entries are found by 30 bits of their hash; of two nodes that share them the younger stays. Evicted is the oldest that was
 * not read since it was last passed over.
 */
export class NodeCache {
  readonly byteCountMax: number;
  readonly #entries = new Map<number, Entry>();
  readonly #slab = new ByteSlab();
  #byteCount = 0;

  /** @throws RangeError if the budget is not a count */
  constructor(options: NodeCacheOptions = {}) {
    const { byteCountMax = BYTE_COUNT_MAX } = options;
    if (!Number.isSafeInteger(byteCountMax) || byteCountMax < 0)
      throw new RangeError(`byteCountMax is ${byteCountMax}, not a count of bytes`);
    this.byteCountMax = byteCountMax;
  }

  /** Bytes held now, estimated; at most the budget. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Nodes held now. */
  get nodeCount(): number {
    return this.#entries.size;
  }

  get(hash: Uint8Array): LoadedNode | undefined {
    const entry = this.#entries.get(slotOf(hash));
    if (entry === undefined || !sameBytes(entry.loaded.hash, hash)) return undefined;
    entry.isUsed = true;
    return entry.loaded;
  }

  /** Keeps a copy of a node, if it is not larger than the whole budget. @returns the copy */
  set(loaded: LoadedNode): LoadedNode {
    const copied = this.#copy(loaded);
    const size = loadedSize(copied);
    if (size > this.byteCountMax) return copied;
    const slot = slotOf(copied.hash);
    this.#drop(slot);
    this.#entries.set(slot, { loaded: copied, isUsed: false });
    this.#byteCount += size;
    if (this.#byteCount > this.byteCountMax) this.#evict();
    return copied;
  }

  delete(hash: Uint8Array): void {
    if (this.get(hash) !== undefined) this.#drop(slotOf(hash));
  }

  clear(): void {
    this.#entries.clear();
    this.#byteCount = 0;
  }

  #drop(slot: number): void {
    const entry = this.#entries.get(slot);
    if (entry === undefined) return;
    this.#byteCount -= loadedSize(entry.loaded);
    this.#entries.delete(slot);
  }

  #copy({ hash, node, inner }: LoadedNode): LoadedNode {
    const slab = this.#slab;
    const copied: Node =
      node.kind === "leaf"
        ? {
            kind: "leaf",
            path: slab.copy(node.path),
            value: slab.copy(node.value),
            key: node.key && slab.copy(node.key),
          }
        : { ...node, hashes: slab.copy(node.hashes) };
    return { hash: slab.copy(hash), node: copied, inner: inner && slab.copy(inner) };
  }

  /**
   * The map's order is the clock: what was used goes round once more, as a new copy, so that a chunk of the slab is given up
   * after one round at the latest. An eighth goes at once, for a map is slow to begin where entries were deleted.
   */
  #evict(): void {
    for (const [slot, entry] of this.#entries) {
      if (this.#byteCount <= this.byteCountMax * (7 / 8)) return;
      if (entry.isUsed) {
        this.#entries.delete(slot);
        this.#entries.set(slot, { loaded: this.#copy(entry.loaded), isUsed: false });
      } else this.#drop(slot);
    }
  }
}

/** Bytes a node is taken to occupy. */
export function loadedSize({ node, inner }: LoadedNode): number {
  const innerSize = inner === undefined ? 0 : INNER_SIZE;
  if (node.kind === "internal")
    return OVERHEAD_SIZE + node.hashes.length + innerSize + 8 * (node.counts?.length ?? 0);
  return OVERHEAD_SIZE + node.path.length + node.value.length + (node.key?.length ?? 0);
}

/** 30 bits of a hash: a small integer, which a `Map` finds fastest. */
function slotOf(hash: Uint8Array): number {
  const high = ((hash[0] as number) << 22) | ((hash[1] as number) << 14);
  return (high | ((hash[2] as number) << 6) | ((hash[3] as number) >>> 2)) & 0x3fffffff;
}
