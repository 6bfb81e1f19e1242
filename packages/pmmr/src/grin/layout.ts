import { toHex } from "@x/hash";
import { HASH_SIZE } from "../wire.ts";

/** Folders of a node's four ranges, below the chain's folder. Each is one mountain range of `@x/pmmr/file`. */
export const CHAIN_FOLDERS = {
  header: "header/header_head",
  output: "txhashset/output",
  rangeProof: "txhashset/rangeproof",
  kernel: "txhashset/kernel",
} as const;

/**
 * Heights of the segments in which nodes exchange state: `usual` is what they ask for, `min` and `max` what they serve.
 */
export const SEGMENT_HEIGHTS = {
  bitmap: { usual: 9, min: 9, max: 13 },
  output: { usual: 11, min: 11, max: 15 },
  rangeProof: { usual: 11, min: 7, max: 11 },
  kernel: { usual: 11, min: 9, max: 13 },
} as const;

/** Hex digits of a block hash in the name of a leaf set's snapshot. */
const SNAPSHOT_DIGITS = 12;

/**
 * Names of the entries of a state archive, all that a receiver looks at. Missing ones are left out.
 *
 * @param blockHash - of the block whose state it is, 32 bytes; its first digits name the leaf sets
 * @throws RangeError if it is not 32 bytes
 */
export function archiveEntries(blockHash: Uint8Array): string[] {
  if (blockHash.length !== HASH_SIZE) {
    throw new RangeError(`block hash must be ${HASH_SIZE} bytes, got ${blockHash.length}`);
  }
  const suffix = toHex(blockHash).slice(0, SNAPSHOT_DIGITS);
  return [
    "kernel/pmmr_data.bin",
    "kernel/pmmr_hash.bin",
    "output/pmmr_data.bin",
    "output/pmmr_hash.bin",
    "output/pmmr_prun.bin",
    "rangeproof/pmmr_data.bin",
    "rangeproof/pmmr_hash.bin",
    "rangeproof/pmmr_prun.bin",
    `output/pmmr_leaf.bin.${suffix}`,
    `rangeproof/pmmr_leaf.bin.${suffix}`,
  ];
}
