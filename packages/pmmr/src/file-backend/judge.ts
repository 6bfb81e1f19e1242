import { SIZE_ENTRY_BYTES } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { family, isLeaf, isValidSize, leafCount, leftmostLeaf, peaks } from "../position.ts";
import { bagPeaks, type MmrHashing } from "../hashing.ts";
import { HASH_SIZE } from "../wire.ts";
import { appendFilesOf, type FolderShape, type FolderView, Problems, reasonOf } from "./folder.ts";
import { DATA_FILE, HASH_FILE, LEAF_FILE, PRUNE_FILE, SIZE_FILE } from "./names.ts";
import { readSet } from "./leaf-set.ts";
import { PruneList } from "./prune-list.ts";
import { surveySizes } from "./size-entries.ts";

/**
 * Strict reading of a folder that no journal speaks for: everything that can be known wrong from lengths and bitmaps alone.
 *
 * A consistent folder of N nodes, pruned roots R and unspent leaves S obeys
 * 1. N is a valid size, every root is below N, no root lies below another, and no two are siblings;
 * 2. hashes = N - sum over R of (2^(h+1) - 2), 32 bytes each;
 * 3. records = leaves of N - sum over roots of height h >= 1 of 2^h;
 * 4. size entries, where there are any, chain from 0 to the end of the data;
 * 5. S holds leaves below N only, none of them in R or below it.
 *
 * What hashes say about content is not looked at: that costs a pass over everything, and is what verifying is for.
 */

/** A consistent folder. */
export interface FolderState {
  readonly size: number;
  readonly prune: PruneList;
  /** 1-based positions of unspent leaves; empty where the range is not prunable. */
  readonly unspent: Bitmap;
  readonly hashCount: number;
  readonly recordCount: number;
}

/**
 * Judges a folder: everything wrong with it, or the state that it holds.
 *
 * @param leafFile - file of the leaf set; default: the usual one
 */
export function judgeFolder(
  view: FolderView,
  shape: FolderShape,
  leafFile: string = LEAF_FILE,
): Judgement {
  const problems = new Problems();
  checkPresence(view, shape, leafFile, problems);
  const hashCount = countFixed(view, HASH_FILE, HASH_SIZE, problems);
  const recordCount =
    shape.recordSize === undefined
      ? surveyVariable(view, problems)
      : countFixed(view, DATA_FILE, shape.recordSize, problems);
  const prune = readPruneList(view, shape, problems);
  const unspent = shape.prunable ? readBitmap(view, leafFile, problems) : new Bitmap();
  if (problems.count > 0 || prune === undefined || unspent === undefined) {
    return { problems: problems.list };
  }
  const state = { size: hashCount + prune.totalShift, prune, unspent, hashCount, recordCount };
  checkTogether(state, leafFile, problems);
  return problems.count > 0 ? { problems: problems.list } : { problems: [], state };
}

export interface Judgement {
  /** Empty exactly when there is a state. */
  readonly problems: Problems["list"];
  readonly state?: FolderState;
}

/** Root of a state from the peaks in its hash file. */
export function rootOf(
  view: FolderView,
  state: Pick<FolderState, "size" | "prune">,
  hashing: MmrHashing,
  hashFile: string = HASH_FILE,
): Uint8Array<ArrayBuffer> {
  const hashes = peaks(state.size).map((pos0) =>
    view.read(hashFile, HASH_SIZE * (pos0 - state.prune.shift(pos0)), HASH_SIZE),
  );
  return bagPeaks(hashing, state.size, hashes);
}

/** Whether nothing was ever stored: then missing files mean the empty range. */
export function isEmptyFolder(view: FolderView, shape: FolderShape): boolean {
  return appendFilesOf(shape).every(({ name }) => (view.size(name) ?? 0) === 0);
}

function checkPresence(
  view: FolderView,
  shape: FolderShape,
  leafFile: string,
  problems: Problems,
): void {
  const needed = appendFilesOf(shape).map(({ name }) => name);
  if (shape.prunable) needed.push(leafFile);
  if (!isEmptyFolder(view, shape)) {
    for (const name of needed) {
      if (view.size(name) === undefined) {
        problems.add("missing-file", name, `${name} is missing`);
      }
    }
  }
  for (const name of [SIZE_FILE, LEAF_FILE]) {
    const isOurs = needed.includes(name) || (shape.prunable && name === LEAF_FILE);
    if (!isOurs && view.size(name) !== undefined) {
      problems.add("unexpected-file", name, `${name} does not belong to a range of this kind`);
    }
  }
}

function countFixed(
  view: FolderView,
  name: string,
  recordSize: number,
  problems: Problems,
): number {
  const size = view.size(name) ?? 0;
  const torn = size % recordSize;
  if (torn !== 0) {
    problems.add(
      "torn-record",
      name,
      `${name} is ${size} bytes, which ends ${torn} bytes into a record of ${recordSize}`,
      { offset: size - torn, expected: String(size - torn), found: String(size) },
    );
  }
  return Math.floor(size / recordSize);
}

function surveyVariable(view: FolderView, problems: Problems): number {
  countFixed(view, SIZE_FILE, SIZE_ENTRY_BYTES, problems);
  return surveySizes(view, problems).count;
}

/** The set in a bitmap file, empty where there is no file; `undefined` after reporting bytes that are not one. */
export function readBitmap(view: FolderView, name: string, problems: Problems): Bitmap | undefined {
  const size = view.size(name);
  if (size === undefined) return new Bitmap();
  try {
    return readSet(view.read(name, 0, size));
  } catch (error) {
    problems.add("bitmap", name, `${name} is no bitmap: ${reasonOf(error)}`);
    return undefined;
  }
}

function readPruneList(
  view: FolderView,
  shape: FolderShape,
  problems: Problems,
): PruneList | undefined {
  const roots = readBitmap(view, PRUNE_FILE, problems);
  if (roots === undefined) return undefined;
  if (!shape.prunable && roots.size > 0) {
    problems.add("prune-entry", PRUNE_FILE, `${roots.size} pruned roots in a range not prunable`);
    return undefined;
  }
  const wrong = wrongRoot(roots);
  if (wrong === undefined) return PruneList.from(roots);
  problems.add("prune-entry", PRUNE_FILE, wrong.message, { position1: wrong.root1 });
  return undefined;
}

/** The first root that cannot stand in a prune list, and why. */
export function wrongRoot(
  roots1: Iterable<number>,
): { readonly root1: number; readonly message: string } | undefined {
  let before1 = 0;
  for (const root1 of roots1) {
    if (root1 === 0) return { root1, message: "pruned root 0: positions count from 1" };
    if (leftmostLeaf(root1 - 1) < before1) {
      return { root1, message: `pruned root ${before1} lies below pruned root ${root1}` };
    }
    if (before1 !== 0 && family(root1 - 1).sibling === before1 - 1) {
      return { root1, message: `pruned roots ${before1} and ${root1} are siblings` };
    }
    before1 = root1;
  }
  return undefined;
}

function checkTogether(state: FolderState, leafFile: string, problems: Problems): void {
  const { size, prune, hashCount, recordCount } = state;
  const last1 = prune.count === 0 ? 0 : prune.root1At(prune.count - 1);
  if (!isValidSize(size)) {
    problems.add(
      "invalid-size",
      HASH_FILE,
      `${hashCount} hashes make ${size} nodes: no valid size`,
      {
        found: String(size),
      },
    );
  } else if (size < last1) {
    problems.add("prune-entry", PRUNE_FILE, `pruned root ${last1} is beyond the end ${size}`, {
      position1: last1,
    });
  } else {
    const expected = leafCount(size) - prune.totalLeafShift;
    if (recordCount !== expected) {
      problems.add("record-count", DATA_FILE, `${recordCount} records, want ${expected}`, {
        expected: String(expected),
        found: String(recordCount),
      });
    }
  }
  const wrong = wrongLeaf(state);
  if (wrong !== undefined) {
    problems.add("leaf-entry", leafFile, wrong.message, { position1: wrong.pos1 });
  }
}

/** The first entry of the leaf set that is no unspent leaf of the range, and why. */
export function wrongLeaf(
  state: Pick<FolderState, "size" | "prune" | "unspent">,
): { readonly pos1: number; readonly message: string } | undefined {
  for (const pos1 of state.unspent) {
    const pos0 = pos1 - 1;
    if (pos1 === 0) return { pos1, message: "unspent leaf 0: positions count from 1" };
    if (state.size < pos1) {
      return { pos1, message: `unspent leaf ${pos1} is beyond the end ${state.size}` };
    }
    if (!isLeaf(pos0)) return { pos1, message: `unspent leaf ${pos1} is no leaf` };
    if (state.prune.isPruned(pos0)) {
      return { pos1, message: `unspent leaf ${pos1} was pruned` };
    }
  }
  return undefined;
}
