import { type Bytes, type Store } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { type Change } from "../change.ts";
import { JellyfishError } from "../errors.ts";
import { type LeafNode } from "../node.ts";
import { PATH_SIZE } from "../path.ts";
import { type Codec } from "./codec.ts";
import { type TreeHandle } from "./handle.ts";
import { type MetricName } from "./metrics.ts";
import { type TreeOperation } from "./update-set.ts";

declare const internals: unique symbol;

/** What trees and views are made of, by `JellyfishTree.open` and `at` alone; nothing of it is for use. */
export interface TreeInternals<K, V, S extends Store> {
  readonly [internals]: readonly [K, V, S];
}

/** Hides a core from the public surface. */
export function internalsOf<K, V, S extends Store>(core: Core<K, V, S>): TreeInternals<K, V, S> {
  return core as unknown as TreeInternals<K, V, S>;
}

/** The core that {@link internalsOf} hid; there are no other internals. */
export function coreOf<K, V, S extends Store>(hidden: TreeInternals<K, V, S>): Core<K, V, S> {
  return hidden as unknown as Core<K, V, S>;
}

/** What a tree shares with its views: its store, and how keys and values become bytes. */
export class Core<K, V, S extends Store> {
  readonly store: S;
  readonly handle: TreeHandle;
  readonly #keyCodec: Codec<K>;
  readonly #valueCodec: Codec<V>;

  constructor(
    store: S,
    handle: TreeHandle,
    codecs: { readonly keyCodec: Codec<K>; readonly valueCodec: Codec<V> },
  ) {
    this.store = store;
    this.handle = handle;
    this.#keyCodec = codecs.keyCodec;
    this.#valueCodec = codecs.valueCodec;
  }

  /** Where a key's leaf is. @throws RangeError if keys are paths and this one is not 32 bytes */
  pathOf(key: K): Bytes {
    return this.#pathOfBytes(this.#keyCodec.encode(key));
  }

  /** Where a key's leaf is, and the key for the leaf to keep. */
  placeOf(key: K): { readonly path: Bytes; readonly key: Uint8Array | undefined } {
    const bytes = this.#keyCodec.encode(key);
    const isHashed = this.handle.options.keys === "hashed";
    return { path: this.#pathOfBytes(bytes), key: isHashed ? bytes : undefined };
  }

  /** The value of a leaf, from fresh bytes; `undefined` for no leaf. */
  valueOf(leaf: LeafNode): V;
  valueOf(leaf: LeafNode | undefined): V | undefined;
  valueOf(leaf: LeafNode | undefined): V | undefined {
    return leaf === undefined ? undefined : this.#valueCodec.decode(copyBytes(leaf.value));
  }

  /** @throws JellyfishError JELLYFISH_KEY_UNKNOWN if the key was hashed and the leaf does not keep it */
  keyOf(leaf: LeafNode): K {
    if (this.handle.options.keys === "paths") return this.#keyCodec.decode(copyBytes(leaf.path));
    if (leaf.key === undefined)
      throw new JellyfishError(
        "JELLYFISH_KEY_UNKNOWN",
        "a leaf does not keep the key that was hashed to its path",
      );
    return this.#keyCodec.decode(copyBytes(leaf.key));
  }

  /** Changes as the tree takes them, with everything encoded. */
  changesOf(operations: Iterable<TreeOperation<K, V>>): Change[] {
    const changes: Change[] = [];
    for (const operation of operations) {
      const { path, key } = this.placeOf(operation.key);
      if (operation.type === "del") changes.push({ path, value: undefined });
      else if (operation.type === "put")
        changes.push({ path, key, value: this.#valueCodec.encode(operation.value) });
      else throw new TypeError("the type of an operation is neither put nor del");
    }
    return changes;
  }

  /**
   * Entries as changes, encoded one by one.
   *
   * @yields one for each
   */
  async *putsOf(
    entries: AsyncIterable<readonly [K, V]> | Iterable<readonly [K, V]>,
  ): AsyncGenerator<Change, void, undefined> {
    for await (const [key, value] of entries)
      yield { ...this.placeOf(key), value: this.#valueCodec.encode(value) };
  }

  observe(name: MetricName, value: number, method: string): void {
    this.handle.options.metrics?.observe(name, value, { fn_name: method });
  }

  /** What one update took, under each of the names it counts as. */
  observeUpdate(method: "set" | "delete" | "batch", seconds: number, byteCount: number): void {
    for (const what of UPDATE_METRICS[method]) {
      this.observe(`smt_${what}_latency_seconds`, seconds, method);
      this.observe(`smt_${what}_bytes`, byteCount, method);
    }
  }

  #pathOfBytes(bytes: Uint8Array): Bytes {
    const { keys, scheme } = this.handle.options;
    if (keys === "hashed") return scheme.hashKey(bytes);
    if (bytes.length !== PATH_SIZE)
      throw new RangeError(`a key has ${bytes.length} bytes; where keys are paths it has 32`);
    return copyBytes(bytes);
  }
}

const UPDATE_METRICS = {
  set: ["put", "puts"],
  delete: ["remove", "puts"],
  batch: ["puts"],
} as const;
