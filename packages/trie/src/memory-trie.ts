import { type Reading, runSync } from "@x/store";
import { type Change, checkBytes } from "./calculator.ts";
import type { Link } from "./link.ts";
import { find } from "./load.ts";
import type { TrieScheme } from "./scheme.ts";

/** A reader of nothing: every node of a trie in memory is there. */
const NOTHING = { viewManySync: (keys: readonly Uint8Array[]) => keys.map(() => undefined) };

/** A trie in memory, of any scheme: what the calculators are made of. Contract of the calls: `Calculator`. */
export class MemoryTrie<Node, Proof> {
  readonly scheme: TrieScheme<Node, Proof>;
  /** The topmost node; `undefined`: no entries. */
  link: Link<Node> | undefined;

  constructor(scheme: TrieScheme<Node, Proof>, link?: Link<Node>) {
    this.scheme = scheme;
    this.link = link;
  }

  clone(): MemoryTrie<Node, Proof> {
    return new MemoryTrie(this.scheme, this.link);
  }

  get(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    checkBytes(key, "key");
    const value = runSync(find(this.scheme, this.link, this.#pathOf(key)), NOTHING);
    return value && new Uint8Array(value);
  }

  set(key: Uint8Array, value: Uint8Array): void {
    checkBytes(key, "key");
    checkBytes(value, "value");
    this.scheme.checkKey(key);
    this.#set(this.#pathOf(key), value);
  }

  delete(key: Uint8Array): boolean {
    checkBytes(key, "key");
    return this.#delete(this.#pathOf(key));
  }

  batch(changes: Iterable<Change>): void {
    const list = Array.from(changes);
    for (const { key } of list) checkBytes(key, "key");
    const paths = this.scheme.pathsOf(list.map(({ key }) => key));
    for (const [i, change] of list.entries()) {
      const path = paths[i] as Uint8Array;
      if (change.type === "del") this.#delete(path);
      else {
        checkBytes(change.value, "value");
        this.scheme.checkKey(change.key);
        this.#set(path, change.value);
      }
    }
  }

  root(): Uint8Array<ArrayBuffer> {
    const link = this.link;
    return new Uint8Array(link === undefined ? this.scheme.emptyRoot : this.scheme.hash(link));
  }

  prove(key: Uint8Array): Proof {
    checkBytes(key, "key");
    const path = this.#pathOf(key);
    return this.proveHashed((link) => this.scheme.prove(link, key, path));
  }

  /** Runs a prover over the trie, in which everything is hashed. */
  proveHashed<T>(prove: (link: Link<Node> | undefined) => Reading<T>): T {
    if (this.link !== undefined) this.scheme.hash(this.link);
    return runSync(prove(this.link), NOTHING);
  }

  #set(path: Uint8Array, value: Uint8Array): void {
    this.link = runSync(this.scheme.set(this.link, path, new Uint8Array(value)), NOTHING);
  }

  #delete(path: Uint8Array): boolean {
    const link = runSync(this.scheme.delete(this.link, path), NOTHING);
    const isChanged = link !== this.link;
    this.link = link;
    return isChanged;
  }

  #pathOf(key: Uint8Array): Uint8Array {
    return this.scheme.pathsOf([key])[0] as Uint8Array;
  }
}
