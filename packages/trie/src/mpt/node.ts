import { type Link } from "../link.ts";
import { type Nibbles } from "../nibbles.ts";

/** A node of a Patricia trie of nibbles. The empty trie has none. */
export type MptNode = MptLeaf | MptExtension | MptBranch;

/** How a node points to a child. */
export type MptLink = Link<MptNode>;

/** One entry; the path may be empty. */
export interface MptLeaf {
  readonly kind: "leaf";
  /** What is left of the key's path. */
  readonly path: Nibbles;
  readonly value: Uint8Array;
}

/** A path that every entry below shares; its child is a branch. */
export interface MptExtension {
  readonly kind: "extension";
  /** At least one nibble. */
  readonly path: Nibbles;
  readonly child: MptLink;
}

/** A choice between nibbles: at least two of children and value are there. */
export interface MptBranch {
  readonly kind: "branch";
  /** Sixteen places. */
  readonly children: readonly (MptLink | undefined)[];
  /** Of the entry whose path ends here. */
  readonly value: Uint8Array | undefined;
}

/** Children and value of a branch that are there. */
export function countParts({ children, value }: MptBranch): number {
  return children.reduce(
    (count, child) => count + (child === undefined ? 0 : 1),
    value === undefined ? 0 : 1,
  );
}

/** What a walk along a path does next at a node: go on, or end here. */
export function stepMpt(node: MptNode, path: Nibbles, at: number): MptStep | undefined {
  switch (node.kind) {
    case "leaf":
      return undefined;
    case "extension":
      return startsWith(path, at, node.path)
        ? { link: node.child, at: at + node.path.length }
        : undefined;
    case "branch": {
      const link = at < path.length ? node.children[path[at] as number] : undefined;
      return link === undefined ? undefined : { link, at: at + 1 };
    }
    default:
      return node satisfies never;
  }
}

/** Where a walk goes on. */
export interface MptStep {
  readonly link: MptLink;
  /** Nibbles of the path that lie behind. */
  readonly at: number;
}

/** The value of a path at the node where its walk ends. */
export function valueAtMpt(node: MptNode, path: Nibbles, at: number): Uint8Array | undefined {
  if (node.kind === "leaf")
    return path.length - at === node.path.length && startsWith(path, at, node.path)
      ? node.value
      : undefined;
  return node.kind === "branch" && at === path.length ? node.value : undefined;
}

function startsWith(path: Nibbles, at: number, prefix: Nibbles): boolean {
  if (path.length - at < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (path[at + i] !== prefix[i]) return false;
  return true;
}
