import { keccak256 } from "@x/hash";
import { decodeMptCache, encodeMptCache } from "../cache-file/mpt.ts";
import type { Calculator, Change } from "../calculator.ts";
import { MemoryTrie } from "../memory-trie.ts";
import type { MptProof } from "../verify/mpt-proof.ts";
import type { MptBatchProof } from "../verify/mpt-batch.ts";
import type { MptRangeProof } from "../verify/mpt-range.ts";
import type { KeyRange } from "./key-range.ts";
import type { MptNode } from "./node.ts";
import { proveMptBatch, proveMptRange } from "./prove.ts";
import { type MptOptions, mptScheme } from "./scheme.ts";

/** Hashes checksums: one for each file. */
const HASHER = keccak256();

/**
 * A Patricia trie in memory: keys keep their order, are not hashed, and are at most 1024 bytes long. Roots and proofs are those
 * of vsdb's `MptCalc`. Not Ethereum's trie, which is `EthereumMptCalc`.
 *
 * @see FORMAT.md, "Patricia nodes"
 */
export class MptCalc implements Calculator<MptProof> {
  readonly #trie: MemoryTrie<MptNode, MptProof>;

  /**
   * @param from - how to keep an empty trie; or another calculator, whose entries this one begins with
   * @throws RangeError if the longest key is no count
   */
  constructor(from: MptOptions | MptCalc = {}) {
    this.#trie = from instanceof MptCalc ? from.#trie.clone() : new MemoryTrie(mptScheme(from));
  }

  get name(): string {
    return this.#trie.scheme.name;
  }

  clone(): MptCalc {
    return new MptCalc(this);
  }

  get(key: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
    return this.#trie.get(key);
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#trie.set(key, value);
  }

  delete(key: Uint8Array): boolean {
    return this.#trie.delete(key);
  }

  batch(changes: Iterable<Change>): void {
    this.#trie.batch(changes);
  }

  root(): Uint8Array<ArrayBuffer> {
    return this.#trie.root();
  }

  prove(key: Uint8Array): MptProof {
    return this.#trie.prove(key);
  }

  verify(root: Uint8Array, key: Uint8Array, proof: MptProof): boolean {
    return this.#trie.scheme.verify(root, key, proof);
  }

  /** Proves what is under many keys, shared nodes once; see `verifyMptBatch`. */
  proveBatch(keys: readonly Uint8Array[]): MptBatchProof {
    return this.#trie.proveHashed((link) => proveMptBatch(this.#trie.scheme, link, keys));
  }

  /**
   * Proves that these are all entries of a range; see `verifyMptRange`.
   *
   * @throws TypeError, RangeError if the range is none
   */
  proveRange(range: KeyRange): MptRangeProof {
    return this.#trie.proveHashed((link) => proveMptRange(this.#trie.scheme, link, range));
  }

  /**
   * The cache file of vsdb for these entries. Fresh.
   *
   * @param tag - stored with them; below 2^64
   * @throws RangeError if it is not
   * @see FORMAT.md, "Cache files"
   */
  toCacheFile(tag: bigint): Uint8Array<ArrayBuffer> {
    const root = this.root();
    return encodeMptCache(this.#trie.link, { tag, root }, HASHER);
  }

  /**
   * Reads a cache file of vsdb, which is not trusted: every rule of its form is checked, and every hash made again.
   *
   * @returns the tag, and a calculator with the entries
   * @throws TrieError TRIE_CACHE_TOO_LARGE (above 512 MiB), TRIE_CACHE_CHECKSUM, TRIE_CACHE_FORMAT, TRIE_CACHE_ROOT
   */
  static fromCacheFile(
    file: Uint8Array,
    options: MptOptions = {},
  ): { readonly tag: bigint; readonly trie: MptCalc } {
    const trie = new MptCalc(options);
    const { scheme } = trie.#trie;
    const { tag, link } = decodeMptCache(file, HASHER, (top) =>
      top === undefined ? scheme.emptyRoot : scheme.hash(top),
    );
    trie.#trie.link = link;
    return { tag, trie };
  }
}
