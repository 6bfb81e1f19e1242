import type { Reading } from "@x/store";
import { checkBytes, type StoredCalculator } from "../calculator.ts";
import { openRoot, overStore } from "../stored-calculator.ts";
import type { MptBatchProof } from "../verify/mpt-batch.ts";
import type { MptProof } from "../verify/mpt-proof.ts";
import type { MptRangeProof } from "../verify/mpt-range.ts";
import type { KeyRange } from "./key-range.ts";
import { proveMptBatch, proveMptRange } from "./prove.ts";
import { type MptOptions, mptScheme } from "./scheme.ts";

/** A Patricia trie over a store. */
export interface StoredMpt extends StoredCalculator<MptProof> {
  /** Proves what is under many keys. One read for each level. */
  proveBatch(root: Uint8Array, keys: readonly Uint8Array[]): Reading<MptBatchProof>;
  /** Proves that these are all entries of a range. One read for the children of each node that is met. */
  proveRange(root: Uint8Array, range: KeyRange): Reading<MptRangeProof>;
}

/** The Patricia trie of `MptCalc` over a store. Nodes are stored as the bytes that are hashed. */
export function storedMpt(options: MptOptions = {}): StoredMpt {
  const scheme = mptScheme(options);
  return {
    ...overStore(scheme),
    *proveBatch(root, keys) {
      for (const key of keys) checkBytes(key, "key");
      return yield* proveMptBatch(scheme, openRoot(scheme, root), keys);
    },
    *proveRange(root, range) {
      return yield* proveMptRange(scheme, openRoot(scheme, root), range);
    },
  };
}
