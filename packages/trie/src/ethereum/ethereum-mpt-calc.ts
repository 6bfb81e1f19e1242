import type { Calculator, Change } from "../calculator.ts";
import { MemoryTrie } from "../memory-trie.ts";
import type { MptNode } from "../mpt/node.ts";
import type { EthereumProof } from "../verify/ethereum-proof.ts";
import { type EthereumMptOptions, ethereumScheme } from "./scheme.ts";

/**
 * Ethereum's Merkle Patricia trie in memory: RLP, hex-prefix paths, small nodes inlined. Setting a key to the empty value removes
 * it. The root of no entries is not zeros, but the hash of an empty string as RLP.
 *
 * @see FORMAT.md, "Ethereum nodes"
 */
export class EthereumMptCalc implements Calculator<EthereumProof> {
  readonly #trie: MemoryTrie<MptNode, EthereumProof>;

  /** @param from - how to keep an empty trie; or another calculator, whose entries this one begins with */
  constructor(from: EthereumMptOptions | EthereumMptCalc = {}) {
    this.#trie =
      from instanceof EthereumMptCalc ? from.#trie.clone() : new MemoryTrie(ethereumScheme(from));
  }

  get name(): string {
    return this.#trie.scheme.name;
  }

  clone(): EthereumMptCalc {
    return new EthereumMptCalc(this);
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

  prove(key: Uint8Array): EthereumProof {
    return this.#trie.prove(key);
  }

  verify(root: Uint8Array, key: Uint8Array, proof: EthereumProof): boolean {
    return this.#trie.scheme.verify(root, key, proof);
  }
}
