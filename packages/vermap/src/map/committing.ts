import { VerMapError } from "../errors.ts";
import { type MapInternals } from "./map-internals.ts";
import { type Commit, type CommitMetadata } from "../records/commit-record.ts";
import { type BranchState } from "../repository/branch-table.ts";
import { type Repository } from "../repository/repository.ts";

/** What every call that writes may be told. */
export interface WriteOptions {
  /** Acknowledge only what survives a power cut. Default: as the map was opened. */
  readonly sync?: boolean;
}

/** What every call that makes a commit may be told. */
export interface CommitOptions extends CommitMetadata, WriteOptions {
  /** The head that the branch must have, 0 for none; otherwise VERMAP_HEAD_MOVED. Default: any. */
  readonly expectedHead?: number;
  /** The commit's time, in microseconds since 1970. Default: what the map's clock says. */
  readonly time?: number;
  /** Make no commit where the working state is that of the head, or empty without one. Default: false. */
  readonly skipEmpty?: boolean;
}

/** Whether a branch has uncommitted work: its root is not that of its head. Contents may be equal all the same. */
export function isDirty({ root, headRoot }: BranchState): boolean {
  return root !== headRoot;
}

/** @throws VerMapError VERMAP_UNCOMMITTED */
export function assertClean(branch: BranchState): void {
  if (isDirty(branch))
    throw new VerMapError("VERMAP_UNCOMMITTED", `branch ${branch.id} has uncommitted work`, {
      branchId: branch.id,
    });
}

/** @throws VerMapError VERMAP_HEAD_MOVED */
export function assertHead(branch: BranchState, expected: number | undefined): void {
  if (expected !== undefined && branch.head !== expected)
    throw new VerMapError(
      "VERMAP_HEAD_MOVED",
      `the head of branch ${branch.id} is ${branch.head}, not ${expected}`,
      { branchId: branch.id, commitId: branch.head },
    );
}

/**
 * The record of a commit that is made next. The caller has the turn.
 *
 * @throws TypeError, RangeError if the metadata is malformed
 */
export async function newCommit<K, V>(
  { repository, clock, isMonotone }: MapInternals<K, V>,
  content: { readonly root: number; readonly parents: readonly number[] },
  options: CommitOptions,
): Promise<Commit> {
  const { message, author, fields } = checkedMetadata(options);
  const time = checkedTime(options.time ?? clock());
  const floor = isMonotone ? await lastTime(repository, content.parents) : 0;
  return {
    id: repository.nextCommitId,
    root: content.root,
    parents: content.parents,
    time: checkedTime(Math.max(time, floor)),
    isCut: false,
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    ...(fields === undefined || fields.size === 0 ? {} : { fields: new Map(fields) }),
  };
}

/** One above the greatest time of the parents. */
async function lastTime(repository: Repository, parents: readonly number[]): Promise<number> {
  const commits = await repository.run(repository.commits.read(parents));
  let floor = 0;
  for (const commit of commits) floor = Math.max(floor, (commit?.time ?? 0) + 1);
  return floor;
}

function checkedTime(time: number): number {
  if (!Number.isSafeInteger(time) || time < 0)
    throw new RangeError(`time is ${time}, not microseconds since 1970`);
  return time;
}

function checkedMetadata({ message, author, fields }: CommitMetadata): CommitMetadata {
  for (const [name, text] of [["message", message] as const, ["author", author] as const])
    if (text !== undefined && typeof text !== "string")
      throw new TypeError(`${name} is a ${typeof text}, not a string`);
  if (fields !== undefined && !(fields instanceof Map)) throw new TypeError("fields is not a Map");
  return {
    ...(message === undefined ? {} : { message }),
    ...(author === undefined ? {} : { author }),
    ...(fields === undefined ? {} : { fields }),
  };
}

/** Microseconds since 1970 by the platform's clock; 0 before. */
export function systemClock(): number {
  return Math.max(0, Date.now() * 1000);
}
