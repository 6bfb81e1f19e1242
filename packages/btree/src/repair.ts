import { type Operation } from "@x/store";

import { type CountPage, encodeCountPage, pageOf } from "./count-page.ts";
import { BTreeError } from "./errors.ts";
import { type PoolOnStore, survey, type Survey, type VerifyOptions } from "./verify.ts";

/** What `NodePool.repair` did. */
export interface RepairReport {
  /** Nodes that nothing led to, now deleted. */
  readonly nodesDeleted: number;
  readonly countPagesWritten: number;
}

/** A pool that can be repaired. */
export interface MendablePool extends PoolOnStore {
  /** Writes what changes neither the pool's record nor any tree. */
  readonly mend: (operations: readonly Operation[]) => Promise<void>;
}

/** Operations in one batch. */
const BATCH_COUNT_MAX = 1000;

/**
 * Makes counts what they should be and deletes what no root leads to. Marks exactly, then sweeps in bounded batches, each of
 * which leaves a store that reads the same; so it may be interrupted, and begun again.
 *
 * @throws BTreeError BTREE_MISSING, BTREE_CORRUPT where a tree itself is damaged: then nothing is deleted
 * @throws BTreeError BTREE_CONFLICT if another writer has written to the pool meanwhile
 */
export async function repairPool(
  pool: MendablePool,
  options: VerifyOptions,
): Promise<RepairReport> {
  const found = await survey(pool, options);
  const [fault] = found.audit.faults;
  if (fault !== undefined)
    throw new BTreeError(
      fault.kind === "missing" ? "BTREE_MISSING" : "BTREE_CORRUPT",
      `node ${fault.id} has a fault (${fault.kind}) that repairing cannot mend`,
      { id: fault.id },
    );
  const { keys, cache } = pool.state.source;
  const pageOperations = countOperations(found, pool);
  await writeAll(pool, pageOperations);
  await writeAll(
    pool,
    found.orphans.map((id): Operation => ({ type: "del", key: keys.node(id) })),
  );
  for (const id of found.orphans) cache.delete(id);
  pool.state.counts.forget();
  return { nodesDeleted: found.orphans.length, countPagesWritten: pageOperations.length };
}

/** What turns the pages that are there into those that belong there. */
function countOperations({ audit, pages, damagedPages }: Survey, pool: PoolOnStore): Operation[] {
  const wanted = new Map<number, Map<number, number>>();
  for (const [id, count] of audit.mentions) {
    if (count < 2) continue;
    const page = wanted.get(pageOf(id)) ?? new Map<number, number>();
    wanted.set(pageOf(id), page.set(id, count));
  }
  const operations: Operation[] = [];
  for (const page of new Set([...pages.keys(), ...damagedPages, ...wanted.keys()])) {
    const [before, after] = [pages.get(page), wanted.get(page)];
    const key = pool.state.source.keys.countPage(page);
    if (after === undefined) operations.push({ type: "del", key });
    else if (before === undefined || !samePage(before, after))
      operations.push({ type: "put", key, value: encodeCountPage(page, after) });
  }
  return operations;
}

function samePage(a: CountPage, b: CountPage): boolean {
  return a.size === b.size && [...a].every(([id, count]) => b.get(id) === count);
}

async function writeAll(pool: MendablePool, operations: readonly Operation[]): Promise<void> {
  for (let from = 0; from < operations.length; from += BATCH_COUNT_MAX)
    await pool.mend(operations.slice(from, from + BATCH_COUNT_MAX));
}
