import { checkBytes } from "../calculator.ts";
import { MemoryCalculator } from "../memory-calculator.ts";
import type { SmtProof } from "../verify/smt-proof.ts";
import type { SmtBatchProof } from "../verify/smt-batch.ts";
import type { SmtNode } from "./node.ts";
import { proveSmtBatch } from "./prove-batch.ts";
import { type SmtOptions, smtScheme } from "./scheme.ts";

/**
 * A sparse Merkle trie in memory: keys are hashed and of any length, proofs are short and of one form. Roots and proofs are those
 * of vsdb's `SmtCalc`.
 *
 * @see FORMAT.md, "Sparse nodes"
 */
export class SmtCalc extends MemoryCalculator<SmtNode, SmtProof> {
  /** @param from - how to keep an empty trie; or another calculator, whose entries this one begins with */
  constructor(from: SmtOptions | SmtCalc = {}) {
    if (from instanceof SmtCalc) super(from.scheme, from.link);
    else super(smtScheme(from));
  }

  override clone(): SmtCalc {
    return new SmtCalc(this);
  }

  /** Proves what is under many keys, shared places once; see `verifySmtBatch`. */
  proveBatch(keys: readonly Uint8Array[]): SmtBatchProof {
    for (const key of keys) checkBytes(key, "key");
    const paths = this.scheme.pathsOf(keys);
    return this.proveHashed((link) => proveSmtBatch(this.scheme, link, paths));
  }
}
