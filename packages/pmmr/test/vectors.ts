import { readFileSync } from "node:fs";
import { fromHex, toHex } from "@x/hash";

/** One row of the position tables; large tables write the numbers as decimal strings. */
export interface PositionRow<N> {
  readonly pos: N;
  readonly peakMap: N;
  readonly height: number;
  readonly nLeavesOfSize: N;
  readonly peaksOfSize: readonly N[];
  readonly roundUpToLeaf: N;
  readonly leafIndex: N | null;
  readonly parent: N;
  readonly sibling: N;
  readonly isLeftSibling: boolean;
  readonly leftmost: N;
  readonly rightmost: N;
}

export interface RootRow {
  readonly leaves: number;
  readonly size: number;
  readonly root: string;
  readonly peaks?: readonly string[];
}

export interface ProofRow {
  readonly leaves: number;
  readonly pos: number;
  readonly leafIndex: number;
  readonly mmrSize: number;
  readonly path: readonly string[];
  readonly serialized: string;
  readonly root: string;
}

export interface StageRow {
  readonly step: string;
  readonly mmrSize: number;
  readonly root: string;
  readonly hashCount: number;
  readonly dataCount: number;
  readonly leafPos0: readonly number[];
  readonly pruneRoots1: readonly number[];
  readonly files: Readonly<Record<string, string>>;
}

export type GenesisRow = Readonly<
  Record<
    | "outputIdentifier"
    | "outputRoot"
    | "rangeProofStored"
    | "rangeProofRoot"
    | "kernelHashForm"
    | "kernelRoot"
    | "packedProof"
    | "headerHash"
    | "headerMmrLeaf0",
    string
  >
>;

/** The parts of `pmmr.json` that the tests of the range itself read. */
export interface RangeVectors {
  readonly positions: { readonly rows: readonly PositionRow<number>[] };
  readonly positionsLarge: { readonly rows: readonly PositionRow<string>[] };
  readonly u64Edges: readonly Readonly<Record<string, unknown>>[];
  readonly leafIndexToPos: readonly (readonly [number, number])[];
  readonly familyBranch: readonly {
    readonly pos: number;
    readonly size: number;
    readonly branch: readonly (readonly [number, number])[];
  }[];
  readonly hash16: {
    readonly elements: readonly string[];
    readonly nodeHashes: readonly string[];
    readonly rootsBySize: readonly RootRow[];
  };
  readonly hash4: {
    readonly firstNodeHashes: readonly string[];
    readonly rootsByLeaves: readonly RootRow[];
  };
  readonly merkleProofs: readonly ProofRow[];
  readonly variableSize: { readonly elements: readonly string[]; readonly root: string };
  readonly genesis: { readonly mainnet: GenesisRow; readonly testnet: GenesisRow };
  readonly backends: readonly {
    readonly name: string;
    readonly elementKind: string;
    readonly prunable: boolean;
    readonly stages: readonly StageRow[];
  }[];
  readonly prunedSubtrees: {
    readonly operations: readonly {
      readonly push?: string;
      readonly pushPrunedSubtree?: { readonly pos0: number; readonly hash: string };
    }[];
    readonly mmrSize: number;
    readonly root: string;
    readonly pruneRoots1: readonly number[];
    readonly leafPos0: readonly number[];
    readonly files: Readonly<Record<string, string>>;
  };
  readonly originalQuirks: readonly Readonly<Record<string, unknown>>[];
}

export const vectors: RangeVectors = JSON.parse(
  readFileSync(new URL("vectors/pmmr.json", import.meta.url), "utf8"),
) as RangeVectors;

export { fromHex, toHex };
