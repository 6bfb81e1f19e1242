import { keccak256 } from "@x/hash";
import { decodeSmtCache, encodeSmtCache } from "../cache-file/smt.ts";
import { type Calculator, type Change, checkBytes } from "../calculator.ts";
import { MemoryTrie } from "../memory-trie.ts";
import type { SmtProof } from "../verify/smt-proof.ts";
import type { SmtBatchProof } from "../verify/smt-batch.ts";
import type { SmtNode } from "./node.ts";
import { proveSmtBatch } from "./prove-batch.ts";
import { type SmtOptions, smtScheme } from "./scheme.ts";

/** Hashes checksums: one for each file. */
const HASHER = keccak256();

/**
 * A sparse Merkle trie in memory: keys are hashed and of any length, proofs are short and of one form. Roots and proofs are those
 * of vsdb's `SmtCalc`.
 *
 * @see FORMAT.md, "Sparse nodes"
 */
export class SmtCalc implements Calculator<SmtProof> {
  readonly #trie: MemoryTrie<SmtNode, SmtProof>;

  /** @param from - how to keep an empty trie; or another calculator, whose entries this one begins with */
  constructor(from: SmtOptions | SmtCalc = {}) {
    this.#trie = from instanceof SmtCalc ? from.#trie.clone() : new MemoryTrie(smtScheme(from));
  }

  get name(): string {
    return this.#trie.scheme.name;
  }

  clone(): SmtCalc {
    return new SmtCalc(this);
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

  prove(key: Uint8Array): SmtProof {
    return this.#trie.prove(key);
  }

  verify(root: Uint8Array, key: Uint8Array, proof: SmtProof): boolean {
    return this.#trie.scheme.verify(root, key, proof);
  }

  /** Proves what is under many keys, shared places once; see `verifySmtBatch`. */
  proveBatch(keys: readonly Uint8Array[]): SmtBatchProof {
    for (const key of keys) checkBytes(key, "key");
    const paths = this.#trie.scheme.pathsOf(keys);
    return this.#trie.proveHashed((link) => proveSmtBatch(this.#trie.scheme, link, paths));
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
    return encodeSmtCache(this.#trie.link, { tag, root }, HASHER);
  }

  /**
   * Reads a cache file of vsdb, which is not trusted: every rule of its form is checked, and every hash made again.
   *
   * @returns the tag, and a calculator with the entries
   * @throws TrieError TRIE_CACHE_TOO_LARGE (above 512 MiB), TRIE_CACHE_CHECKSUM, TRIE_CACHE_FORMAT, TRIE_CACHE_ROOT
   */
  static fromCacheFile(
    file: Uint8Array,
    options: SmtOptions = {},
  ): { readonly tag: bigint; readonly trie: SmtCalc } {
    const trie = new SmtCalc(options);
    const { scheme } = trie.#trie;
    const { tag, link } = decodeSmtCache(file, HASHER, (top) =>
      top === undefined ? scheme.emptyRoot : scheme.hash(top),
    );
    trie.#trie.link = link;
    return { tag, trie };
  }
}
