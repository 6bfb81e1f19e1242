import { type StopSignal, type Store } from "@x/store";

import { VerMapError } from "../errors.ts";
import { type Anchor, decodeAnchor } from "../records/anchor-record.ts";
import { type BranchRecord, decodeBranch } from "../records/branch-record.ts";
import { type Commit, decodeCommit } from "../records/commit-record.ts";
import { decodeFormat, decodeState, type StateRecord } from "../records/map-record.ts";
import { decodeMentions } from "../records/mention-record.ts";
import { type RecordKeys, RecordKind } from "../records/record-keys.ts";
import { type MapFault, type MapRecordNoun } from "./fault.ts";

/** Every record of a map but for the nodes of its tree, straight from the store. */
export interface RecordSurvey {
  readonly faults: MapFault[];
  readonly commits: Map<number, Commit>;
  /** Counts that have a record. */
  readonly mentions: Map<number, number>;
  readonly branches: Map<number, BranchRecord>;
  readonly anchors: Anchor[];
  state: StateRecord | undefined;
  byteCount: number;
}

/**
 * Reads all records, in the order of their keys. What cannot be decoded is a fault.
 *
 * @throws whatever the store throws; the reason of the signal
 */
export async function surveyRecords(
  store: Store,
  keys: RecordKeys,
  signal?: StopSignal,
): Promise<RecordSurvey> {
  const survey: RecordSurvey = {
    faults: [],
    commits: new Map(),
    mentions: new Map(),
    branches: new Map(),
    anchors: [],
    state: undefined,
    byteCount: 0,
  };
  let hasFormat = false;
  for await (const [key, value] of store.iterator(keys.records())) {
    if (signal?.aborted === true) throw signal.reason;
    survey.byteCount += value.length;
    const kind = keys.kindOf(key);
    hasFormat ||= kind === RecordKind.format;
    const id = keys.idOf(key) ?? 0;
    try {
      readRecord(survey, keys, key, value);
    } catch (error) {
      if (!(error instanceof VerMapError)) throw error;
      const { offset } = error;
      const at = nounOf(kind);
      survey.faults.push({ kind: "corrupt", at, id, ...(offset === undefined ? {} : { offset }) });
    }
  }
  if (!hasFormat) survey.faults.push({ kind: "missing", at: "format", id: 0 });
  if (survey.state === undefined && !survey.faults.some(({ at }) => at === "state"))
    survey.faults.push({ kind: "missing", at: "state", id: 0 });
  return survey;
}

function readRecord(
  survey: RecordSurvey,
  keys: RecordKeys,
  key: Uint8Array,
  value: Uint8Array,
): void {
  const id = keys.idOf(key);
  switch (keys.kindOf(key)) {
    case RecordKind.format:
      decodeFormat(value);
      return;
    case RecordKind.state:
      survey.state = decodeState(value);
      return;
    case RecordKind.anchor:
      survey.anchors.push(decodeAnchor(value));
      return;
    default:
      if (id === undefined) throw new VerMapError("VERMAP_CORRUPT", `a key of ${key.length} bytes`);
  }
  switch (keys.kindOf(key)) {
    case RecordKind.commit:
      survey.commits.set(id, decodeCommit(id, value));
      return;
    case RecordKind.mentions:
      survey.mentions.set(id, decodeMentions(id, value));
      return;
    default:
      survey.branches.set(id, decodeBranch(id, value));
  }
}

const NOUNS: readonly MapRecordNoun[] = [
  "format",
  "state",
  "commit",
  "mentions",
  "branch",
  "anchor",
];

function nounOf(kind: number): MapRecordNoun {
  return NOUNS[kind] ?? "node";
}
