import { type Reading } from "@x/store";

import { BTreeError } from "./errors.ts";
import { NodeCache } from "./node-cache.ts";
import { decodeNode, type NodeFormat } from "./node-codec.ts";
import { type NodeKeys } from "./node-keys.ts";
import {
  at,
  entryCountOf,
  type Inner,
  isLink,
  type LeafValue,
  LEVEL_COUNT_MAX,
  type Node,
  type TreeNode,
} from "./node.ts";
import { type Workspace } from "./workspace.ts";

/** A node to load, with what its parent says of it. */
export interface ChildLink {
  readonly id: number;
  /** Level of the parent; 0: not recorded, as in format 1. */
  readonly parentLevel: number;
  /** Entries below; not looked at where levels are not recorded. */
  readonly count: number;
}

/** Nodes by their id: the unsaved ones, then the cached ones, then those of the store. */
export class NodeSource {
  readonly keys: NodeKeys;
  readonly format: NodeFormat;
  readonly cache: NodeCache;
  /** Nodes that the batch in flight deletes: who reads them now finds them, whether the store still has them or not. */
  dying: ReadonlyMap<number, Node> = new Map();
  readonly #workspace: Workspace;

  constructor(
    keys: NodeKeys,
    workspace: Workspace,
    options: { readonly format: NodeFormat; readonly cacheByteCountMax: number },
  ) {
    this.keys = keys;
    this.format = options.format;
    this.cache = new NodeCache(options.cacheByteCountMax);
    this.#workspace = workspace;
  }

  /** The node, if it is in memory. */
  peek(id: number): Node | undefined {
    if (this.#workspace.unsavedNodeCount > 0) {
      const unsaved = this.#workspace.unsaved(id);
      if (unsaved !== undefined) return unsaved.node;
    }
    return this.cache.get(id) ?? (this.dying.size > 0 ? this.dying.get(id) : undefined);
  }

  /**
   * The node of a root that is not empty.
   *
   * @yields keys of nodes
   */
  *root(id: number): Reading<TreeNode> {
    const node = this.peek(id) ?? at(yield* this.nodes([id]), 0);
    return treeNode(node, id);
  }

  /**
   * A child of an inner node.
   *
   * @yields keys of nodes
   */
  *child(parent: Inner, index: number): Reading<TreeNode> {
    const known = this.peekChild(parent, index);
    if (known !== undefined) return known;
    const id = at(parent.children, index);
    const count = parent.counts[index] ?? 0;
    return this.#checked(at(yield* this.nodes([id]), 0), { id, parentLevel: parent.level, count });
  }

  /** A child of an inner node, if it is in memory. */
  peekChild(parent: Inner, index: number): TreeNode | undefined {
    const id = at(parent.children, index);
    const node = this.peek(id);
    return node === undefined ? undefined : checkedLevel(node, id, parent.level);
  }

  /**
   * Many children in one read.
   *
   * @yields keys of nodes
   */
  *children(links: readonly ChildLink[]): Reading<TreeNode[]> {
    const nodes = yield* this.nodes(links.map((link) => link.id));
    return links.map((link, i) => this.#checked(at(nodes, i), link));
  }

  /**
   * Many nodes in one read of those that are not in memory.
   *
   * @yields keys of nodes
   */
  *nodes(ids: readonly number[]): Reading<Node[]> {
    const found = ids.map((id) => this.peek(id));
    const missing = ids.filter((_, i) => found[i] === undefined);
    if (missing.length === 0) return found as Node[];
    const values = yield missing.map((id) => this.keys.node(id));
    let next = 0;
    for (const [i, id] of ids.entries())
      if (found[i] === undefined) found[i] = this.#arrived(id, values[next++]);
    return found as Node[];
  }

  /**
   * The bytes of many values, those outside their leaves in one read. Views.
   *
   * @yields keys of values
   */
  *values(values: readonly LeafValue[]): Reading<Uint8Array[]> {
    if (!values.some(isLink)) return values as Uint8Array[];
    const links = values.filter(isLink);
    const nodes = yield* this.nodes(links.map((link) => link.id));
    let next = 0;
    return values.map((value) => {
      if (!isLink(value)) return value;
      const node = at(nodes, next++);
      if (node.kind !== "value" || node.bytes.length !== value.size)
        throw damaged(value.id, "is not the value its leaf names");
      return node.bytes;
    });
  }

  /** Levels and counts agree, so places in the order are right. What is damaged is not kept. */
  #checked(node: Node, { id, parentLevel, count }: ChildLink): TreeNode {
    const child = checkedLevel(node, id, parentLevel);
    if (parentLevel > 0 && entryCountOf(child) !== count) {
      this.cache.delete(id);
      throw damaged(id, "holds another count of entries than its parent says");
    }
    return child;
  }

  /** A batch that began before the read may have deleted the node before the store looked: it is in memory then. */
  #arrived(id: number, bytes: Uint8Array | undefined): Node {
    if (bytes !== undefined) return this.#decode(id, bytes);
    const buried = this.peek(id);
    if (buried !== undefined) return buried;
    throw new BTreeError("BTREE_MISSING", `node ${id} is not in the store`, { id });
  }

  #decode(id: number, bytes: Uint8Array): Node {
    let node: Node;
    try {
      node = decodeNode(bytes, this.format);
    } catch (cause) {
      if (!(cause instanceof BTreeError)) throw cause;
      const { offset } = cause;
      throw new BTreeError("BTREE_CORRUPT", `node ${id}: ${cause.message}`, {
        id,
        cause,
        ...(offset === undefined ? {} : { offset }),
      });
    }
    this.cache.set(id, node);
    return node;
  }
}

/** Refuses to go on below so many steps; what leads on is a cycle or otherwise damaged. */
export function checkDepth(depth: number, id: number): void {
  if (depth >= LEVEL_COUNT_MAX) throw damaged(id, `lies ${depth} steps below its root`);
}

/** An error about a node whose bytes are in order, but that does not belong where it is. */
export function damaged(id: number, found: string): BTreeError {
  return new BTreeError("BTREE_CORRUPT", `node ${id} ${found}`, { id });
}

function treeNode(node: Node, id: number): TreeNode {
  if (node.kind === "value") throw damaged(id, "is a value, not a part of a tree");
  return node;
}

/** What an inner node says of one of its children. */
export function linkOf({ level, children, counts }: Inner, index: number): ChildLink {
  return { id: at(children, index), parentLevel: level, count: counts[index] ?? 0 };
}

/** Levels go down one by one, so a walk ends. */
function checkedLevel(node: Node, id: number, parentLevel: number): TreeNode {
  const child = treeNode(node, id);
  if (parentLevel > 0) {
    const level = child.kind === "leaf" ? 0 : child.level;
    if (level !== parentLevel - 1)
      throw damaged(id, `is at level ${level} below level ${parentLevel}`);
  }
  return child;
}
