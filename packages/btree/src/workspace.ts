import { memoryOf } from "./node-cache.ts";
import { forEachLink, type Node } from "./node.ts";

/** A node that is in no batch yet. */
export interface Unsaved {
  node: Node;
  byteCount: number;
  /** In a staged write: its bytes are fixed, though not yet known to be stored. */
  isFrozen: boolean;
}

/**
 * What is in memory only: unsaved nodes, and who refers to what from memory.
 *
 * Invariants
 * 1. `references(id)` is how many pins and unsaved nodes refer to `id`, each mention once. It says nothing of saved nodes
 *    and of the owner's records: those are the counts in the store.
 * 2. An unsaved node without references is gone, and what it referred to has lost that reference; unless it is frozen.
 * 3. An unsaved node that is not frozen and has one reference is owned by whoever holds that reference, and may be
 *    replaced under the same id.
 */
export class Workspace {
  readonly #unsaved = new Map<number, Unsaved>();
  readonly #references = new Map<number, number>();
  #byteCount = 0;

  get unsavedNodeCount(): number {
    return this.#unsaved.size;
  }

  get unsavedByteCount(): number {
    return this.#byteCount;
  }

  unsaved(id: number): Unsaved | undefined {
    return this.#unsaved.get(id);
  }

  references(id: number): number {
    return this.#references.get(id) ?? 0;
  }

  /** Whether only one reference leads to `id` and its node was never part of a write. */
  isOwned(id: number): boolean {
    return this.#unsaved.get(id)?.isFrozen === false && this.#references.get(id) === 1;
  }

  refer(id: number): void {
    this.#references.set(id, (this.#references.get(id) ?? 0) + 1);
  }

  /** Takes back one reference; what nothing refers to any more goes, however deep. */
  unrefer(id: number): void {
    const pending = [id];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const left = this.references(next) - 1;
      if (left > 0) this.#references.set(next, left);
      else {
        this.#references.delete(next);
        if (this.#unsaved.get(next)?.isFrozen === false) this.#remove(next, pending);
      }
    }
  }

  /** A new unsaved node; nothing refers to it yet. */
  add(id: number, node: Node): void {
    const byteCount = memoryOf(node);
    this.#unsaved.set(id, { node, byteCount, isFrozen: false });
    this.#byteCount += byteCount;
    forEachLink(node, (link) => this.refer(link));
  }

  /** Other content for an owned node. References of its links are the caller's to keep. */
  replace(id: number, node: Node): void {
    const unsaved = this.#unsaved.get(id);
    if (unsaved === undefined) throw new TypeError(`node ${id} is not unsaved`);
    this.#byteCount -= unsaved.byteCount;
    unsaved.node = node;
    unsaved.byteCount = memoryOf(node);
    this.#byteCount += unsaved.byteCount;
  }

  /** Its bytes have been taken for a write. */
  freeze(id: number): void {
    const unsaved = this.#unsaved.get(id);
    if (unsaved !== undefined) unsaved.isFrozen = true;
  }

  /** The write it was part of succeeded: its links are the store's to count now. */
  saved(id: number): void {
    const unsaved = this.#unsaved.get(id);
    if (unsaved === undefined) return;
    this.#unsaved.delete(id);
    this.#byteCount -= unsaved.byteCount;
    forEachLink(unsaved.node, (link) => this.unrefer(link));
  }

  /** The write it was part of did not happen. */
  thaw(id: number): void {
    const unsaved = this.#unsaved.get(id);
    if (unsaved === undefined) return;
    unsaved.isFrozen = false;
    if (this.references(id) > 0) return;
    const pending: number[] = [];
    this.#remove(id, pending);
    for (const link of pending) this.unrefer(link);
  }

  #remove(id: number, pending: number[]): void {
    const unsaved = this.#unsaved.get(id);
    if (unsaved === undefined) return;
    this.#unsaved.delete(id);
    this.#byteCount -= unsaved.byteCount;
    forEachLink(unsaved.node, (link) => pending.push(link));
  }
}
