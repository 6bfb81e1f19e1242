import { SIZE_ENTRY_BYTES } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { equalBytes } from "@x/hash";
import {
  heightOf,
  isLeaf,
  isValidSize,
  leafCount,
  leafIndexAt,
  leafPosition,
  leftmostLeaf,
  peakSizes,
  peaks,
} from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import { type FolderShape, type FolderView, Problems } from "./folder.ts";
import { type FolderState, readBitmap, wrongLeaf } from "./judge.ts";
import { DATA_FILE, HASH_FILE, LEAF_FILE, leftoverOf, PRUNE_FILE, SIZE_FILE } from "./names.ts";
import { PruneList } from "./prune-list.ts";
import { recoverRoots } from "./recover-roots.ts";
import { readSizeEntry, rebuildSizes, type SizeEntry, surveySizes } from "./size-entries.ts";

/**
 * Makes a damaged folder consistent again, from what is in it.
 *
 * Two things happen to folders. An append was interrupted: files end at different places, and the answer is the largest size
 * that all of them hold. Or a compaction of the original was interrupted: files are partly replaced, some content sits in a
 * `.tmp` file, the list of pruned roots is the old one; then hashes tell which subtrees are gone (see `recover-roots.ts`).
 *
 * A candidate counts only if the hashes along the right edge of every tree are made by their children, which no file that is
 * shifted against its list survives. The leaf set is never guessed: without a readable one nothing is repaired.
 */
export function planRepair(
  view: FolderView,
  shape: FolderShape,
  options: RepairOptions = {},
): RepairPlan | undefined {
  const unspent = options.unspent ?? readLeafSet(view, shape);
  if (unspent === undefined || hasNonLeaf(unspent)) return undefined;
  const sources = sourcesOf(view, shape);
  const effort = options.quick === true ? QUICK : FULL;
  for (const candidate of candidates(view, shape, sources, unspent, effort)) {
    const plan = fit(view, shape, candidate, unspent, options.size);
    if (plan !== undefined) return plan;
  }
  return undefined;
}

export interface RepairOptions {
  /** Leaf set to use instead of the file. */
  readonly unspent?: Bitmap;
  /** Go back to this size, where the folder holds more. */
  readonly size?: number;
  /** Only find out, at little cost, whether there is a plan; one that takes long to find is not found. Default: false. */
  readonly quick?: boolean;
}

/** Where each file's content comes from, and where it ends. */
export interface RepairPlan {
  readonly state: FolderState;
  readonly hashFile: string;
  readonly dataFile: string;
  /** Bytes of each append file that stay. */
  readonly hashSize: number;
  readonly dataSize: number;
  /** Content of the size file; `undefined` where records have one size. */
  readonly sizeEntries: Uint8Array<ArrayBuffer> | undefined;
}

/** A file of element records: how many it holds, and the size entries that go with them. */
interface DataSource {
  readonly name: string;
  readonly recordCount: number;
  readonly sizeEntries: Uint8Array<ArrayBuffer> | undefined;
}

interface Sources {
  readonly hashFiles: readonly string[];
  readonly data: readonly DataSource[];
  /** The roots on file, rolled up; empty where the file cannot be read. */
  readonly prune: PruneList;
}

interface Candidate {
  readonly hashFile: string;
  readonly data: DataSource;
  readonly prune: PruneList;
  /** Largest size that both files hold. */
  readonly size: number;
}

/** How much is tried for a range whose size is unknown. */
interface Effort {
  /** Sizes beyond the last unspent leaf, in leaves. */
  readonly sizesMax: number;
  /** Hashes looked at in one file, over all sizes. Most sizes fail at once; what does not end is given up. */
  stepsMax(hashCount: number): number;
}

const QUICK: Effort = { sizesMax: 32, stepsMax: () => 65_536 };
const FULL: Effort = { sizesMax: 4096, stepsMax: (hashCount) => 64 * hashCount + 65_536 };

function readLeafSet(view: FolderView, shape: FolderShape): Bitmap | undefined {
  if (!shape.prunable) return new Bitmap();
  if (view.size(LEAF_FILE) === undefined) return undefined;
  return readBitmap(view, LEAF_FILE, new Problems());
}

/** No damage of other files explains an entry that is no leaf. */
function hasNonLeaf(unspent: Bitmap): boolean {
  for (const pos1 of unspent) if (pos1 === 0 || !isLeaf(pos1 - 1)) return true;
  return false;
}

function sourcesOf(view: FolderView, shape: FolderShape): Sources {
  const present = (name: string): string[] =>
    [name, leftoverOf(name)].filter((file) => view.size(file) !== undefined);
  const data = present(DATA_FILE).map((name) => dataSource(view, shape, name));
  const roots = readBitmap(view, PRUNE_FILE, new Problems());
  const usable = shape.prunable && roots !== undefined && !roots.has(0);
  return {
    hashFiles: present(HASH_FILE),
    data,
    prune: usable ? PruneList.from(roots) : new PruneList(),
  };
}

function dataSource(view: FolderView, shape: FolderShape, name: string): DataSource {
  if (shape.recordSize !== undefined) {
    const recordCount = Math.floor((view.size(name) ?? 0) / shape.recordSize);
    return { name, recordCount, sizeEntries: undefined };
  }
  const onFile = name === DATA_FILE ? surveySizes(view, new Problems()) : { count: 0, dataSize: 0 };
  if (shape.recordSizeAt !== undefined && onFile.dataSize < (view.size(name) ?? 0)) {
    const sizeEntries = rebuildSizes(view, name, shape.recordSizeAt);
    const recordCount = sizeEntries.length / SIZE_ENTRY_BYTES;
    if (recordCount > onFile.count) return { name, recordCount, sizeEntries };
  }
  const sizeEntries = view.read(SIZE_FILE, 0, SIZE_ENTRY_BYTES * onFile.count);
  return { name, recordCount: onFile.count, sizeEntries };
}

/**
 * What the folder may be, the likeliest first. An interrupted append loses no leaf of the leaf set, which is written last; so
 * where a cut would, an interrupted compaction is the better explanation.
 *
 * @yields states to be tried
 */
function* candidates(
  view: FolderView,
  shape: FolderShape,
  sources: Sources,
  unspent: Bitmap,
  effort: Effort,
): Generator<Candidate, void, undefined> {
  const [data] = sources.data;
  if (data === undefined) return;
  const cuts = sources.hashFiles.flatMap((hashFile) => cutOf(view, hashFile, data, sources.prune));
  const last1 = unspent.max() ?? 0;
  for (const cut of cuts) if (last1 <= cut.size) yield cut;
  if (shape.prunable) yield* compacted(view, shape, sources, unspent, effort);
  yield* cuts;
}

/** The largest size that a hash file and a data file both hold, with the roots that lie in it. */
function cutOf(
  view: FolderView,
  hashFile: string,
  data: DataSource,
  roots: PruneList,
): Candidate[] {
  const hashCount = hashCountOf(view, hashFile);
  const prune = roots.clone();
  for (;;) {
    const size = Math.min(
      validSizeBelow(hashCount + prune.totalShift),
      leafPosition(data.recordCount + prune.totalLeafShift),
    );
    const last1 = prune.count === 0 ? 0 : prune.root1At(prune.count - 1);
    if (last1 <= size) {
      // A root that was let go bounds the size: nothing of it is stored.
      const next1 = prune.count === roots.count ? undefined : roots.root1At(prune.count);
      const end = next1 === undefined ? size : Math.min(size, leftmostLeaf(next1 - 1));
      return [{ hashFile, data, prune, size: end }];
    }
    prune.rewind(leftmostLeaf(last1 - 1));
  }
}

/**
 * States in which the hash file lacks more subtrees than the list says.
 *
 * @yields states to be tried
 */
function* compacted(
  view: FolderView,
  shape: FolderShape,
  sources: Sources,
  unspent: Bitmap,
  effort: Effort,
): Generator<Candidate, void, undefined> {
  const last1 = unspent.max();
  const leavesMin = last1 === undefined ? 0 : leafCount(last1);
  // The data file may be the old one still; then it says what the size was.
  const leaves = sources.data.map((data) => data.recordCount + sources.prune.totalLeafShift);
  for (let i = 0; i <= effort.sizesMax; i++) leaves.push(leavesMin + i);
  for (const hashFile of sources.hashFiles) {
    const hashCount = hashCountOf(view, hashFile);
    const budget = { steps: effort.stepsMax(hashCount) };
    for (const count of new Set(leaves)) {
      const size = leafPosition(count);
      const hashesGone = size - hashCount;
      if (!sources.data.some((data) => canLack(hashesGone, count - data.recordCount))) continue;
      const { hashing } = shape;
      const known = sources.prune;
      const input = { view, hashFile, hashCount, size, unspent, hashing, budget, known };
      const prune = recoverRoots(input);
      if (prune === undefined || hashCount !== size - prune.totalShift) continue;
      const recordCount = count - prune.totalLeafShift;
      const data = sources.data.find((one) => one.recordCount === recordCount);
      if (data !== undefined) yield { hashFile, data, prune, size };
    }
  }
}

/**
 * Whether so many hashes and records can be absent together: a root of height h lacks 2^(h+1) - 2 hashes and 2^h records, so k of
 * them lack 2k hashes less than twice the records.
 */
function canLack(hashes: number, records: number): boolean {
  if (hashes === 0 || records === 0) return hashes === records;
  return records <= hashes && hashes <= 2 * records - 2 && hashes % 2 === 0;
}

function hashCountOf(view: FolderView, hashFile: string): number {
  return Math.floor((view.size(hashFile) ?? 0) / HASH_SIZE);
}

/** The largest valid size that is not above a number of nodes. */
function validSizeBelow(nodes: number): number {
  const { sizes } = peakSizes(nodes);
  // An invalid size misses the parents of its last leaf: the trees that are whole are a valid size.
  return isValidSize(nodes) ? nodes : sizes.reduce((sum, size) => sum + size, 0);
}

/** Cuts everything to one size and checks that it is a state; `undefined` if it is none. */
function fit(
  view: FolderView,
  shape: FolderShape,
  candidate: Candidate,
  unspentOnFile: Bitmap,
  sizeMax: number | undefined,
): RepairPlan | undefined {
  const size = Math.min(candidate.size, sizeMax ?? candidate.size);
  if (!isValidSize(size) || candidate.prune.spanning(size) !== undefined) return undefined;
  if (size === 0 && (unspentOnFile.size > 0 || candidate.prune.count > 0)) return undefined;
  const unspent = upTo(unspentOnFile, size);
  const prune = withoutUnspentLeaves(candidate.prune, unspent, size);
  const hashFileCount = hashCountOf(view, candidate.hashFile);
  const hashCount = size - prune.totalShift;
  const recordCount = leafCount(size) - prune.totalLeafShift;
  const state = { size, prune, unspent, hashCount, recordCount };
  if (hashFileCount < hashCount || candidate.data.recordCount < recordCount) return undefined;
  if (wrongLeaf(state) !== undefined) return undefined;
  const sizeEntries = candidate.data.sizeEntries?.slice(0, SIZE_ENTRY_BYTES * recordCount);
  const plan = {
    state,
    hashFile: candidate.hashFile,
    dataFile: candidate.data.name,
    hashSize: HASH_SIZE * hashCount,
    dataSize: recordAt(shape, sizeEntries, recordCount).offset,
    sizeEntries,
  };
  return isAligned(view, shape, plan) ? plan : undefined;
}

/** Where a record lies in the data file; for the number of records, where the next would begin. */
function recordAt(
  shape: FolderShape,
  sizeEntries: Uint8Array | undefined,
  index: number,
): SizeEntry {
  if (shape.recordSize !== undefined) {
    return { offset: shape.recordSize * index, size: shape.recordSize };
  }
  const entries = sizeEntries ?? new Uint8Array(0);
  if (SIZE_ENTRY_BYTES * index < entries.length) return readSizeEntry(entries, index);
  if (index === 0) return { offset: 0, size: 0 };
  const { offset, size } = readSizeEntry(entries, index - 1);
  return { offset: offset + size, size: 0 };
}

/** The entries that are not beyond the end. */
function upTo(unspent: Bitmap, size: number): Bitmap {
  const kept = new Bitmap();
  for (const pos1 of unspent) if (pos1 <= size) kept.add(pos1);
  return kept;
}

/**
 * The roots inside the range. A root that is a leaf and unspent goes: the original lets a rewind bring such a leaf back, its
 * hash and record are there, and as a root it shifts nothing.
 */
function withoutUnspentLeaves(prune: PruneList, unspent: Bitmap, size: number): PruneList {
  const kept: number[] = [];
  for (const root1 of prune.roots1()) {
    const isUnspentLeaf = heightOf(root1 - 1) === 0 && unspent.has(root1);
    if (root1 <= size && !isUnspentLeaf) kept.push(root1);
  }
  return PruneList.from(kept);
}

/**
 * Whether the nodes on the right edge of every tree are made by their children, and the leaf at its end by its record. At most
 * 33 * 32 hashes.
 */
function isAligned(view: FolderView, shape: FolderShape, plan: RepairPlan): boolean {
  const { prune, size } = plan.state;
  const hashAt = (pos0: number): Uint8Array =>
    view.read(plan.hashFile, HASH_SIZE * (pos0 - prune.shift(pos0)), HASH_SIZE);
  for (const peak of peaks(size)) {
    let pos0 = peak;
    for (; leftmostLeaf(pos0) < pos0 && !prune.isRoot(pos0); pos0--) {
      const left = pos0 - 2 ** heightOf(pos0);
      const made = shape.hashing.hashInner(pos0, hashAt(left), hashAt(pos0 - 1));
      if (!equalBytes(made, hashAt(pos0))) return false;
    }
    const index = leafIndexAt(pos0);
    if (index === undefined) continue;
    const record = index - prune.leafShift(pos0);
    const { offset, size: length } = recordAt(shape, plan.sizeEntries, record);
    const made = shape.hashRecord?.(pos0, view.read(plan.dataFile, offset, length));
    if (made !== undefined && !equalBytes(made, hashAt(pos0))) return false;
  }
  return true;
}
