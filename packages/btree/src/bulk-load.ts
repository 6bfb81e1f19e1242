import { compareBytes, copyBytes } from "@x/store/adapter";

import { type Cutting, type InnerDraft, shortestBound } from "./draft.ts";
import { BTreeError } from "./errors.ts";
import { type NodeFormat } from "./node-codec.ts";
import { at, EMPTY_ROOT, KEY_COUNT_MAX, KEY_COUNT_MIN, leafOf } from "./node.ts";
import { type Registration } from "./registration.ts";
import { type StopSignal } from "./types.ts";

/** A key and its value, as the caller has them. */
export type LoadEntry = readonly [key: Uint8Array, value: Uint8Array];

/** See `NodePool.load`. */
export interface LoadOptions {
  /** Looked at every thousand nodes or so; once aborted, its reason is thrown. Default: never. */
  readonly signal?: StopSignal;
  /** Called as often, with the count of entries so far. Default: not. */
  readonly onProgress?: (entryCount: number) => void;
}

/** Unsaved nodes at which they are spilled. */
const NODE_COUNT_MAX = 1024;

/** What a load needs of its pool. */
export interface LoadContext extends Cutting {
  /** Whether ids go level by level, as the original gives them; what is above the leaves then waits in memory. */
  readonly isCompatible: boolean;
  readonly format: NodeFormat;
  readonly registration: Registration;
  readonly pin: (root: number) => void;
  readonly unpin: (root: number) => void;
  readonly unsavedNodeCount: () => number;
  readonly spill: () => Promise<unknown>;
}

/** Builds a tree from its entries, and gives the root, pinned. See `NodePool.load`. */
export async function loadTree(
  entries: Iterable<LoadEntry> | AsyncIterable<LoadEntry>,
  { signal, onProgress }: LoadOptions,
  context: LoadContext,
): Promise<number> {
  const loader = new Loader(context);
  let entryCount = 0;
  try {
    for await (const [key, value] of entries) {
      loader.add(key, value);
      entryCount++;
      if (context.unsavedNodeCount() < NODE_COUNT_MAX) continue;
      if (signal?.aborted === true) throw signal.reason;
      await context.spill();
      onProgress?.(entryCount);
    }
    return loader.finish();
  } catch (error) {
    loader.abandon();
    throw error;
  }
}

/** What a level is made of: entries below, nodes above. */
type Item =
  | { readonly kind: "entry"; readonly key: Uint8Array; value: Uint8Array }
  | {
      readonly kind: "node";
      readonly lower: Uint8Array;
      readonly id: number;
      readonly count: number;
    };

/**
 * Makes nodes from left to right on all levels at once. A level keeps the items of the node it is filling and of the one
 * before; more is not needed to share items between the last two.
 */
class Loader {
  readonly #context: LoadContext;
  readonly #levels: Level[] = [];
  /** Nodes without a parent yet. */
  readonly #tops = new Set<number>();
  #last: { readonly key: Uint8Array; value: Uint8Array; readonly kind: "entry" } | undefined;

  constructor(context: LoadContext) {
    this.#context = context;
  }

  add(key: Uint8Array, value: Uint8Array): void {
    if (!(key instanceof Uint8Array)) throw new TypeError("a key is not a Uint8Array");
    if (!(value instanceof Uint8Array)) throw new TypeError("a value is not a Uint8Array");
    const order = this.#last === undefined ? -1 : compareBytes(this.#last.key, key);
    if (order > 0) throw new BTreeError("BTREE_UNSORTED", "a key is below the one before it");
    if (order === 0 && this.#last !== undefined) this.#last.value = copyBytes(value);
    else {
      this.#last = { kind: "entry", key: copyBytes(key), value: copyBytes(value) };
      this.#put(0, this.#last);
    }
  }

  finish(): number {
    for (let height = 0; height < this.#levels.length; height++) {
      const level = at(this.#levels, height);
      for (const items of level.end()) this.#node(height, items);
      if (level.nodeCount === 1) return this.#onlyTop();
      const { waiting } = level;
      level.waiting = [];
      for (const item of waiting) this.#put(height + 1, item);
    }
    return EMPTY_ROOT;
  }

  abandon(): void {
    for (const id of this.#tops) this.#context.unpin(id);
  }

  #onlyTop(): number {
    const [root = EMPTY_ROOT] = this.#tops;
    return root;
  }

  #put(height: number, item: Item): void {
    const level = (this.#levels[height] ??= new Level(height));
    const full = level.add(item);
    if (full !== undefined) this.#node(height, full);
  }

  #node(height: number, items: readonly Item[]): void {
    const level = at(this.#levels, height);
    const { id, count, lower } =
      height === 0 ? this.#leaf(level, items) : this.#inner(height, items);
    level.nodeCount++;
    this.#context.pin(id);
    this.#tops.add(id);
    const item: Item = { kind: "node", lower, id, count };
    // The first node of a level may be the root; and ids of the original go level by level.
    if (this.#context.isCompatible || level.nodeCount === 1) level.waiting.push(item);
    else {
      const { waiting } = level;
      level.waiting = [];
      for (const one of waiting) this.#put(height + 1, one);
      this.#put(height + 1, item);
    }
  }

  #leaf(level: Level, items: readonly Item[]): Made {
    const keys: Uint8Array[] = [];
    const values: Uint8Array[] = [];
    for (const item of items) {
      if (item.kind !== "entry") continue;
      keys.push(item.key);
      values.push(item.value);
    }
    const [first = new Uint8Array()] = keys;
    const { shortBounds } = this.#context;
    const before = level.lastKey;
    level.lastKey = keys.at(-1);
    const lower = before === undefined || !shortBounds ? first : shortestBound(before, first);
    const id = this.#context.newId();
    const leaf = leafOf(keys, values);
    const draft = { kind: "leaf", leaf, lower, source: undefined, id } as const;
    return { ...this.#context.registration.add(draft, false), lower };
  }

  #inner(height: number, items: readonly Item[]): Made {
    const children = items.filter((item) => item.kind === "node");
    const [lower = new Uint8Array(), ...keys] = children.map((item) => item.lower);
    const slots = children.map(({ id, count }) => ({ id, count, draft: undefined }));
    const level = this.#context.format === 1 ? 0 : height;
    const id = this.#context.newId();
    const draft: InnerDraft = {
      kind: "inner",
      level,
      keys,
      slots,
      consumed: [],
      lower,
      source: undefined,
      id,
    };
    const made = this.#context.registration.add(draft, false);
    for (const child of children) {
      this.#context.unpin(child.id);
      this.#tops.delete(child.id);
    }
    return { ...made, lower };
  }
}

interface Made {
  readonly id: number;
  readonly count: number;
  readonly lower: Uint8Array;
}

/** One level while it is made. */
class Level {
  readonly #max: number;
  readonly #min: number;
  #before: Item[] = [];
  #items: Item[] = [];
  nodeCount = 0;
  /** Of the leaf made last. */
  lastKey: Uint8Array | undefined;
  /** Nodes made, while it is not known whether, or not the time when, they get a parent. */
  waiting: Item[] = [];

  constructor(height: number) {
    this.#max = height === 0 ? KEY_COUNT_MAX : KEY_COUNT_MAX + 1;
    this.#min = height === 0 ? KEY_COUNT_MIN : KEY_COUNT_MIN + 1;
  }

  /** Takes an item; gives the items of a node where one is certain. */
  add(item: Item): readonly Item[] | undefined {
    if (this.#items.length < this.#max) {
      this.#items.push(item);
      return undefined;
    }
    const full = this.#before;
    this.#before = this.#items;
    this.#items = [item];
    return full.length > 0 ? full : undefined;
  }

  /** The items of the last nodes: two share theirs where the last would have too few. */
  end(): readonly (readonly Item[])[] {
    if (this.#before.length === 0) return this.#items.length === 0 ? [] : [this.#items];
    if (this.#items.length >= this.#min) return [this.#before, this.#items];
    const all = [...this.#before, ...this.#items];
    const half = Math.ceil(all.length / 2);
    return [all.slice(0, half), all.slice(half)];
  }
}
