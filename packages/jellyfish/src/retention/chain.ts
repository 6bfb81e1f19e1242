import { type Operation, type Reading } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import {
  encodeTreeRecord,
  encodeVersion,
  TREE_KEY,
  type TreeRecord,
  type Version,
  versionKey,
} from "../tree/layout.ts";
import { type LedgerEntries, RunChanges, settleRuns } from "./ledger.ts";
import { overlaid } from "./overlaid.ts";
import { type RunSource, visitRuns } from "./runs.ts";

/** The retained roots of one store, oldest first, and the record that goes with them. */
export interface ChainState {
  readonly record: TreeRecord;
  readonly versions: readonly Version[];
}

/** A version that joins the chain. */
export interface Arrival {
  /** The version it was built on. It is the last of the chain once those that leave first have left. */
  readonly base: Version;
  readonly kind: Version["kind"];
  readonly root: Uint8Array<ArrayBuffer>;
  readonly leafCount: number;
  readonly target: Uint8Array<ArrayBuffer> | undefined;
  /** Finds the records of nodes that are not in the store, and perhaps of some that are. */
  readonly nodeBytes: (hash: Uint8Array) => Uint8Array | undefined;
  /** Nodes of this tree that the base has not, and the other way round. Default: found by walking both. */
  readonly difference: TreeDifference | undefined;
}

/** What two trees do not share. */
export interface TreeDifference {
  readonly gained: readonly (readonly [hash: Uint8Array, bytes: Uint8Array])[];
  readonly lost: readonly Uint8Array[];
}

/** One change of the chain. */
export interface ChainChange {
  readonly arrival: Arrival | undefined;
  /** Versions that leave. */
  readonly departures: readonly Version[];
  /** Versions of which only the record changes. */
  readonly rewritten: readonly Version[];
}

/** What a change of the chain writes, all in one batch, and what the chain is then. */
export interface ChainPlan {
  readonly operations: readonly Operation[];
  readonly state: ChainState;
  readonly entries: LedgerEntries;
}

/** What else planning needs. */
export interface ChainContext {
  readonly source: RunSource;
  readonly placeholder: Uint8Array;
  /** Nodes by which a version and the one that follows it differ, where that is remembered. */
  readonly remembered: (version: Version, next: Version) => readonly Uint8Array[] | undefined;
}

/**
 * Plans one change: which nodes are written and deleted, which counts change, and the records of the versions.
 *
 * Versions built on what is about to leave, or never finished, leave before the arrival joins, so that it joins at the
 * end and directly after its base.
 *
 * @yields keys of nodes and of run counts
 */
export function* planChange(
  context: ChainContext,
  state: ChainState,
  change: ChainChange,
): Reading<ChainPlan> {
  const { arrival, departures, rewritten } = change;
  const changes = new RunChanges();
  let versions: readonly Version[] = state.versions.map(
    (version) => rewritten.find(({ sequence }) => sequence === version.sequence) ?? version,
  );
  const joined = arrival === undefined ? undefined : arrivingVersion(arrival, versions);
  // The nodes of unfinished versions after the base are not what the arrival was compared with.
  const isFirst = (version: Version) =>
    arrival !== undefined && arrival.base.sequence < version.sequence;
  const first = departures.filter((version) => isFirst(version));
  for (const version of first)
    versions = yield* leave(context, arrival, versions, version, changes);
  if (arrival !== undefined && joined !== undefined) {
    yield* addGains(context, arrival, changes);
    versions = [...versions, joined];
  }
  for (const version of departures.filter((each) => !isFirst(each)))
    versions = yield* leave(context, arrival, versions, version, changes);
  const entries = yield* settleRuns(changes, {
    gainsAreNew: arrival !== undefined && gainsAreNew(context, arrival, versions),
    countsAreOne: state.record.runCountCount === 0,
  });
  const record: TreeRecord = {
    ...state.record,
    generation: state.record.generation + 1,
    nodeCount: state.record.nodeCount + entries.nodeCountChange,
    runCountCount: state.record.runCountCount + entries.runCountCountChange,
  };
  const operations = entries.operations;
  for (const { sequence } of departures)
    operations.push({ type: "del", key: versionKey(sequence) });
  for (const version of joined === undefined ? rewritten : [...rewritten, joined])
    operations.push({
      type: "put",
      key: versionKey(version.sequence),
      value: encodeVersion(version),
    });
  operations.push({ type: "put", key: TREE_KEY, value: encodeTreeRecord(record) });
  return { operations, state: { record, versions }, entries };
}

function arrivingVersion(arrival: Arrival, versions: readonly Version[]): Version {
  const last = versions.at(-1) as Version;
  const { kind, root, leafCount, target } = arrival;
  return { sequence: last.sequence + 1, kind, root, leafCount, holdCount: 0, target };
}

function* addGains(
  context: ChainContext,
  { difference, base, root, nodeBytes }: Arrival,
  changes: RunChanges,
): Reading<void> {
  if (difference !== undefined) {
    for (const [hash, bytes] of difference.gained) changes.add(hash, 1, bytes);
    return;
  }
  const neighbourhood = {
    before: rootOf(context, base.root),
    middle: rootOf(context, root),
    after: undefined,
  };
  const walk = visitRuns(context.source, neighbourhood, (hash) =>
    changes.add(hash, 1, nodeBytes(hash)),
  );
  yield* overlaid(walk, nodeBytes);
}

// Takes a version out of the chain: its runs, and those it kept apart.
function* leave(
  context: ChainContext,
  arrival: Arrival | undefined,
  versions: readonly Version[],
  leaving: Version,
  changes: RunChanges,
): Reading<readonly Version[]> {
  const at = versions.findIndex(({ sequence }) => sequence === leaving.sequence);
  const before = rootOf(context, versions[at - 1]?.root);
  const after = versions[at + 1];
  const lost = before === undefined ? lostTo(context, arrival, leaving, after) : undefined;
  if (lost === undefined) {
    const neighbourhood = {
      before,
      middle: rootOf(context, leaving.root),
      after: rootOf(context, after?.root),
    };
    const visit = (hash: Uint8Array): void => changes.add(hash, -1);
    // Only what leaves beside the arrival is compared with nodes that are not stored.
    if (arrival !== undefined && versions.length === at + 2)
      yield* overlaid(visitRuns(context.source, neighbourhood, visit), arrival.nodeBytes);
    else yield* visitRuns(context.source, neighbourhood, visit);
  } else for (const hash of lost) changes.add(hash, -1);
  return versions.toSpliced(at, 1);
}

/** With nothing before it, what a version has alone is what the next one lost, where that is known. */
function lostTo(
  context: ChainContext,
  arrival: Arrival | undefined,
  leaving: Version,
  next: Version | undefined,
): readonly Uint8Array[] | undefined {
  // What joins stands directly after its base.
  if (arrival !== undefined && leaving.sequence === arrival.base.sequence)
    return arrival.difference?.lost;
  return next === undefined ? undefined : context.remembered(leaving, next);
}

/**
 * Whether a node that the arrival gained cannot be in the store: no version that stays, but its base, has any, and trees of leaves
 * bring none from elsewhere. What a departing version alone had of it is settled with its departure.
 */
function gainsAreNew(
  context: ChainContext,
  arrival: Arrival,
  versions: readonly Version[],
): boolean {
  if (arrival.difference === undefined) return false;
  const others = versions.slice(0, -1).filter(({ sequence }) => sequence !== arrival.base.sequence);
  return others.every(({ root }) => rootOf(context, root) === undefined);
}

/** `undefined` for the empty tree, and for none. */
function rootOf(context: ChainContext, root: Uint8Array | undefined): Uint8Array | undefined {
  return root === undefined || sameBytes(root, context.placeholder) ? undefined : root;
}
