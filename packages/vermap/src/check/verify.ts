import { BTreeError, NodePool, type VerifyReport } from "@x/btree";
import { type StopSignal, type Store } from "@x/store";

import { RecordKeys } from "../records/record-keys.ts";
import { type MapFault } from "./fault.ts";
import { reachOf, rootsOf } from "./reach.ts";
import { type RecordSurvey, surveyRecords } from "./record-survey.ts";

/** See `VerMap.verify`. */
export interface MapVerifyOptions {
  /** Once aborted, its reason is thrown. Default: never. */
  readonly signal?: StopSignal;
  /** Called for every node of the tree, with how many were reached before. Default: not. */
  readonly onProgress?: (nodeCount: number) => void;
}

/** What `VerMap.verify` found. */
export interface MapVerifyReport {
  readonly ok: boolean;
  readonly commits: number;
  readonly branches: number;
  readonly anchors: number;
  /** Nodes of the tree that records lead to, each once. */
  readonly nodes: number;
  /** Of all of them. */
  readonly bytes: number;
  readonly faultCount: number;
  /** The first: of the records in the order of their keys, then of counts, then of the tree. */
  readonly firstBad?: MapFault;
}

/** A map as it is stored. */
export interface StoredMap {
  readonly store: Store;
  readonly keys: RecordKeys;
  readonly pool: NodePool;
}

/** Reads everything and checks all that must hold. Reports, and changes nothing. */
export async function verifyMap(
  { store, keys, pool }: StoredMap,
  options: MapVerifyOptions,
): Promise<MapVerifyReport> {
  const survey = await surveyRecords(store, keys, options.signal);
  return reportOf(survey, await pool.verify({ roots: rootsOf(survey), ...options }));
}

/**
 * As {@link verifyMap}, of a map that need not open: it may be damaged.
 *
 * @param prefix - as the map was opened with
 */
export async function verifyStored(
  store: Store,
  prefix: Uint8Array,
  options: MapVerifyOptions,
): Promise<MapVerifyReport> {
  const keys = new RecordKeys(prefix);
  let pool: NodePool;
  try {
    pool = await NodePool.open(store, { prefix: keys.nodes() });
  } catch (error) {
    if (!(error instanceof BTreeError)) throw error;
    return reportOf(await surveyRecords(store, keys, options.signal), error);
  }
  try {
    return await verifyMap({ store, keys, pool }, options);
  } finally {
    await pool.close();
  }
}

/** @param tree - what the tree's own check found, or why it could not begin */
function reportOf(survey: RecordSurvey, tree: VerifyReport | BTreeError): MapVerifyReport {
  const faults = [...survey.faults, ...recordFaults(survey), ...treeFaults(tree)];
  const { nodes, bytes, faultCount } = tree instanceof BTreeError ? NO_TREE : tree;
  const [firstBad] = faults;
  return {
    ok: firstBad === undefined,
    commits: survey.commits.size,
    branches: survey.branches.size,
    anchors: survey.anchors.length,
    nodes,
    bytes: survey.byteCount + bytes,
    // The first fault of the tree is in the list already.
    faultCount: faults.length + Math.max(0, faultCount - 1),
    ...(firstBad === undefined ? {} : { firstBad }),
  };
}

const NO_TREE = { nodes: 0, bytes: 0, faultCount: 0 };

function treeFaults(tree: VerifyReport | BTreeError): MapFault[] {
  if (tree instanceof BTreeError) return [{ kind: "tree", at: "pool", id: 0, detail: tree.code }];
  if (tree.firstBad === undefined) return [];
  const { kind: detail, ...fault } = tree.firstBad;
  return [{ ...fault, kind: "tree", at: "node", detail }];
}

/**
 * What records that can be read say of each other.
 *
 * @yields faults, of ids, names, missing commits and counts
 */
function* recordFaults(survey: RecordSurvey): Generator<MapFault> {
  const { commits, branches, mentions, state } = survey;
  const damaged = new Set(survey.faults.map(({ at, id }) => `${at} ${id}`));
  const reach = reachOf(survey);
  if (state !== undefined) {
    yield* idFaults("commit", commits.keys(), state.nextCommit);
    yield* idFaults("branch", branches.keys(), state.nextBranch);
    if (!branches.has(state.main) && !damaged.has(`branch ${state.main}`))
      yield { kind: "missing", at: "branch", id: state.main };
  }
  yield* nameFaults(survey);
  for (const fault of reach.missing) if (!damaged.has(`commit ${fault.id}`)) yield fault;
  // Where a record is unreadable, what it mentions cannot be counted.
  if (["commit", "branch", "anchor"].some((at) => survey.faults.some((one) => one.at === at)))
    return;
  for (const id of commits.keys()) {
    const expected = reach.mentions.get(id) ?? 0;
    const found = mentions.get(id) ?? 1;
    if (expected === 0) yield { kind: "orphan", at: "commit", id };
    else if (expected !== found && !damaged.has(`mentions ${id}`))
      yield { kind: "mention-count", at: "commit", id, expected, found };
  }
  for (const id of mentions.keys())
    if (!commits.has(id)) yield { kind: "orphan", at: "mentions", id };
}

function* idFaults(
  at: "commit" | "branch",
  ids: Iterable<number>,
  expected: number,
): Generator<MapFault> {
  for (const id of ids) if (id >= expected) yield { kind: "id", at, id, expected, found: id };
}

function* nameFaults({ branches }: RecordSurvey): Generator<MapFault> {
  const owners = new Map<string, number>();
  for (const [id, { name }] of branches) {
    const owner = owners.get(name);
    if (owner === undefined) owners.set(name, id);
    else yield { kind: "name", at: "branch", id, expected: owner, found: id };
  }
}
