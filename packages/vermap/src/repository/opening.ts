import { type Store } from "@x/store";
import { runAsync } from "@x/store";

import { VerMapError } from "../errors.ts";
import { CommitTable } from "../graph/commit-table.ts";
import { decodeBranch, encodeBranch } from "../records/branch-record.ts";
import {
  decodeFormat,
  decodeState,
  encodeFormat,
  encodeState,
  type FormatRecord,
  type StateRecord,
} from "../records/map-record.ts";
import { type RecordKeys } from "../records/record-keys.ts";
import { BranchTable } from "./branch-table.ts";
import { translated } from "./failure.ts";

/** What is in memory of a map that was opened. */
export interface OpenedRecords {
  readonly keys: RecordKeys;
  readonly state: StateRecord;
  readonly stateBytes: Uint8Array;
  readonly commits: CommitTable;
  readonly branches: BranchTable;
}

/** How {@link openRecords} makes a map that is not there, and what one that is there must be. */
export interface Opening {
  readonly format: FormatRecord;
  readonly mainBranch: string;
  readonly sync: boolean;
}

/** Reads the records of a map but for its commits, or writes those of a new one. */
export async function openRecords(
  store: Store,
  keys: RecordKeys,
  opening: Opening,
): Promise<OpenedRecords> {
  const [format, bytes] = await store.getMany([keys.format(), keys.state()]);
  if (format === undefined && bytes !== undefined) throw missing("format");
  if (format === undefined) await create(store, keys, opening);
  else checkFormat(decodeFormat(format), opening.format);
  const stateBytes = format === undefined ? await store.get(keys.state()) : bytes;
  if (stateBytes === undefined) throw missing("state");
  const state = decodeState(stateBytes);
  const commits = new CommitTable(keys);
  const branches = await readBranches(store, keys, commits);
  if (branches.find(state.main) === undefined)
    throw new VerMapError("VERMAP_MISSING", `the main branch ${state.main} is not there`, {
      branchId: state.main,
    });
  return { keys, state, stateBytes, commits, branches };
}

async function create(store: Store, keys: RecordKeys, opening: Opening): Promise<void> {
  const state = encodeState({ sequence: 1, nextCommit: 1, nextBranch: 2, main: 1 });
  const branch = encodeBranch(1, { name: opening.mainBranch, head: 0, root: 0 });
  await translated(() =>
    store.batch(
      [
        { type: "put", key: keys.format(), value: encodeFormat(opening.format) },
        { type: "put", key: keys.state(), value: state },
        { type: "put", key: keys.branch(1), value: branch },
      ],
      { sync: opening.sync, expect: [{ key: keys.format(), value: undefined }] },
    ),
  );
}

function checkFormat(stored: FormatRecord, wanted: FormatRecord): void {
  for (const part of ["key", "value"] as const)
    if (stored[part] !== wanted[part])
      throw new VerMapError(
        "VERMAP_FORMAT",
        `the ${part} codec is "${wanted[part]}", but the map was made with "${stored[part]}"`,
      );
}

async function readBranches(
  store: Store,
  keys: RecordKeys,
  commits: CommitTable,
): Promise<BranchTable> {
  const records = [];
  for await (const [key, value] of store.iterator(keys.branches())) {
    const id = keys.idOf(key);
    if (id === undefined)
      throw new VerMapError("VERMAP_CORRUPT", `the key of a branch has ${key.length} bytes`);
    records.push({ id, record: decodeBranch(id, value) });
  }
  const heads = await runAsync(commits.read(records.map(({ record }) => record.head)), store);
  const branches = new BranchTable();
  for (const [i, { id, record }] of records.entries()) {
    const head = heads[i];
    if (head === undefined && record.head !== 0)
      throw new VerMapError("VERMAP_MISSING", `commit ${record.head} is a head, but not there`, {
        commitId: record.head,
        branchId: id,
      });
    branches.set({ ...record, id, headRoot: head?.root ?? 0, stored: record });
  }
  return branches;
}

function missing(noun: string): VerMapError {
  return new VerMapError("VERMAP_MISSING", `the ${noun} record of the map is not there`);
}
