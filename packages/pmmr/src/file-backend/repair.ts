import { Bitmap } from "@x/bitmap";
import { equalBytes } from "@x/hash";
import {
  heightOf,
  isValidSize,
  leafCount,
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
import { rebuildSizes, surveySizes } from "./size-entries.ts";

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
  if (unspent === undefined) return undefined;
  const sources = sourcesOf(view, shape);
  for (const candidate of candidates(view, shape, sources, unspent)) {
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

/** Sizes beyond the last unspent leaf that are tried for a range whose size is unknown, in leaves. */
const SIZES_TRIED_MAX = 4096;

function readLeafSet(view: FolderView, shape: FolderShape): Bitmap | undefined {
  if (!shape.prunable) return new Bitmap();
  if (view.size(LEAF_FILE) === undefined) return undefined;
  return readBitmap(view, LEAF_FILE, new Problems());
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
    const rebuilt = rebuildSizes(view, name, shape.recordSizeAt);
    if (rebuilt.survey.count > onFile.count) {
      return { name, recordCount: rebuilt.survey.count, sizeEntries: rebuilt.entries };
    }
  }
  const sizeEntries = view.read(SIZE_FILE, 0, 10 * onFile.count);
  return { name, recordCount: onFile.count, sizeEntries };
}

/**
 * What the folder may be, the likeliest first.
 *
 * @yields states to be tried
 */
function* candidates(
  view: FolderView,
  shape: FolderShape,
  sources: Sources,
  unspent: Bitmap,
): Generator<Candidate, void, undefined> {
  const { prune } = sources;
  const [data] = sources.data;
  if (data === undefined || sources.hashFiles.length === 0) return;
  for (const hashFile of sources.hashFiles) {
    const hashCount = Math.floor((view.size(hashFile) ?? 0) / HASH_SIZE);
    const size = Math.min(
      validSizeBelow(hashCount + prune.totalShift),
      leafPosition(data.recordCount + prune.totalLeafShift),
    );
    if (size > 0) yield { hashFile, data, prune, size };
  }
  if (shape.prunable) yield* compacted(view, shape, sources, unspent);
  yield { hashFile: sources.hashFiles[0] as string, data, prune, size: 0 };
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
): Generator<Candidate, void, undefined> {
  const lastLeaf = unspent.max();
  const leavesMin = lastLeaf === undefined ? 0 : leafCount(lastLeaf);
  // The data file may be the old one still; then it says what the size was.
  const leaves = sources.data.map((data) => data.recordCount + sources.prune.totalLeafShift);
  for (let i = 0; i <= SIZES_TRIED_MAX; i++) leaves.push(leavesMin + i);
  for (const hashFile of sources.hashFiles) {
    const hashCount = Math.floor((view.size(hashFile) ?? 0) / HASH_SIZE);
    // Every stored hash is tried a few times at most in all sizes together.
    const stepsMax = 16 * hashCount + 4096;
    for (const count of new Set(leaves)) {
      const size = leafPosition(count);
      const { hashing } = shape;
      const input = { view, hashFile, hashCount, size, unspent, hashing, stepsMax };
      const prune = recoverRoots({ ...input, known: sources.prune });
      if (prune === undefined || hashCount !== size - prune.totalShift) continue;
      const data = sources.data.find((one) => one.recordCount === count - prune.totalLeafShift);
      if (data !== undefined) yield { hashFile, data, prune, size };
    }
  }
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
  const hashCount = size - prune.totalShift;
  const recordCount = leafCount(size) - prune.totalLeafShift;
  const state = { size, prune, unspent, hashCount, recordCount };
  if (wrongLeaf(state) !== undefined) return undefined;
  if (!isAligned(view, shape, candidate.hashFile, state)) return undefined;
  const sizeEntries = candidate.data.sizeEntries?.slice(0, 10 * recordCount);
  return {
    state,
    hashFile: candidate.hashFile,
    dataFile: candidate.data.name,
    hashSize: HASH_SIZE * hashCount,
    dataSize: dataEnd(shape, sizeEntries, recordCount),
    sizeEntries,
  };
}

function dataEnd(
  shape: FolderShape,
  sizeEntries: Uint8Array | undefined,
  recordCount: number,
): number {
  if (shape.recordSize !== undefined) return shape.recordSize * recordCount;
  if (sizeEntries === undefined || recordCount === 0) return 0;
  const view = new DataView(sizeEntries.buffer, sizeEntries.byteOffset, sizeEntries.length);
  const at = 10 * (recordCount - 1);
  return Number(view.getBigUint64(at, false)) + view.getUint16(at + 8, false);
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

/** Whether the nodes on the right edge of every tree are made by their children. At most 32 * 32 hashes. */
function isAligned(
  view: FolderView,
  shape: FolderShape,
  hashFile: string,
  state: FolderState,
): boolean {
  const { prune, size } = state;
  const hashAt = (pos0: number): Uint8Array =>
    view.read(hashFile, HASH_SIZE * (pos0 - prune.shift(pos0)), HASH_SIZE);
  for (const peak of peaks(size)) {
    for (let pos0 = peak; leftmostLeaf(pos0) < pos0 && !prune.isRoot(pos0); pos0--) {
      const left = pos0 - 2 ** heightOf(pos0);
      const made = shape.hashing.hashInner(pos0, hashAt(left), hashAt(pos0 - 1));
      if (!equalBytes(made, hashAt(pos0))) return false;
    }
  }
  return true;
}
