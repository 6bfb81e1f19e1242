import { MemoryCalculator } from "../memory-calculator.ts";
import type { MptProof } from "../verify/mpt-proof.ts";
import type { MptBatchProof } from "../verify/mpt-batch.ts";
import type { MptRangeProof } from "../verify/mpt-range.ts";
import type { KeyRange } from "./key-range.ts";
import type { MptNode } from "./node.ts";
import { proveMptBatch, proveMptRange } from "./prove.ts";
import { type MptOptions, mptScheme } from "./scheme.ts";

/**
 * A Patricia trie in memory: keys keep their order, are not hashed, and are at most 1024 bytes long. Roots and proofs are those
 * of vsdb's `MptCalc`. Not Ethereum's trie, which is `EthereumMptCalc`.
 *
 * @see FORMAT.md, "Patricia nodes"
 */
export class MptCalc extends MemoryCalculator<MptNode, MptProof> {
  /**
   * @param from - how to keep an empty trie; or another calculator, whose entries this one begins with
   * @throws RangeError if the longest key is no count
   */
  constructor(from: MptOptions | MptCalc = {}) {
    if (from instanceof MptCalc) super(from.scheme, from.link);
    else super(mptScheme(from));
  }

  override clone(): MptCalc {
    return new MptCalc(this);
  }

  /** Proves what is under many keys, shared nodes once; see `verifyMptBatch`. */
  proveBatch(keys: readonly Uint8Array[]): MptBatchProof {
    return this.proveHashed((link) => proveMptBatch(this.scheme, link, keys));
  }

  /**
   * Proves that these are all entries of a range; see `verifyMptRange`.
   *
   * @throws TypeError, RangeError if the range is none
   */
  proveRange(range: KeyRange): MptRangeProof {
    return this.proveHashed((link) => proveMptRange(this.scheme, link, range));
  }
}
