import { heapOf, INNER_SIZE, slotsBelow } from "./inner-hash.ts";
import { type InternalNode } from "./node.ts";
import { PATH_SIZE } from "./path.ts";
import { type HashScheme } from "./scheme/scheme.ts";
import { indexOfSlot, isSingle, lowestSlot } from "./slots.ts";

/** A child of an internal node, as its parent knows it. */
export interface Child {
  readonly slot: number;
  /** A view of the parent's hashes. */
  readonly hash: Uint8Array;
  readonly isLeaf: boolean;
  /** Leaves below, where the node format counts them. */
  readonly count: number | undefined;
}

/** The child in a slot. */
export function childAt(node: InternalNode, slot: number): Child | undefined {
  if (((node.existence >>> slot) & 1) === 0) return undefined;
  const index = indexOfSlot(node.existence, slot);
  return {
    slot,
    hash: node.hashes.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE),
    isLeaf: ((node.leaves >>> slot) & 1) === 1,
    count: node.counts?.[index],
  };
}

/** Every child, slots ascending. */
export function childrenOf(node: InternalNode): Child[] {
  const children: Child[] = [];
  for (let rest = node.existence; rest !== 0; rest &= rest - 1)
    children.push(childAt(node, lowestSlot(rest)) as Child);
  return children;
}

/** What a proof needs of one internal node. */
export interface ChildAndSiblings {
  /** The child on the way to the nibble; a leaf may be at another slot, which proves the nibble's place empty. */
  readonly child: Child | undefined;
  /** The other half at each binary level walked, the top first; 1…4 hashes, fresh bytes. */
  readonly siblings: readonly Uint8Array[];
}

/**
 * Walks the binary tree inside a node towards a nibble, and stops where a subtree is empty or a single child.
 *
 * @param nibble - 0…15
 * @param inner - the node's inner hashes if they are known ({@link LoadedNode}); else up to 15 pair hashes are made
 * @throws RangeError if `nibble` is none
 */
export function childAndSiblings(
  node: InternalNode,
  nibble: number,
  scheme: HashScheme,
  inner?: Uint8Array,
): ChildAndSiblings {
  if (!Number.isInteger(nibble) || nibble < 0 || 15 < nibble)
    throw new RangeError(`nibble must be 0 to 15, got ${nibble}`);
  const hashes = inner ?? heapOf(node, scheme);
  const siblings: Uint8Array[] = [];
  for (let h = 1, width = 8; ; width >>>= 1) {
    h = 2 * h + ((nibble & width) === 0 ? 0 : 1);
    siblings.push(hashAt(node, h ^ 1, hashes, scheme));
    const used = node.existence & slotsBelow(h);
    if (used === 0) return { child: undefined, siblings };
    if (isSingle(used) && ((used & node.leaves) !== 0 || width === 1))
      return { child: childAt(node, lowestSlot(used)), siblings };
  }
}

function hashAt(node: InternalNode, h: number, hashes: Uint8Array, scheme: HashScheme): Uint8Array {
  const offset = h * PATH_SIZE;
  if (offset < INNER_SIZE) return hashes.slice(offset, offset + PATH_SIZE);
  return (childAt(node, h - 16)?.hash ?? scheme.placeholder).slice();
}
