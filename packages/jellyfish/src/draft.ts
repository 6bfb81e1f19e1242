import { childAt } from "./child.ts";
import { type LoadedNode } from "./node-cache.ts";
import { type InternalNode } from "./node.ts";
import { lowestSlot } from "./slots.ts";

/** A subtree as its parent will name it. */
export interface Subtree {
  /** 32 bytes; of a new leaf only once leaves are hashed. */
  readonly hash: Uint8Array;
  readonly isLeaf: boolean;
  /** Leaves below; NaN where the node format does not count. */
  readonly count: number;
}

/** A leaf on its way to its place: new, or an old one that has to move. */
export interface PlacedLeaf extends Subtree {
  readonly path: Uint8Array;
}

/** A leaf that a batch makes. */
export class NewLeaf implements PlacedLeaf {
  hash: Uint8Array = NO_HASH;
  readonly isLeaf = true;
  readonly count = 1;
  readonly path: Uint8Array;
  readonly value: Uint8Array;
  readonly key: Uint8Array | undefined;

  constructor(path: Uint8Array, value: Uint8Array, key: Uint8Array | undefined) {
    this.path = path;
    this.value = value;
    this.key = key;
  }
}

const NO_HASH = new Uint8Array(0);

/** Where a changed subtree is reported to: its parent's draft, or the root of the whole. */
export interface Parent {
  /** The subtree in a slot is now this one; `undefined`: nothing is left of it. Called once for a changed slot. */
  settle(slot: number, subtree: Subtree | undefined): void;
}

/** What a slot has become. */
interface Settled {
  readonly slot: number;
  readonly subtree: Subtree;
  readonly next: Settled | undefined;
}

/** An internal node that may change: what it was, and what its slots have become. */
export class Draft implements Parent {
  readonly parent: Parent;
  readonly slot: number;
  /** As it was; `undefined`: the batch makes it. */
  readonly old: LoadedNode | undefined;
  existence: number;
  leaves: number;
  /** Slots that changed. */
  touched = 0;
  /** Nearly always one or two: a list is smaller than an array. */
  #settled: Settled | undefined;

  constructor(parent: Parent, slot: number, old: LoadedNode | undefined) {
    this.parent = parent;
    this.slot = slot;
    this.old = old;
    const node = old?.node as InternalNode | undefined;
    this.existence = node?.existence ?? 0;
    this.leaves = node?.leaves ?? 0;
  }

  settle(slot: number, subtree: Subtree | undefined): void {
    const bit = 1 << slot;
    this.touched |= bit;
    this.existence &= ~bit;
    this.leaves &= ~bit;
    if (subtree === undefined) return;
    this.existence |= bit;
    if (subtree.isLeaf) this.leaves |= bit;
    this.#settled = { slot, subtree, next: this.#settled };
  }

  /** The changed subtree in a touched slot that has one. */
  changedAt(slot: number): Subtree {
    let settled = this.#settled as Settled;
    while (settled.slot !== slot) settled = settled.next as Settled;
    return settled.subtree;
  }

  /** The one child that is left. */
  onlyChild(): Subtree {
    const slot = lowestSlot(this.existence);
    if (((this.touched >>> slot) & 1) === 1) return this.changedAt(slot);
    const child = childAt(this.old?.node as InternalNode, slot);
    if (child === undefined) throw new RangeError(`slot ${slot} is empty`);
    return { hash: child.hash, isLeaf: child.isLeaf, count: child.count ?? Number.NaN };
  }
}
