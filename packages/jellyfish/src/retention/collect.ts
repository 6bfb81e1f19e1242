import { type Reading, runAsync, type StopSignal, type Store } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { type TreeContext } from "../context.ts";
import { type LeafNode } from "../node.ts";
import { PATH_SIZE } from "../path.ts";
import { markRuns, type Part, partCountFor } from "./marks.ts";
import { type RunSource } from "./runs.ts";
import { type Finding, sweepPart, type SweepTotals } from "./sweep.ts";

/** How far a collection is. */
export interface CollectProgress {
  /** The part that is done; a collection that is to go on begins with the next one. */
  readonly part: Part;
  /** What the parts done hold. */
  readonly totals: Readonly<SweepTotals>;
  /** Tells whether the tree is still as those parts were seen. */
  readonly generation: number;
  /** So far. */
  readonly deletedCount: number;
  readonly reclaimedByteCount: number;
}

/** See {@link CollectProgress}; how a collection runs. */
export interface CollectOptions {
  /** Most hashes held in memory at once; more of them are collected in several parts, each of which walks all roots. Default: 2^19, which takes some 80 MB. */
  readonly markCountMax?: number;
  /** Records deleted by one batch. Default: 4,096. */
  readonly batchCountMax?: number;
  /** The last progress an earlier collection told of, to go on from there. Default: begin at the first part. */
  readonly after?: CollectProgress;
  readonly signal?: StopSignal;
  readonly onProgress?: (progress: CollectProgress) => void;
}

/** What a collection found and did. */
export interface CollectReport {
  /** Nodes that are needed and were seen. */
  readonly nodeCount: number;
  /** Nodes deleted that nothing needs. */
  readonly deletedCount: number;
  /** Counts beside nodes that were set right. */
  readonly repairedCount: number;
  /** Bytes of keys and values that were deleted. */
  readonly reclaimedByteCount: number;
}

/** What is collected: how its roots are found, and how findings are repaired. */
export interface Collectable {
  readonly store: Pick<Store, "iterator">;
  /** Without a cache: a walk over everything would only empty it. */
  readonly source: RunSource;
  readonly read: <T>(reading: Reading<T>, signal: StopSignal | undefined) => Promise<T>;
  /**
   * The roots of now, kept readable until `end`; and how many nodes there are, about.
   *
   * @param quiet - the generation there is if only this collection wrote since it began
   */
  begin(quiet: number | undefined): Promise<CollectEpoch>;
}

/** What was there when a part began, and what was changed since. */
export interface CollectEpoch {
  readonly roots: readonly (Uint8Array | undefined)[];
  readonly nodeCount: number;
  /** Repairs what nobody has changed since, in one batch; returns what was repaired. */
  repair(findings: readonly Finding[]): Promise<readonly Finding[]>;
  /** Changes of the store so far. */
  readonly generation: number;
  /** Writes down the totals of all parts, if nobody but the collection has changed anything since it began. */
  settle(totals: SweepTotals): Promise<void>;
  /** Of an error of the walk: throws another where it is because of somebody else's change. */
  assertCurrent(error: unknown): Promise<void>;
  /** Whether a root has gone although it is being read: what a load or a restore left unfinished does, with the next write. */
  readonly hasLostRoot: boolean;
  end(): void;
}

/**
 * Exact mark and sweep: marks what the retained roots need, and deletes the other nodes. Each batch leaves a store that is right;
 * running it again changes nothing.
 *
 * What is written while it runs is kept: nodes changed since a part's marks were made are passed over.
 *
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED if a root cannot be walked:
 *   nothing of that part is deleted. The signal's reason, between batches
 */
export async function collectGarbage(
  subject: Collectable,
  options: CollectOptions,
): Promise<CollectReport> {
  const { markCountMax = 2 ** 19, batchCountMax = 4096, signal, onProgress } = options;
  assertCount(markCountMax, "markCountMax");
  assertCount(batchCountMax, "batchCountMax");
  const { after } = options;
  const totals: SweepTotals = { ...(after?.totals ?? NO_TOTALS) };
  const sum = { deleted: 0, repaired: 0, bytes: 0 };
  let quiet = after?.generation;
  let part = await firstPart(subject, markCountMax, after?.part);
  while (part !== undefined) {
    const epoch = await subject.begin(quiet);
    try {
      const runs = await markAll(subject, epoch, part, signal);
      if (runs === undefined) continue;
      const repair = async (findings: readonly Finding[]): Promise<void> => {
        if (signal?.aborted === true) throw signal.reason;
        for (const { kind, byteCount } of await epoch.repair(findings)) {
          sum.bytes += byteCount;
          if (kind === "garbage") {
            sum.deleted++;
            totals.nodeCount--;
          } else sum.repaired++;
        }
      };
      await inGroups(
        sweepPart(subject.store, part, runs, { totals, signal }),
        batchCountMax,
        repair,
      );
      if (part.index + 1 === part.count) await epoch.settle(totals);
      quiet = epoch.generation;
    } finally {
      epoch.end();
    }
    onProgress?.({
      part,
      totals: { ...totals },
      generation: quiet,
      deletedCount: sum.deleted,
      reclaimedByteCount: sum.bytes,
    });
    part = nextPart(part);
  }
  return {
    nodeCount: totals.nodeCount,
    deletedCount: sum.deleted,
    repairedCount: sum.repaired,
    reclaimedByteCount: sum.bytes,
  };
}

const NO_TOTALS: SweepTotals = { nodeCount: 0, byteCount: 0, runCountCount: 0 };

/** `undefined`: a root went meanwhile that nobody can keep, so the part is to be begun again. */
async function markAll(
  { source, read }: Collectable,
  epoch: CollectEpoch,
  part: Part,
  signal: StopSignal | undefined,
): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return await read(markRuns(source, epoch.roots, part), signal);
  } catch (error) {
    await epoch.assertCurrent(error);
    if (signal?.aborted !== true && epoch.hasLostRoot) return undefined;
    throw error;
  }
}

/** How nodes are collected that is not a tree's: whose nodes are there, and from which roots. */
export interface CollectNodesOptions extends CollectOptions {
  readonly context: TreeContext;
  /** Everything they reach is kept. */
  readonly roots: readonly Uint8Array[];
  /** As in a tree's options. Default: leaves carry no trees. */
  readonly nestedRoots?: (leaf: LeafNode) => readonly (Uint8Array | undefined)[];
}

/**
 * {@link collectGarbage} for a store that only has nodes under their hashes, such as one of another program: every record under a 32-byte key
 * that no root reaches is deleted. Nobody may write to it meanwhile.
 */
export async function collectNodes(
  store: Store,
  { context, roots, nestedRoots, ...options }: CollectNodesOptions,
): Promise<CollectReport> {
  const source: RunSource = { context: { ...context, cache: undefined }, nestedRoots };
  return collectGarbage(nodesOf(store, source, roots), options);
}

function nodesOf(store: Store, source: RunSource, roots: readonly Uint8Array[]): Collectable {
  const { placeholder } = source.context.scheme;
  const epoch: CollectEpoch = {
    roots: roots.map((root) => (sameBytes(root, placeholder) ? undefined : root)),
    nodeCount: 0,
    generation: 0,
    assertCurrent: () => Promise.resolve(),
    async repair(findings) {
      // Nobody counts runs here.
      const garbage = findings.filter(({ kind }) => kind === "garbage");
      if (garbage.length > 0) await store.batch(garbage.map(({ repair }) => repair));
      return garbage;
    },
    hasLostRoot: false,
    settle: () => Promise.resolve(),
    end: () => undefined,
  };
  return {
    store,
    source,
    read: (reading, signal) => runAsync(reading, store, signal === undefined ? {} : { signal }),
    async begin() {
      return { ...epoch, nodeCount: await countNodes(store) };
    },
  };
}

async function countNodes(store: Store): Promise<number> {
  let count = 0;
  for await (const [key] of store.iterator()) if (key.length === PATH_SIZE) count++;
  return count;
}

async function firstPart(
  subject: Collectable,
  markCountMax: number,
  after: Part | undefined,
): Promise<Part | undefined> {
  if (after !== undefined) return nextPart(after);
  const epoch = await subject.begin(undefined);
  epoch.end();
  return { index: 0, count: partCountFor(epoch.nodeCount, markCountMax) };
}

function nextPart({ index, count }: Part): Part | undefined {
  return index + 1 < count ? { index: index + 1, count } : undefined;
}

/** Hands findings on in groups, the last one smaller. */
async function inGroups(
  findings: AsyncIterable<Finding>,
  sizeMax: number,
  take: (group: readonly Finding[]) => Promise<void>,
): Promise<void> {
  let group: Finding[] = [];
  for await (const finding of findings) {
    group.push(finding);
    if (group.length < sizeMax) continue;
    await take(group);
    group = [];
  }
  if (group.length > 0) await take(group);
}

function assertCount(count: number, name: string): void {
  if (!Number.isSafeInteger(count) || count < 1)
    throw new RangeError(`${name} is ${count}, not a count of 1 or more`);
}
