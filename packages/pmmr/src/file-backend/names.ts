/** Names of the files in a folder; those of Grin, so that its folders open. What is in them: FORMAT.md, "Files". */

/** Hashes, 32 bytes each. */
export const HASH_FILE = "pmmr_hash.bin";
/** Element records. */
export const DATA_FILE = "pmmr_data.bin";
/** Where each record of variable size begins and ends. */
export const SIZE_FILE = "pmmr_size.bin";
/** Unspent leaves; prunable ranges only. */
export const LEAF_FILE = "pmmr_leaf.bin";
/** Roots of pruned subtrees. */
export const PRUNE_FILE = "pmmr_prun.bin";
/** Starts the names of the group's own files: `pmmr_journal.bin` and so on. */
export const GROUP_PREFIX = "pmmr";

/** The journal of the group: where it is, a commit protocol speaks for the folder. */
export const JOURNAL_FILE = "pmmr_journal.bin";

/** Next content of an append file while Grin compacts; it is left behind when that is interrupted. */
export function leftoverOf(name: string): string {
  return name.replace(/\.bin$/, ".tmp");
}

const SNAPSHOT_NAME = /^pmmr_leaf\.bin\.([0-9a-f]{12})$/;
const SNAPSHOT_ID = /^[0-9a-f]{12}$/;

/**
 * Name of the file that holds the snapshot of the leaf set called `id`.
 *
 * @throws TypeError unless `id` is 12 lower-case hex digits
 */
export function snapshotName(id: string): string {
  if (typeof id !== "string" || !SNAPSHOT_ID.test(id)) {
    throw new TypeError("snapshot must be 12 lower-case hex digits");
  }
  return `${LEAF_FILE}.${id}`;
}

/** The 12 hex digits of a snapshot's name, or `undefined` for any other name. */
export function snapshotId(name: string): string | undefined {
  return SNAPSHOT_NAME.exec(name)?.[1];
}
