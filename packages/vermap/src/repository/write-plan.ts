import { type Operation } from "@x/store";

import { type Anchor } from "../records/anchor-record.ts";
import { type BranchRecord } from "../records/branch-record.ts";
import { type Commit } from "../records/commit-record.ts";

/** A branch that is made, changed or deleted. */
export interface BranchChange {
  readonly id: number;
  /** As it shall be; `undefined`: deleted. Its root is saved. */
  readonly to: BranchRecord | undefined;
}

/** An anchor that is set or deleted. */
export interface AnchorChange {
  readonly kind: number;
  readonly name: Uint8Array;
  /** `undefined`: deleted. */
  readonly to: Anchor | undefined;
}

/**
 * What one batch does, said in records. Counts of commits and roots, and what is collected with them, follow from it: nobody
 * who makes a plan has to count.
 */
export interface WritePlan {
  /** Commits that are new; ids from `Repository.nextCommitId` on, ascending. Something else in the plan mentions each. */
  readonly commits?: readonly Commit[];
  /** Commits that are there, with other content. */
  readonly replaced?: readonly Commit[];
  readonly branches?: readonly BranchChange[];
  readonly anchors?: readonly AnchorChange[];
  /** The branch that cannot be deleted from now on. */
  readonly main?: number;
  /** Other records, outside the map's. */
  readonly operations?: readonly Operation[];
  /** Acknowledge only what survives a power cut. Default: as the map was opened. */
  readonly sync?: boolean;
}

/** What a write did. */
export interface WriteReport {
  /** Commits that nothing mentioned any more. */
  readonly collectedCommits: readonly number[];
  readonly nodesWritten: number;
  readonly nodesDeleted: number;
  /** Of the nodes. */
  readonly bytesWritten: number;
}
