import { type Reading } from "@x/store";
import { compareBytes } from "@x/store/adapter";

import { BTreeError } from "./errors.ts";
import { decodeNode, type NodeFormat } from "./node-codec.ts";
import { type NodeKeys } from "./node-keys.ts";
import {
  at,
  EMPTY_ROOT,
  type Inner,
  isLink,
  KEY_COUNT_MIN,
  type Leaf,
  LEVEL_COUNT_MAX,
  type Node,
  type ValueLink,
} from "./node.ts";

/** What is wrong with a record, or with what others say of it. */
export type FaultKind =
  | "missing"
  | "corrupt"
  | "kind"
  | "cycle"
  | "level"
  | "fill"
  | "bounds"
  | "entry-count"
  | "mention-count"
  | "count-page"
  | "orphan"
  | "id";

/** One thing that is wrong. Says nothing of keys and values. */
export interface Fault {
  readonly kind: FaultKind;
  /** The node it is about; of a `count-page` the page. */
  readonly id: number;
  /** Ids from the root down to the node. */
  readonly path: readonly number[];
  /** Offset in the record, where the damage was seen in its bytes. */
  readonly offset?: number;
  readonly expected?: number;
  readonly found?: number;
}

/** What is known of a subtree that is in order. */
interface Summary {
  readonly height: number;
  readonly entryCount: number;
  readonly keyCount: number;
  readonly min: Uint8Array | undefined;
  readonly max: Uint8Array | undefined;
}

/**
 * Walks everything that roots lead to, each node once, straight from the store, and checks all that a tree must keep. Finds
 * go to `faults`, in the order of the walk; mentions of every node are counted.
 */
export class Audit {
  readonly faults: Fault[] = [];
  /** How often each node that was reached is mentioned. */
  readonly mentions: Map<number, number> = new Map();
  entryCount: number = 0;
  byteCount: number = 0;
  readonly #keys: NodeKeys;
  readonly #format: NodeFormat;
  readonly #onNode: (nodeCount: number) => void;
  readonly #summaries = new Map<number, Summary | undefined>();
  readonly #active = new Set<number>();

  constructor(keys: NodeKeys, format: NodeFormat, onNode: (nodeCount: number) => void) {
    this.#keys = keys;
    this.#format = format;
    this.#onNode = onNode;
  }

  /** How many nodes were reached. */
  get nodeCount(): number {
    return this.#summaries.size;
  }

  /**
   * @param roots - of trees
   * @param limbo - nodes of any kind
   * @yields keys of nodes
   */
  *roots(roots: readonly number[], limbo: Iterable<number>): Reading<void> {
    yield* this.#tops(roots, false);
    yield* this.#tops(limbo, true);
  }

  *#tops(ids: Iterable<number>, mayBeValues: boolean): Reading<void> {
    for (const root of ids) {
      if (root === EMPTY_ROOT) continue;
      this.#mention(root);
      if (!this.#summaries.has(root)) {
        const [bytes] = yield [this.#keys.node(root)];
        yield* this.#visit(root, bytes, [], mayBeValues);
      }
      this.entryCount += this.#summaries.get(root)?.entryCount ?? 0;
    }
  }

  *#visit(
    id: number,
    bytes: Uint8Array | undefined,
    above: readonly number[],
    mayBeValue = false,
  ): Reading<Summary | undefined> {
    const path = [...above, id];
    this.#active.add(id);
    this.#onNode(this.#summaries.size);
    const node = this.#decoded(id, bytes, path);
    this.byteCount += bytes?.length ?? 0;
    // Known to have been reached, whatever is found in it.
    this.#summaries.set(id, undefined);
    let summary: Summary | undefined;
    if (node?.kind === "value" && !mayBeValue) this.#fault({ kind: "kind", id, path });
    else if (node?.kind === "leaf") summary = yield* this.#leaf(node, path);
    else if (node?.kind === "inner") summary = yield* this.#inner(node, path);
    this.#summaries.set(id, summary);
    this.#active.delete(id);
    return summary;
  }

  #decoded(id: number, bytes: Uint8Array | undefined, path: readonly number[]): Node | undefined {
    if (bytes === undefined) {
      this.#fault({ kind: "missing", id, path });
      return undefined;
    }
    try {
      return decodeNode(bytes, this.#format);
    } catch (error) {
      if (!(error instanceof BTreeError)) throw error;
      const { offset } = error;
      this.#fault({ kind: "corrupt", id, path, ...(offset === undefined ? {} : { offset }) });
      return undefined;
    }
  }

  *#leaf(leaf: Leaf, path: readonly number[]): Reading<Summary> {
    yield* this.#values(leaf.values.filter(isLink), path);
    const { length } = leaf.keys;
    const [min, max] = [leaf.keys[0], leaf.keys.at(-1)];
    return { height: 0, entryCount: length, keyCount: length, min, max };
  }

  *#values(links: readonly ValueLink[], above: readonly number[]): Reading<void> {
    const unread = links.filter(({ id }) => !this.#summaries.has(id));
    const values = unread.length === 0 ? [] : yield unread.map(({ id }) => this.#keys.node(id));
    for (const { id } of links) this.#mention(id);
    for (const [i, { id, size }] of unread.entries()) {
      const path = [...above, id];
      this.byteCount += values[i]?.length ?? 0;
      this.#summaries.set(id, undefined);
      const node = this.#decoded(id, values[i], path);
      if (node === undefined) continue;
      if (node.kind !== "value") this.#fault({ kind: "kind", id, path });
      else if (node.bytes.length !== size)
        this.#fault({ kind: "entry-count", id, path, expected: size, found: node.bytes.length });
    }
  }

  *#inner(node: Inner, path: readonly number[]): Reading<Summary | undefined> {
    if (path.length > LEVEL_COUNT_MAX) {
      this.#fault({ kind: "cycle", id: path.at(-1) ?? 0, path });
      return undefined;
    }
    const unread = [...new Set(node.children)].filter((id) => !this.#summaries.has(id));
    const values = unread.length === 0 ? [] : yield unread.map((id) => this.#keys.node(id));
    const bytes = new Map(unread.map((id, i) => [id, values[i]]));
    const children: (Summary | undefined)[] = [];
    for (const [index, id] of node.children.entries()) {
      this.#mention(id);
      if (this.#active.has(id)) this.#fault({ kind: "cycle", id, path: [...path, id] });
      else if (!this.#summaries.has(id)) yield* this.#visit(id, bytes.get(id), path);
      const child = this.#summaries.get(id);
      if (child !== undefined) this.#checkChild(node, index, child, [...path, id]);
      children.push(child);
    }
    return this.#summed(node, children, path);
  }

  #checkChild(node: Inner, index: number, child: Summary, path: readonly number[]): void {
    const id = at(node.children, index);
    if (child.keyCount < KEY_COUNT_MIN)
      this.#fault({ kind: "fill", id, path, expected: KEY_COUNT_MIN, found: child.keyCount });
    const [lower, upper] = [node.keys[index - 1], node.keys[index]];
    const isLow =
      lower !== undefined && child.min !== undefined && compareBytes(child.min, lower) < 0;
    const isHigh =
      upper !== undefined && child.max !== undefined && compareBytes(child.max, upper) >= 0;
    if (isLow || isHigh) this.#fault({ kind: "bounds", id, path });
    const expected = node.counts[index];
    if (expected !== undefined && expected !== child.entryCount)
      this.#fault({ kind: "entry-count", id, path, expected, found: child.entryCount });
    if (node.level > 0 && child.height !== node.level - 1)
      this.#fault({ kind: "level", id, path, expected: node.level - 1, found: child.height });
  }

  #summed(
    node: Inner,
    children: readonly (Summary | undefined)[],
    path: readonly number[],
  ): Summary | undefined {
    const [first] = children;
    let entryCount = 0;
    for (const [i, child] of children.entries()) {
      if (child === undefined || first === undefined) return undefined;
      entryCount += child.entryCount;
      const id = at(node.children, i);
      const { height } = child;
      if (height !== first.height && node.level === 0)
        this.#fault({
          kind: "level",
          id,
          path: [...path, id],
          expected: first.height,
          found: height,
        });
    }
    const keyCount = node.keys.length;
    const height = (first?.height ?? 0) + 1;
    return { height, entryCount, keyCount, min: first?.min, max: children.at(-1)?.max };
  }

  #mention(id: number): void {
    this.mentions.set(id, (this.mentions.get(id) ?? 0) + 1);
  }

  #fault(fault: Fault): void {
    this.faults.push(fault);
  }
}
