import {
  AofError,
  type BlobSpec,
  FileGroup,
  type FileSystem,
  type GroupLayout,
  type GroupOptions,
  SIZE_ENTRY_BYTES,
} from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { equalBytes, toHex } from "@x/hash";
import { checkRecordSize, type ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { grinHashing } from "../fast-hashing.ts";
import type { MmrHashing } from "../hashing.ts";
import { isValidSize, leafCount } from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import { ReadonlyPmmr } from "../view.ts";
import { adopt } from "./adopt.ts";
import { type LoadedState, PmmrFileBackend } from "./backend.ts";
import { appendFilesOf, type FolderShape, Problems, reasonOf, summarise } from "./folder.ts";
import { restoreSet } from "./leaf-set.ts";
import {
  DATA_FILE,
  GROUP_PREFIX,
  HASH_FILE,
  JOURNAL_FILE,
  LEAF_FILE,
  PRUNE_FILE,
  snapshotName,
} from "./names.ts";
import { newPmmrFolder, type PmmrFolder } from "./pmmr-folder.ts";
import { PruneList } from "./prune-list.ts";
import { decodeStateMeta, encodeStateMeta } from "./state-meta.ts";

/** How a folder is opened. Options of the files are passed on to `@x/append-only-file`. */
export interface OpenPmmrOptions<E, S = E> extends Pick<
  GroupOptions,
  | "readOnly"
  | "adopt"
  | "bulkBytesMin"
  | "journalBytesMax"
  | "journalRecordsMax"
  | "cachePagesMax"
  | "copiesMax"
  | "metrics"
  | "allocate"
> {
  /** How elements become records and hashes. Must be the one the folder was written with. */
  readonly codec: ElementCodec<E, S>;
  /** Whether leaves can be spent and subtrees compacted. Must be as the folder was written. Default: false. */
  readonly prunable?: boolean;
  /** How nodes are hashed. Must be the rule the folder was written with. Default: Grin's with BLAKE2b-256. */
  readonly hashing?: MmrHashing;
  /**
   * Makes a damaged folder consistent: cuts all files to the largest size they share, or finishes a compaction that Grin was
   * interrupted in. Nothing is changed in a folder that cannot be repaired. Default: false.
   */
  readonly repair?: boolean;
  /** Refuses, with `PMMR_ROLLED_BACK`, a folder that does not hold a state the caller knows it held. Default: nothing. */
  readonly expect?: ExpectedState;
  /**
   * 12 hex digits of a snapshot of the leaf set to take instead of the leaf set on file, as when a folder came from a state
   * archive. The replacement is committed before the promise resolves. Default: none.
   */
  readonly snapshot?: string;
  /**
   * Compares every record that is read with its stored hash, where the codec can: one hash per read, and a damaged record is
   * PMMR_DAMAGED instead of a wrong element. Default: false.
   */
  readonly checkReads?: boolean;
}

/** What the owner remembers of an acknowledged state, kept where a lying or swapped disk cannot reach it. */
export interface ExpectedState {
  /** Nodes that the range had; it may have more by now, not fewer. */
  readonly size?: number;
  /** Root of the range at `size`; 32 bytes. Needs `size`. */
  readonly root?: Uint8Array;
  /** Number of the commit, as `PmmrFolder.sequence` told it; also catches an older leaf set. Counts anew after a hand-over. */
  readonly sequence?: number;
}

/**
 * Opens the range in a folder, or creates it in an empty one.
 *
 * What a crash left is brought to exactly one committed state first. A folder that another program wrote is judged strictly
 * before anything is touched; what is wrong with it is listed in the error.
 *
 * @param fs - the folder, from `@x/append-only-file` or its `/node` entry
 * @throws PmmrError PMMR_DAMAGED with the list of problems, PMMR_ROLLED_BACK, PMMR_COMPACTED if `expect.size` lies inside a
 *   compacted subtree
 * @throws AofError from the files below, with codes of `@x/append-only-file`: `AOF_LOCKED`, `AOF_FOREIGN_CHANGE`,
 *   `AOF_JOURNAL_DAMAGED`, `AOF_TRUNCATED`, `AOF_MISSING`, `AOF_IO` and others
 */
export async function openPmmr<E, S = E>(
  fs: FileSystem,
  options: OpenPmmrOptions<E, S>,
): Promise<PmmrFolder<E, S>> {
  const shape = shapeOf(options);
  checkExpected(options.expect);
  checkSnapshot(options);
  const { group, state, isAdopted } = await openGroup(fs, shape, options);
  try {
    checkState(group, shape, state);
    const { codec, checkReads = false } = options;
    const backend = new PmmrFileBackend(group, { ...shape, codec, checkReads }, state);
    checkRoot(group, backend);
    checkAnchor(backend, shape.hashing, options.expect);
    const folder = newPmmrFolder(fs, group, backend, shape);
    if (options.snapshot !== undefined && !isAdopted) {
      folder.useSnapshot(options.snapshot);
      await folder.commit();
    }
    return folder;
  } catch (error) {
    try {
      await group.close();
    } catch {
      // Why the folder cannot be used matters more than why it could not be closed.
    }
    throw error;
  }
}

function checkSnapshot<E, S>(options: OpenPmmrOptions<E, S>): void {
  if (options.snapshot === undefined) return;
  snapshotName(options.snapshot);
  if (options.readOnly === true) throw new TypeError("readOnly and snapshot exclude each other");
  if (options.prunable !== true) throw new TypeError("a snapshot needs a prunable range");
}

/** What the options say a folder holds. */
export function shapeOf<E, S>(options: OpenPmmrOptions<E, S>): FolderShape {
  const { codec } = options;
  if (codec.recordSize !== undefined) checkRecordSize(codec.recordSize);
  const hashing = options.hashing ?? grinHashing();
  return {
    prunable: options.prunable ?? false,
    recordSize: codec.recordSize,
    ...(codec.recordSizeAt === undefined ? {} : { recordSizeAt: codec.recordSizeAt.bind(codec) }),
    hashing,
    hashRecord: (pos0, record) => {
      try {
        const hashForm = codec.storedHashForm(codec.load(record));
        return hashForm === undefined ? undefined : hashing.hashLeaf(pos0, hashForm);
      } catch {
        return undefined;
      }
    },
  };
}

/** What {@link openGroup} gives. */
export interface OpenedGroup {
  /** Whether the folder was judged, because no journal spoke for it. */
  readonly isAdopted: boolean;
  readonly group: FileGroup;
  readonly state: LoadedState;
}

/** Opens the files and reads the bitmaps; what they hold is not compared yet. */
export async function openGroup<E, S>(
  fs: FileSystem,
  shape: FolderShape,
  options: OpenPmmrOptions<E, S>,
): Promise<OpenedGroup> {
  let unspent = new Bitmap();
  let prune = new PruneList();
  let lacksPruneFile = false;
  let isAdopted = false;
  const problems = new Problems();
  const leafBlob: BlobSpec = {
    name: LEAF_FILE,
    restore: (bytes, deltas) => {
      const restored = restoreSet(bytes, deltas);
      unspent = restored;
      const kept = restored.clone();
      return () => kept.serialize();
    },
  };
  const pruneBlob: BlobSpec = {
    name: PRUNE_FILE,
    restore: (bytes, deltas) => {
      const roots = restoreSet(bytes, deltas);
      prune = PruneList.from(roots);
      lacksPruneFile = bytes === undefined;
      return () => roots.serialize();
    },
  };
  const layout: GroupLayout = {
    prefix: GROUP_PREFIX,
    files: appendFilesOf(shape),
    blobs: shape.prunable ? [leafBlob, pruneBlob] : [pruneBlob],
    adopt: (view, { repair }) => {
      isAdopted = true;
      const isWanted = repair && options.repair === true;
      const { snapshot, expect } = options;
      return adopt(view, shape, problems, { repair: isWanted, snapshot, size: expect?.size });
    },
  };
  // A folder from an archive has no leaf set until the snapshot takes its place: that is a repair to the group.
  const isArchive = options.snapshot !== undefined && !fs.list().includes(JOURNAL_FILE);
  try {
    const group = await FileGroup.open(fs, layout, {
      ...groupOptions(options),
      repair: isArchive || (options.repair ?? false),
      initialMeta: encodeStateMeta({ size: 0, root: shape.hashing.emptyRoot() }),
    });
    if (group.created) lacksPruneFile = false;
    return { group, isAdopted, state: { unspent, prune, lacksPruneFile } };
  } catch (error) {
    throw translated(error, problems);
  }
}

/** The options that are the group's. */
function groupOptions<E, S>(options: OpenPmmrOptions<E, S>): GroupOptions {
  const { codec: _, prunable: __, hashing: ___, checkReads: ____, ...rest } = options;
  const { snapshot: _____, expect, repair: ______, ...passed } = rest;
  const sequence = expect?.sequence;
  return sequence === undefined ? passed : { ...passed, expect: { sequence } };
}

/** An error of the group, with the typed problems where it is about damage that was judged here. */
function translated(error: unknown, problems: Problems): unknown {
  if (!(error instanceof AofError)) return error;
  if (error.code === "AOF_ROLLED_BACK") {
    return new PmmrError("PMMR_ROLLED_BACK", error.message, { cause: error });
  }
  if (error.code !== "AOF_DAMAGED") return error;
  if (problems.count === 0) {
    const file = error.message.split(" ", 1)[0] ?? "";
    problems.add("state", file.endsWith(".bin") ? file : "", `${error.message}${causeOf(error)}`);
  }
  const hint = error.repairable ? "; opening with repair would make it consistent" : "";
  return new PmmrError("PMMR_DAMAGED", `${summarise(problems.list)}${hint}`, {
    cause: error,
    problems: problems.list,
  });
}

function causeOf(error: AofError): string {
  return error.cause === undefined ? "" : `: ${reasonOf(error.cause)}`;
}

/** What lengths and bitmaps must say together, as far as that costs nothing; the rest is for verifying. */
function checkState(group: FileGroup, shape: FolderShape, state: LoadedState): void {
  const problems = new Problems();
  const { unspent, prune } = state;
  const [hashes, data, sizes] = group.files.map((file) => file.size);
  const size = (hashes ?? 0) / HASH_SIZE + prune.totalShift;
  const last1 = prune.count === 0 ? 0 : prune.root1At(prune.count - 1);
  const records =
    shape.recordSize === undefined
      ? (sizes ?? 0) / SIZE_ENTRY_BYTES
      : (data ?? 0) / shape.recordSize;
  if (!isValidSize(Math.floor(size)) || !Number.isInteger(size)) {
    problems.add("invalid-size", HASH_FILE, `${size} nodes: no valid size`, {
      found: String(size),
    });
  } else if (records !== leafCount(size) - prune.totalLeafShift) {
    const expected = String(leafCount(size) - prune.totalLeafShift);
    problems.add("record-count", DATA_FILE, `${records} records, want ${expected}`, {
      expected,
      found: String(records),
    });
  }
  const ends = [
    { name: LEAF_FILE, last: unspent.max() ?? 0 },
    { name: PRUNE_FILE, last: last1 },
  ];
  for (const { name, last } of ends) {
    if (last > size) {
      const kind = name === LEAF_FILE ? "leaf-entry" : "prune-entry";
      problems.add(kind, name, `position ${last} is beyond the end ${size}`, { position1: last });
    }
  }
  throwProblems(problems);
}

/** Compares what the files hold with what the last commit said they hold. */
function checkRoot<E, S>(group: FileGroup, backend: PmmrFileBackend<E, S>): void {
  const problems = new Problems();
  const committed = decodeStateMeta(group.meta);
  if (committed.size !== backend.size) {
    problems.add("state", HASH_FILE, `${backend.size} nodes, committed were ${committed.size}`, {
      expected: String(committed.size),
      found: String(backend.size),
    });
  } else {
    const root = backend.root();
    if (!equalBytes(root, committed.root)) {
      problems.add("root", HASH_FILE, `the peaks of ${backend.size} nodes do not make the root`, {
        expected: toHex(committed.root),
        found: toHex(root),
      });
    }
  }
  throwProblems(problems);
}

function throwProblems(problems: Problems): void {
  if (problems.count === 0) return;
  throw new PmmrError("PMMR_DAMAGED", summarise(problems.list), { problems: problems.list });
}

function checkExpected(expect: ExpectedState | undefined): void {
  if (expect?.size !== undefined && !isValidSize(expect.size)) {
    throw new RangeError(`expected size ${expect.size} is not a valid size`);
  }
  if (expect?.root === undefined) return;
  if (expect.size === undefined) throw new TypeError("an expected root needs its size");
  if (expect.root.length !== HASH_SIZE) {
    throw new RangeError(`expected root must be ${HASH_SIZE} bytes, got ${expect.root.length}`);
  }
}

/** Whether the range still contains the state that its owner remembers. */
function checkAnchor<E, S>(
  backend: PmmrFileBackend<E, S>,
  hashing: MmrHashing,
  expect: ExpectedState | undefined,
): void {
  if (expect?.size === undefined) return;
  if (backend.size < expect.size) {
    throw new PmmrError(
      "PMMR_ROLLED_BACK",
      `the folder holds ${backend.size} nodes, expected at least ${expect.size}`,
    );
  }
  if (expect.root === undefined) return;
  const view = new ReadonlyPmmr(backend, { hashing, size: expect.size });
  if (equalBytes(view.root(), expect.root)) return;
  throw new PmmrError(
    "PMMR_ROLLED_BACK",
    `the root at size ${expect.size} is not the expected one`,
  );
}
