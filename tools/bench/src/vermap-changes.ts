import { type Difference, NodePool } from "@x/btree";
import { CountingStore } from "@x/testing";
import { type Benchmark, contender, type Contender } from "./harness.ts";
import { lazy } from "./jellyfish-trees.ts";
import {
  countSortedDifferences,
  type Hyperbee,
  loadSortedBTree,
  newHyperbee,
  type SortedBTree,
} from "./vermap-peers.ts";
import {
  ascendingEntries,
  entriesOf,
  inBatches,
  planted,
  type Planted,
  put,
  treeEntries,
} from "./vermap-trees.ts";

/** How often one run does it. */
const REPEAT_COUNT = 500;
/** Entries up to which hyperbee is asked. */
const HYPERBEE_COUNT_MAX = 10_000;

interface Changed extends Planted {
  /** Roots that differ from the first in one entry, each in another. */
  readonly versions: readonly number[];
}

/** A tree and others with one more entry. */
async function plantChanged(size: number): Promise<Changed> {
  const tree = await planted(size);
  const { pool, root } = tree;
  const versions = entriesOf(REPEAT_COUNT, 2).map((entry) => pool.editSync(root, [put(entry)]));
  await pool.write({ hold: versions });
  return { ...tree, versions };
}

/** The difference of two trees that differ in one entry of all. */
export function diffOfOne(size: number): Benchmark {
  const ours = lazy(() => plantChanged(size));
  const contenders: Contender[] = [
    contender<Changed>({
      subject: "@x/btree",
      prepare: ours,
      run: ({ pool, root, versions }) => {
        for (const version of versions) assertOne([...pool.snapshot(root).diffSync(version)]);
      },
    }),
    contender<Changed>({
      subject: "@x/btree, nothing in memory",
      prepare: ours,
      run: async ({ store, root, versions }) => {
        const counting = new CountingStore(store as CountingStore<never>);
        let keys = 0;
        let reads = 0;
        for (const version of versions) {
          const pool = await NodePool.open(counting);
          counting.take();
          assertOne([...pool.snapshot(root).diffSync(version)]);
          const counts = counting.take();
          keys += counts.keys;
          reads += counts.getMany;
        }
        return { nodesReadPerDiff: keys / REPEAT_COUNT, readsPerDiff: reads / REPEAT_COUNT };
      },
    }),
    sortedDiff(size),
  ];
  if (size <= HYPERBEE_COUNT_MAX) contenders.push(hyperbeeDiff(size));
  return {
    name: `btree/diff/entries=${size},changes=1`,
    operations: REPEAT_COUNT,
    unit: "diff",
    contenders,
    rounds: 3,
    warmUpRounds: 3,
  };
}

/** One difference made in another tree, and written. */
export function patchOfOne(size: number): Benchmark {
  const ours = () => planted(size);
  return {
    name: `btree/patch/entries=${size},changes=1`,
    operations: REPEAT_COUNT,
    unit: "patch",
    contenders: [
      contender<Planted>({
        subject: "@x/btree, each written to a store in memory",
        prepare: ours,
        run: async ({ pool, root }) => {
          let nodesWritten = 0;
          let countPagesWritten = 0;
          const held: number[] = [];
          for (const entry of entriesOf(REPEAT_COUNT, 2)) {
            const next = await pool.edit(root, [put(entry)]);
            const written = await pool.write({ hold: [next] });
            pool.unpin(next);
            nodesWritten += written.nodesWritten;
            countPagesWritten += written.countPagesWritten;
            held.push(next);
          }
          await pool.write({ drop: held });
          return {
            nodesWrittenPerPatch: nodesWritten / REPEAT_COUNT,
            countPagesPerPatch: countPagesWritten / REPEAT_COUNT,
          };
        },
      }),
    ],
    rounds: 3,
    warmUpRounds: 3,
    note: "the tree before stays; counts of the nodes both share are written too",
  };
}

function sortedDiff(size: number): Contender {
  const trees = lazy(() => {
    const entries = ascendingEntries(size);
    const tree = loadSortedBTree(
      entries.map(({ key }) => key),
      entries.map(({ value }) => value),
    );
    const changes = entriesOf(REPEAT_COUNT, 2);
    return { tree, versions: changes.map(({ key, value }) => tree.with(key, value)) };
  });
  return contender<{ tree: SortedBTree; versions: SortedBTree[] }>({
    subject: "sorted-btree diffAgainst",
    prepare: trees,
    run: ({ tree, versions }) => {
      for (const version of versions) assertCount(countSortedDifferences(tree, version));
    },
  });
}

/** Goes back from each of its states to the one before: hyperbee has no others. */
function hyperbeeDiff(size: number): Contender {
  const bee = lazy(async () => {
    const made = await newHyperbee();
    for (const batch of inBatches(treeEntries(size), 1_000)) {
      const open = made.batch();
      for (const { key, value } of batch) await open.put(key, value);
      await open.flush();
    }
    const states: { version: number; state: Hyperbee }[] = [];
    for (const { key, value } of entriesOf(REPEAT_COUNT, 2)) {
      const { version } = made;
      await made.put(key, value);
      states.push({ version, state: made.snapshot() });
    }
    return states;
  });
  return contender<Awaited<ReturnType<typeof bee>>>({
    subject: "hyperbee in memory",
    prepare: bee,
    run: async (states) => {
      for (const { version, state } of states) {
        let count = 0;
        for await (const _ of state.createDiffStream(version)) count++;
        assertCount(count);
      }
    },
  });
}

function assertOne(differences: readonly Difference[]): void {
  assertCount(differences.length);
}

function assertCount(count: number): void {
  if (count !== 1) throw new Error(`${count} differences`);
}
