import { runAsync, type StopSignal, type Store } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { assertSameOptions } from "../tree/handle.ts";
import {
  decodeTreeRecord,
  decodeVersion,
  TREE_KEY,
  type TreeRecord,
  type Version,
  VERSION_KEY_SIZE,
  VERSION_RANGE,
  versionKey,
} from "../tree/layout.ts";
import {
  type JellyfishTreeOptions,
  type ResolvedOptions,
  resolveOptions,
} from "../tree/options.ts";
import { markRuns, partCountFor } from "./marks.ts";
import { type RunSource } from "./runs.ts";
import { sweepPart, type SweepTotals } from "./sweep.ts";
import { type BadRecord, BadRecordFound, checkTree, type VerifyWalk } from "./verify-walk.ts";

/** How a store is verified. */
export interface VerifyOptions {
  /** As in a collection. Default: 2^19. */
  readonly markCountMax?: number;
  readonly signal?: StopSignal;
  /** Called after every thousand nodes or so. */
  readonly onProgress?: (progress: {
    readonly nodeCount: number;
    readonly byteCount: number;
  }) => void;
}

/** What verifying found. */
export interface VerifyReport {
  readonly ok: boolean;
  /** Nodes looked at, one by one; those that an older root has at the same place count once. */
  readonly nodeCount: number;
  /** Bytes of their keys and records. */
  readonly byteCount: number;
  /** The first in the order of the walk; `undefined`: all is right. */
  readonly firstBad: BadRecord | undefined;
}

/**
 * Verifies a stored tree without opening it, which damaged records may forbid. Nobody may write meanwhile.
 *
 * @param options - those the tree is opened with
 */
export async function verifyTree<K, V>(
  store: Store,
  options: JellyfishTreeOptions<K, V> & VerifyOptions = {},
): Promise<VerifyReport> {
  return verifyStore(store, resolveOptions(options), options);
}

/**
 * Looks at every record of a stored tree: the tree record, the versions from the oldest on, the nodes of each in the order of paths,
 * then counts and nodes that nothing needs. Reads everything about twice; changes nothing. Nobody may write meanwhile.
 *
 * @throws JellyfishError JELLYFISH_OPTIONS if the tree was made with other options; the signal's reason
 */
export async function verifyStore(
  store: Store,
  options: ResolvedOptions,
  { markCountMax = 2 ** 19, signal, onProgress }: VerifyOptions = {},
): Promise<VerifyReport> {
  const seen = { nodeCount: 0, byteCount: 0 };
  const source: RunSource = {
    context: { ...options.context, cache: undefined },
    nestedRoots: options.nestedRoots,
  };
  const walk: VerifyWalk = {
    store,
    source,
    keys: options.keys,
    onNode(byteCount) {
      if (signal?.aborted === true) throw signal.reason;
      seen.nodeCount++;
      seen.byteCount += byteCount;
      if (seen.nodeCount % 1024 === 0) onProgress?.({ ...seen });
    },
  };
  try {
    const { record, versions } = await checkRecords(store, options);
    await checkVersions(walk, versions);
    await checkCounts({ store, source, markCountMax, signal }, record, versions);
    return { ok: true, ...seen, firstBad: undefined };
  } catch (error) {
    if (!(error instanceof BadRecordFound)) throw error;
    return { ok: false, ...seen, firstBad: error.record };
  }
}

/** That the records which are not nodes decode. */
async function checkRecords(
  store: Store,
  options: ResolvedOptions,
): Promise<{ readonly record: TreeRecord; readonly versions: readonly Version[] }> {
  const bytes = await store.get(TREE_KEY);
  const record = orBad(TREE_KEY, () => decodeTreeRecord(bytes ?? new Uint8Array(0)));
  assertSameOptions(record, options);
  const versions: Version[] = [];
  for await (const [key, value] of store.iterator(VERSION_RANGE))
    if (key.length === VERSION_KEY_SIZE) versions.push(orBad(key, () => decodeVersion(key, value)));
  return { record, versions };
}

function orBad<T>(at: Uint8Array, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw new BadRecordFound({ kind: "record", at, path: "" }, { cause: error });
  }
}

async function checkVersions(walk: VerifyWalk, versions: readonly Version[]): Promise<void> {
  const { placeholder } = walk.source.context.scheme;
  let known: Uint8Array | undefined;
  let knownCount: number | undefined;
  for (const { root, leafCount, sequence } of versions) {
    const isEmpty = sameBytes(root, placeholder);
    const isKnown = sameBytes(root, known);
    if (!isEmpty && !isKnown) knownCount = await checkTree(walk, root, known);
    const found = isEmpty ? 0 : knownCount;
    if (found !== undefined && found !== leafCount)
      throw new BadRecordFound({
        kind: "leaf-count",
        at: versionKey(sequence),
        path: "",
        expected: String(found),
        found: String(leafCount),
      });
    if (!isEmpty) known = root;
  }
}

/** What counting anew needs. */
interface Recount {
  readonly store: Store;
  readonly source: RunSource;
  readonly markCountMax: number;
  readonly signal: StopSignal | undefined;
}

async function checkCounts(
  { store, source, markCountMax, signal }: Recount,
  record: TreeRecord,
  versions: readonly Version[],
): Promise<void> {
  const { placeholder } = source.context.scheme;
  const roots = versions.map(({ root }) => (sameBytes(root, placeholder) ? undefined : root));
  const totals: SweepTotals = { nodeCount: 0, byteCount: 0, runCountCount: 0 };
  const count = partCountFor(record.nodeCount, markCountMax);
  for (let index = 0; index < count; index++) {
    const part = { index, count };
    const marks = markRuns(source, roots, part);
    const runs = await runAsync(marks, store, signal === undefined ? {} : { signal });
    for await (const { kind, hash, repair } of sweepPart(store, part, runs, { totals, signal }))
      throw new BadRecordFound({
        kind: kind === "garbage" ? "orphan" : "run-count",
        at: kind === "garbage" ? hash : repair.key,
        path: "",
      });
  }
  if (totals.nodeCount !== record.nodeCount)
    throw total(String(totals.nodeCount), String(record.nodeCount));
  if (totals.runCountCount !== record.runCountCount)
    throw total(String(totals.runCountCount), String(record.runCountCount));
}

function total(expected: string, found: string): BadRecordFound {
  return new BadRecordFound({ kind: "total", at: TREE_KEY, path: "", expected, found });
}
