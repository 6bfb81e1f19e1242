import { Map as ImmutableMap } from "immutable";
import {
  type Hyperbee,
  newHyperbee,
  newOkra,
  newSortedBTree,
  type Okra,
  type SortedBTree,
} from "./vermap-peers.ts";
import { inBatches, type KeyValue } from "./vermap-trees.ts";

/** One who keeps entries: how it is made, filled, asked, gone over. */
export interface Peer<T> {
  readonly subject: string;
  /** Peers of one library are filled alike. */
  readonly library: string;
  readonly make: () => Promise<T>;
  /** All entries, in batches of a thousand where the peer has such a thing. */
  fill(map: T, entries: readonly KeyValue[]): Promise<T>;
  /** One by one, each making a state of its own where the peer can. */
  insert(map: T, entries: readonly KeyValue[]): Promise<void>;
  get(map: T, entries: readonly KeyValue[]): Promise<void>;
  count(map: T): Promise<number>;
}

export const inPlace: Peer<SortedBTree> = {
  subject: "sorted-btree set",
  library: "sorted-btree",
  make: async () => newSortedBTree(),
  async fill(tree, entries) {
    for (const { key, value } of entries) tree.set(key, value);
    return tree;
  },
  async insert(tree, entries) {
    // What is shared is copied when it is set: the tree that stands stays as it is.
    const copy = tree.clone();
    for (const { key, value } of entries) copy.set(key, value);
  },
  async get(tree, entries) {
    for (const { key } of entries) found(tree.get(key));
  },
  async count(tree) {
    let count = 0;
    for (const _ of tree.entries()) count++;
    return count;
  },
};

export const copied: Peer<SortedBTree> = {
  ...inPlace,
  subject: "sorted-btree with",
  async insert(tree, entries) {
    let version = tree;
    for (const { key, value } of entries) version = version.with(key, value);
  },
};

type Immutable = ImmutableMap<string, Uint8Array>;

/** Its keys are text; going over them in order means sorting them, which is counted. */
export const immutable: Peer<Immutable> = {
  subject: "immutable Map, keys as text",
  library: "immutable",
  make: async () => ImmutableMap<string, Uint8Array>(),
  async fill(map, entries) {
    return map.withMutations((open) => {
      for (const { key, value } of entries) open.set(textOf(key), value);
    });
  },
  async insert(map, entries) {
    let version = map;
    for (const { key, value } of entries) version = version.set(textOf(key), value);
  },
  async get(map, entries) {
    for (const { key } of entries) found(map.get(textOf(key)));
  },
  async count(map) {
    let count = 0;
    for (const _ of map.sortBy((_value, key) => key).entries()) count++;
    return count;
  },
};

export const hyperbee: Peer<Hyperbee> = {
  subject: "hyperbee in memory",
  library: "hyperbee",
  make: newHyperbee,
  async fill(bee, entries) {
    for (const batch of inBatches(entries, 1_000)) {
      const open = bee.batch();
      for (const { key, value } of batch) await open.put(key, value);
      await open.flush();
    }
    return bee;
  },
  async insert(bee, entries) {
    for (const { key, value } of entries) await bee.put(key, value);
  },
  async get(bee, entries) {
    for (const { key } of entries) found(await bee.get(key));
  },
  async count(bee) {
    let count = 0;
    for await (const _ of bee.createReadStream()) count++;
    return count;
  },
};

export const okra: Peer<Okra> = {
  subject: "@canvas-js/okra-memory",
  library: "okra",
  make: newOkra,
  async fill(tree, entries) {
    for (const batch of inBatches(entries, 1_000))
      await tree.write((open) => {
        for (const { key, value } of batch) open.set(key, value);
      });
    return tree;
  },
  async insert(tree, entries) {
    for (const { key, value } of entries) await tree.write((open) => open.set(key, value));
  },
  get: (tree, entries) =>
    tree.read((open) => {
      for (const { key } of entries) found(open.get(key));
    }),
  count: (tree) =>
    tree.read((open) => {
      let count = 0;
      for (const _ of open.entries()) count++;
      return count;
    }),
};

/** Refuses a key that is not there. */
export function found(value: unknown): void {
  if (value === undefined || value === null) throw new Error("a key is not there");
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
}
