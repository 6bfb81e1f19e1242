import type { Reading } from "@x/store";
import { checkBytes, type StoredCalculator } from "../calculator.ts";
import { openRoot, overStore } from "../stored-calculator.ts";
import type { SmtBatchProof } from "../verify/smt-batch.ts";
import type { SmtProof } from "../verify/smt-proof.ts";
import { proveSmtBatch } from "./prove-batch.ts";
import { type SmtOptions, smtScheme } from "./scheme.ts";

/** A sparse trie over a store. */
export interface StoredSmt extends StoredCalculator<SmtProof> {
  /** Proves what is under many keys. One read for each level. */
  proveBatch(root: Uint8Array, keys: readonly Uint8Array[]): Reading<SmtBatchProof>;
}

/** The sparse trie of `SmtCalc` over a store. How nodes are stored: FORMAT.md, "Sparse nodes". */
export function storedSmt(options: SmtOptions = {}): StoredSmt {
  const scheme = smtScheme(options);
  return {
    ...overStore(scheme),
    *proveBatch(root, keys) {
      for (const key of keys) checkBytes(key, "key");
      return yield* proveSmtBatch(scheme, openRoot(scheme, root), scheme.pathsOf(keys));
    },
  };
}
