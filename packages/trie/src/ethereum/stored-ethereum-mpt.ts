import type { StoredCalculator } from "../calculator.ts";
import { overStore } from "../stored-calculator.ts";
import type { EthereumProof } from "../verify/ethereum-proof.ts";
import { type EthereumMptOptions, ethereumScheme } from "./scheme.ts";

/** Ethereum's trie over a store. Nodes are stored as the bytes that are hashed. */
export function storedEthereumMpt(
  options: EthereumMptOptions = {},
): StoredCalculator<EthereumProof> {
  return overStore(ethereumScheme(options));
}
