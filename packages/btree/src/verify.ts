import { type Store } from "@x/store";

import { Audit, type Fault } from "./audit.ts";
import { type CountPage, decodeCountPage, pageOf } from "./count-page.ts";
import { BTreeError } from "./errors.ts";
import { type PoolState } from "./pool-state.ts";
import { type Reader } from "./reader.ts";
import { type StopSignal } from "./types.ts";

/** See `NodePool.verify`. */
export interface VerifyOptions {
  /** Every root that the owner's records hold, as often as they mention it. */
  readonly roots: readonly number[];
  /** Once aborted, its reason is thrown. Default: never. */
  readonly signal?: StopSignal;
  /** Called for every node, with how many were reached before. Default: not. */
  readonly onProgress?: (nodeCount: number) => void;
}

/** What `NodePool.verify` found. */
export interface VerifyReport {
  readonly ok: boolean;
  /** Nodes that roots lead to, each once; and values outside leaves. */
  readonly nodes: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Entries under the roots, counted for every mention. */
  readonly entries: number;
  /** Nodes in the store that no root leads to. */
  readonly orphans: number;
  readonly faultCount: number;
  /** The first in the order of the walk: roots in their order, depth first; then counts; then orphans. */
  readonly firstBad?: Fault;
}

/** A pool as it is stored, with what checking and repairing it needs. */
export interface PoolOnStore {
  readonly store: Store;
  readonly reader: Reader;
  readonly state: PoolState;
}

/** What a whole pool holds: nodes reached and how often each is mentioned, pages of counts, and what nothing leads to. */
export interface Survey {
  readonly audit: Audit;
  readonly pages: ReadonlyMap<number, CountPage>;
  readonly damagedPages: readonly number[];
  readonly orphans: readonly number[];
}

/** Reads everything. Roots in limbo are roots like those given. */
export async function survey(pool: PoolOnStore, options: VerifyOptions): Promise<Survey> {
  const { source, limbo } = pool.state;
  const { signal, onProgress = () => undefined } = options;
  const audit = new Audit(source.keys, source.format, onProgress);
  await pool.reader.run(audit.roots(options.roots, limbo), signal);
  const { pages, damagedPages } = await readPages(pool, signal);
  const orphans: number[] = [];
  for await (const [key] of pool.store.iterator(source.keys.nodesFrom(0))) {
    stopIfAborted(signal);
    const id = source.keys.numberOf(key);
    if (id !== undefined && !audit.mentions.has(id)) orphans.push(id);
  }
  return { audit, pages, damagedPages, orphans };
}

/** Checks everything and reports; throws only what the store throws, and the reason of the signal. */
export async function verifyPool(pool: PoolOnStore, options: VerifyOptions): Promise<VerifyReport> {
  const found = await survey(pool, options);
  const { audit, orphans } = found;
  const faults = [...audit.faults, ...countFaults(found, pool.state.ids.next)];
  for (const id of orphans) faults.push({ kind: "orphan", id, path: [] });
  const [firstBad] = faults;
  return {
    ok: firstBad === undefined,
    nodes: audit.nodeCount,
    bytes: audit.byteCount,
    entries: audit.entryCount,
    orphans: orphans.length,
    faultCount: faults.length,
    ...(firstBad === undefined ? {} : { firstBad }),
  };
}

function* countFaults({ audit, pages, damagedPages }: Survey, nextId: number): Generator<Fault> {
  for (const page of damagedPages) yield { kind: "count-page", id: page, path: [] };
  const isDamaged = new Set(damagedPages);
  for (const [id, expected] of audit.mentions) {
    if (id >= nextId) yield { kind: "id", id, path: [], expected: nextId, found: id };
    if (isDamaged.has(pageOf(id))) continue;
    const found = pages.get(pageOf(id))?.get(id) ?? 1;
    if (found !== expected) yield { kind: "mention-count", id, path: [], expected, found };
  }
  for (const page of pages.values())
    for (const [id, found] of page)
      if (!audit.mentions.has(id))
        yield { kind: "mention-count", id, path: [], expected: 0, found };
}

async function readPages(
  { store, state }: PoolOnStore,
  signal: StopSignal | undefined,
): Promise<{ pages: Map<number, CountPage>; damagedPages: number[] }> {
  const { keys } = state.source;
  const pages = new Map<number, CountPage>();
  const damagedPages: number[] = [];
  for await (const [key, value] of store.iterator(keys.countPagesFrom(0))) {
    stopIfAborted(signal);
    const page = keys.numberOf(key);
    if (page === undefined) continue;
    try {
      pages.set(page, decodeCountPage(page, value));
    } catch (error) {
      if (!(error instanceof BTreeError)) throw error;
      damagedPages.push(page);
    }
  }
  return { pages, damagedPages };
}

function stopIfAborted(signal: StopSignal | undefined): void {
  if (signal?.aborted === true) throw signal.reason;
}
