import { createRequire } from "node:module";
import { compareBytes } from "@x/store/adapter";

// The peers have no types that fit a strict ES module; what is used of them is declared here.

/** A B+ tree in memory, changed in place or, by `with`, copied where it changes. */
export interface SortedBTree {
  set(key: Uint8Array, value: Uint8Array): boolean;
  get(key: Uint8Array): Uint8Array | undefined;
  with(key: Uint8Array, value: Uint8Array): SortedBTree;
  clone(): SortedBTree;
  entries(): IterableIterator<readonly [Uint8Array, Uint8Array]>;
}

/** An append-only B-tree on a log that is signed and hashed. */
export interface Hyperbee {
  readonly version: number;
  ready(): Promise<void>;
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  get(key: Uint8Array): Promise<{ readonly value: Uint8Array } | null>;
  batch(): HyperbeeBatch;
  snapshot(): Hyperbee;
  createReadStream(): AsyncIterable<unknown>;
  createDiffStream(right: number): AsyncIterable<unknown>;
}

interface HyperbeeBatch {
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  flush(): Promise<void>;
}

/** A search tree with a Merkle root, copied where it changes; reads and writes are transactions. */
export interface Okra {
  read<T>(call: (transaction: OkraReads) => T): Promise<T>;
  write<T>(call: (transaction: OkraWrites) => T): Promise<T>;
}

interface OkraReads {
  get(key: Uint8Array): Uint8Array | null;
  entries(): IterableIterator<readonly [Uint8Array, Uint8Array]>;
}

interface OkraWrites extends OkraReads {
  set(key: Uint8Array, value: Uint8Array): void;
}

const require = createRequire(import.meta.url);

type Compare = (a: Uint8Array, b: Uint8Array) => number;

/** `sorted-btree` over byte strings, with our comparison. */
export function newSortedBTree(): SortedBTree {
  const { default: BTree } = require("sorted-btree") as {
    default: new (entries: undefined, compare: Compare) => SortedBTree;
  };
  return new BTree(undefined, compareBytes);
}

/** The same from entries that ascend. */
export function loadSortedBTree(keys: Uint8Array[], values: Uint8Array[]): SortedBTree {
  const { bulkLoad } = require("sorted-btree/extended/bulkLoad.js") as {
    bulkLoad: (
      keys: Uint8Array[],
      values: Uint8Array[],
      nodeSizeMax: number,
      compare: Compare,
    ) => SortedBTree;
  };
  return bulkLoad(keys, values, 32, compareBytes);
}

/** How many keys two trees that share nodes differ in. */
export function countSortedDifferences(a: SortedBTree, b: SortedBTree): number {
  const { default: diffAgainst } = require("sorted-btree/extended/diffAgainst.js") as {
    default: (
      a: SortedBTree,
      b: SortedBTree,
      onlyA: () => void,
      onlyB: () => void,
      different: () => void,
    ) => void;
  };
  let count = 0;
  const one = (): void => void count++;
  diffAgainst(a, b, one, one, one);
  return count;
}

/** `hyperbee` on a hypercore over random-access-memory. */
export async function newHyperbee(): Promise<Hyperbee> {
  const Core = require("hypercore") as new (storage: () => unknown) => unknown;
  const Memory = require("random-access-memory") as new () => unknown;
  const Bee = require("hyperbee") as new (core: unknown) => Hyperbee;
  const bee = new Bee(new Core(() => new Memory()));
  await bee.ready();
  return bee;
}

/** `@canvas-js/okra-memory`. It is loaded when it is needed: as an ES module it cannot be required. */
export async function newOkra(): Promise<Okra> {
  const { Tree } = await import("@canvas-js/okra-memory");
  return new Tree();
}
