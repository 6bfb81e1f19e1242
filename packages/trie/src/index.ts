export type { Calculator, Change } from "./calculator.ts";
export { TrieError, type TrieErrorCode } from "./errors.ts";
export { MptCalc } from "./mpt/mpt-calc.ts";
export type { MptOptions } from "./mpt/scheme.ts";
export { SmtCalc } from "./smt/smt-calc.ts";
export type { SmtOptions } from "./smt/scheme.ts";
