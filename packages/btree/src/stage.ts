import { type Operation, type Reading } from "@x/store";

import { type CountPage } from "./count-page.ts";
import { encodeNode } from "./node-codec.ts";
import { damaged } from "./node-source.ts";
import { EMPTY_ROOT, forEachLink, type Node } from "./node.ts";
import { encodePoolRecord } from "./pool-record.ts";
import { type PoolState } from "./pool-state.ts";
import { type StagedWrite, type WriteRequest } from "./types.ts";

/** A {@link WriteRequest}, and roots to save without anybody holding them. */
export interface StageRequest extends WriteRequest {
  /** Unsaved roots that are written and go into limbo. */
  readonly adopt?: readonly number[];
}

const NOTHING: ReadonlyMap<number, Node> = new Map();

/**
 * Works out one batch: the unsaved nodes under new roots, the nodes that nothing refers to any more, and the counts of
 * what is in between.
 *
 * Every mention is first a difference (`#deltas`): of a held root, of limbo, of each link of a node that is written or
 * deleted. Only where the sum of the differences of a node is not zero is its count read. What comes to zero is deleted,
 * and its links are counted down in turn, level by level; or, if memory still refers to it, it goes into limbo.
 */
export class Stage {
  readonly #state: PoolState;
  readonly #saving = new Map<number, Node>();
  readonly #savingLinks = new Map<number, number>();
  readonly #deltas = new Map<number, number>();
  readonly #counts = new Map<number, number>();
  readonly #pages = new Map<number, CountPage>();
  readonly #limbo: Set<number>;
  readonly #deleted = new Map<number, Node>();

  constructor(state: PoolState) {
    this.#state = state;
    this.#limbo = new Set(state.limbo);
  }

  /** @yields keys of nodes and pages */
  *run(request: StageRequest): Reading<StagedWrite> {
    try {
      return yield* this.#stage(request);
    } catch (error) {
      this.#thaw();
      throw error;
    }
  }

  *#stage({ hold = [], drop = [], adopt = [] }: StageRequest): Reading<StagedWrite> {
    for (const [id, mentions] of netMentions(hold, drop)) {
      add(this.#deltas, id, mentions);
      if (mentions > 0) this.#save(id);
      else if (this.#state.workspace.unsaved(id) !== undefined)
        throw new TypeError(`root ${id} is dropped, but was never held`);
    }
    for (const id of adopt) {
      add(this.#deltas, id, 1);
      this.#limbo.add(id);
      this.#save(id);
    }
    this.#leaveLimbo();
    yield* this.#countDown();
    yield* this.#countUp();
    return this.#finish();
  }

  /** Collects the unsaved nodes from a root down. From now on they stay as they are. */
  #save(root: number): void {
    const pending = [root];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      const unsaved = this.#state.workspace.unsaved(id);
      if (unsaved === undefined || this.#saving.has(id)) continue;
      this.#saving.set(id, unsaved.node);
      this.#state.workspace.freeze(id);
      forEachLink(unsaved.node, (link) => {
        add(this.#deltas, link, 1);
        add(this.#savingLinks, link, 1);
        pending.push(link);
      });
    }
  }

  #leaveLimbo(): void {
    for (const id of this.#state.limbo) {
      if (this.#isUsed(id)) continue;
      this.#limbo.delete(id);
      add(this.#deltas, id, -1);
    }
  }

  /** Whether memory still refers to a node when this is written. */
  #isUsed(id: number): boolean {
    return this.#state.workspace.references(id) > (this.#savingLinks.get(id) ?? 0);
  }

  *#countDown(): Reading<void> {
    let pending = [...this.#deltas.keys()];
    while (pending.length > 0) {
      const falling = pending.filter((id) => this.#deltaOf(id) < 0);
      const before = yield* this.#state.counts.read(falling, this.#pages);
      const dying: number[] = [];
      for (const [i, id] of falling.entries()) {
        const count = (before[i] ?? 1) + this.#deltaOf(id);
        if (count < 0) throw damaged(id, "is referred to more often than its count says");
        if (count > 0) this.#counts.set(id, count);
        else if (this.#isUsed(id)) this.#enterLimbo(id);
        else dying.push(id);
      }
      pending = yield* this.#delete(dying);
    }
  }

  #enterLimbo(id: number): void {
    this.#limbo.add(id);
    add(this.#deltas, id, 1);
    this.#counts.set(id, 1);
  }

  /**
   * Deletes nodes, and counts their links down.
   *
   * @yields keys of nodes
   * @returns ids that lost a mention
   */
  *#delete(ids: readonly number[]): Reading<number[]> {
    const nodes = yield* this.#state.source.nodes(ids);
    const touched = new Set<number>();
    for (const [i, id] of ids.entries()) {
      const node = nodes[i] as Node;
      this.#counts.set(id, 0);
      this.#deleted.set(id, node);
      forEachLink(node, (link) => {
        add(this.#deltas, link, -1);
        touched.add(link);
      });
    }
    return [...touched];
  }

  *#countUp(): Reading<void> {
    const isNew = (id: number): boolean => this.#saving.has(id);
    // A new node that is mentioned once has no count to be written.
    const rising = [...this.#deltas.keys()].filter(
      (id) => this.#deltaOf(id) > (isNew(id) ? 1 : 0) && this.#counts.get(id) === undefined,
    );
    const before = yield* this.#state.counts.read(rising, this.#pages);
    for (const [i, id] of rising.entries())
      this.#counts.set(id, (isNew(id) ? 0 : (before[i] ?? 1)) + this.#deltaOf(id));
  }

  #finish(): StagedWrite {
    const { source, workspace, counts, ids, record } = this.#state;
    const operations: Operation[] = [];
    let bytesWritten = 0;
    for (const [id, node] of this.#saving) {
      const value = encodeNode(node, source.format);
      bytesWritten += value.length;
      operations.push({ type: "put", key: source.keys.node(id), value });
    }
    for (const id of this.#deleted.keys())
      operations.push({ type: "del", key: source.keys.node(id) });
    const countChange = counts.change(this.#counts, this.#pages);
    for (const one of countChange.operations) operations.push(one);
    source.dying = this.#deleted;
    const limbo = [...this.#limbo].toSorted((a, b) => a - b);
    const nextRecord = encodePoolRecord({ format: source.format, nextId: ids.next, limbo });
    operations.push({ type: "put", key: source.keys.pool(), value: nextRecord });
    return {
      operations,
      expect: [{ key: source.keys.pool(), value: record }],
      statistics: {
        nodesWritten: this.#saving.size,
        nodesDeleted: this.#deleted.size,
        countPagesWritten: countChange.operations.length,
        bytesWritten,
      },
      accept: () => {
        this.#state.record = nextRecord;
        this.#state.limbo = this.#limbo;
        counts.accept(countChange.pages);
        this.#bury();
        for (const [id, node] of this.#saving) {
          workspace.saved(id);
          source.cache.set(id, node);
        }
      },
      reject: () => this.#thaw(),
    };
  }

  /** What was pinned after its deletion had been decided lives on in memory, parents before their children. */
  #bury(): void {
    const { source, workspace } = this.#state;
    source.dying = NOTHING;
    for (const [id, node] of this.#deleted) {
      source.cache.delete(id);
      if (workspace.references(id) > 0) workspace.add(id, node);
    }
  }

  #thaw(): void {
    this.#state.source.dying = NOTHING;
    for (const id of this.#saving.keys()) this.#state.workspace.thaw(id);
  }

  #deltaOf(id: number): number {
    return this.#deltas.get(id) ?? 0;
  }
}

/** Mentions gained less mentions lost, where they differ; the empty root has none. */
function netMentions(
  hold: readonly number[],
  drop: readonly number[],
): readonly (readonly [number, number])[] {
  const net = new Map<number, number>();
  for (const id of hold) add(net, id, 1);
  for (const id of drop) add(net, id, -1);
  return [...net].filter(([id, mentions]) => id !== EMPTY_ROOT && mentions !== 0);
}

function add(sums: Map<number, number>, id: number, difference: number): void {
  sums.set(id, (sums.get(id) ?? 0) + difference);
}
