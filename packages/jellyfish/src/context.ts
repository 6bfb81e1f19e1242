import { type NodeCache } from "./node-cache.ts";
import { type NodeFormat } from "./node-format.ts";
import { type HashScheme, type ProofRules } from "./scheme/scheme.ts";

/** What every operation on a tree has to know. One value serves all roots, and all trees of one store. */
export interface TreeContext {
  readonly scheme: HashScheme;
  readonly format: NodeFormat;
  /** Decoded nodes. Default: none; every read goes to the store. */
  readonly cache?: NodeCache | undefined;
  /** What updates refuse under a scheme whose domains are shared. Default: every rule is on. */
  readonly rules?: ProofRules | undefined;
}
