import { equalBytes } from "@x/hash";
import type { MmrHashing } from "../hashing.ts";
import { heightOf, leftmostLeaf, peaks } from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import type { FolderView } from "./folder.ts";
import { PruneList } from "./prune-list.ts";

/**
 * Finds out which subtrees are missing from a hash file, when the list of them is lost or older than the file.
 *
 * A node's hash tells by itself whether its children are stored: only then do the two hashes before it, at their places, make
 * it. So the file is read from its end, tree by tree, each node tried first with children and then without. A node with an
 * unspent leaf below always has its children. One pass over the stored hashes; a wrong size fails at the first such node.
 *
 * Pruned leaves are not found this way, since they keep their hashes; forgetting them shifts nothing.
 */
export function recoverRoots(input: RecoverInput): PruneList | undefined {
  const search = new Search(input);
  const roots = search.run();
  if (roots === undefined) return undefined;
  const found = PruneList.from(roots.toSorted((a, b) => a - b).map((pos0) => pos0 + 1));
  const kept = [...input.known.roots1()].filter((root1) => !found.isPruned(root1 - 1));
  const merged = [...found.roots1(), ...kept].toSorted((a, b) => a - b);
  return PruneList.from(merged);
}

export interface RecoverInput {
  readonly view: FolderView;
  readonly hashFile: string;
  readonly hashCount: number;
  /** The size that the file is supposed to have. */
  readonly size: number;
  /** 1-based positions of unspent leaves, by rank. */
  readonly unspent: { rank(pos1: number): number };
  /** Roots known to be pruned already. */
  readonly known: PruneList;
  readonly hashing: MmrHashing;
  /** Nodes that may still be tried; counted down. */
  readonly budget: { steps: number };
}

/** Hashes kept in memory around the last one read. */
const WINDOW_HASHES = 4096;

class Search {
  readonly #input: RecoverInput;
  readonly #roots: number[] = [];
  #window: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #windowBegin = 0;

  constructor(input: RecoverInput) {
    this.#input = input;
  }

  run(): number[] | undefined {
    let index: number | undefined = this.#input.hashCount - 1;
    for (const peak of peaks(this.#input.size).toReversed()) {
      index = this.#resolve(peak, heightOf(peak), index);
      if (index === undefined) return undefined;
    }
    return index === -1 ? this.#roots : undefined;
  }

  /**
   * Consumes the stored nodes of a subtree, of which the last, its root, is record `index`.
   *
   * @returns the record before the first of them, or `undefined` if the file cannot hold this subtree here. Depth is the
   *   height, at most 32.
   */
  #resolve(pos0: number, height: number, index: number): number | undefined {
    if (index < 0 || this.#input.budget.steps-- <= 0) return undefined;
    if (height === 0) return index - 1;
    if (this.#input.known.isRoot(pos0)) return this.#take(pos0, index);
    const rootsBefore = this.#roots.length;
    const before = this.#resolveChildren(pos0, height, index);
    if (before !== undefined) return before;
    this.#roots.length = rootsBefore;
    return this.#hasUnspent(pos0) ? undefined : this.#take(pos0, index);
  }

  #resolveChildren(pos0: number, height: number, index: number): number | undefined {
    const leftIndex = this.#resolve(pos0 - 1, height - 1, index - 1);
    if (leftIndex === undefined) return undefined;
    const before = this.#resolve(pos0 - 2 ** height, height - 1, leftIndex);
    if (before === undefined) return undefined;
    const made = this.#input.hashing.hashInner(pos0, this.#hash(leftIndex), this.#hash(index - 1));
    return equalBytes(made, this.#hash(index)) ? before : undefined;
  }

  #take(root: number, index: number): number {
    this.#roots.push(root);
    return index - 1;
  }

  #hasUnspent(pos0: number): boolean {
    const { unspent } = this.#input;
    return unspent.rank(pos0 + 1) > unspent.rank(leftmostLeaf(pos0));
  }

  #hash(index: number): Uint8Array<ArrayBuffer> {
    const begin = this.#windowBegin;
    if (index < begin || begin + this.#window.length / HASH_SIZE <= index) {
      this.#windowBegin = Math.max(0, index - WINDOW_HASHES + 1);
      const length = HASH_SIZE * (index - this.#windowBegin + 1);
      const { view, hashFile } = this.#input;
      this.#window = view.read(hashFile, HASH_SIZE * this.#windowBegin, length);
    }
    const at = HASH_SIZE * (index - this.#windowBegin);
    return this.#window.slice(at, at + HASH_SIZE);
  }
}
