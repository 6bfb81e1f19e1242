import assert from "node:assert/strict";

import { type Store } from "@x/store";
import { type Random } from "@x/testing";

import { surveyRecords } from "../../src/check/record-survey.ts";
import { utf8 } from "../../src/codec/index.ts";
import {
  type MapSnapshot,
  type MergeOptions,
  type MergeStrategy,
  type Resolution,
  VerMap,
  type VerMapOptions,
} from "../../src/index.ts";
import { RecordKeys } from "../../src/records/record-keys.ts";
import { collect } from "../collect.ts";
import {
  type Contents,
  MapModel,
  type ModelBranch,
  type ModelConflict,
  sortedEntries,
} from "./map-model.ts";
import { outcomeOf, Refusal } from "./outcome.ts";

/** How a history is made. */
export interface HistoryShape {
  readonly keyCount: number;
  readonly changeCountMax: number;
  readonly branchCountMax: number;
  /** No reopening, and no repair, which write more than one batch. Default: false. */
  readonly isAlone?: boolean;
  readonly options?: Partial<VerMapOptions<string, string>>;
}

export const PREFIX: Uint8Array = Uint8Array.of(7);
const NAMES = ["", "a", "b", "c", "main", "é", "x/y"];

/** Random calls on a map, each compared with a model of plain maps. */
export class MapHistory {
  readonly model: MapModel = new MapModel();
  /** What happened, so that a test can see that it did. */
  readonly seen: { merged: number; crissCrossed: number; conflicting: number; unrelated: number } =
    {
      merged: 0,
      crissCrossed: 0,
      conflicting: 0,
      unrelated: 0,
    };
  /** Called after every single call of the map. */
  afterCall: () => Promise<void> = async () => undefined;
  readonly #store: Store;
  readonly #random: Random;
  readonly #shape: HistoryShape;
  readonly #held: {
    readonly snapshot: MapSnapshot<string, string>;
    readonly contents: Contents;
  }[] = [];
  #map: VerMap<string, string> | undefined;

  constructor(store: Store, random: Random, shape: HistoryShape) {
    this.#store = store;
    this.#random = random;
    this.#shape = shape;
  }

  get map(): VerMap<string, string> {
    assert(this.#map !== undefined);
    return this.#map;
  }

  get #isInMemory(): boolean {
    return this.#shape.options?.working === "memory";
  }

  async open(): Promise<void> {
    this.#map = await VerMap.open(this.#store, {
      key: utf8,
      value: utf8,
      prefix: PREFIX,
      sync: false,
      clock: () => 1000,
      ...this.#shape.options,
    });
  }

  async step(): Promise<void> {
    await this.#randomCall();
    await this.#checkRecords();
    const branch = this.#random.pick([...this.model.branches.values()]);
    await this.#checkBranch(branch);
  }

  /** Everything, and the map's own check. */
  async checkAll(): Promise<void> {
    for (const branch of this.model.branches.values()) await this.#checkBranch(branch);
    for (const { id, parents, state, message } of this.model.commits.values()) {
      const commit = await this.map.commit(id);
      assert.deepEqual([commit?.parents, commit?.message], [parents, message]);
      using snapshot = await this.map.at(id);
      assert.deepEqual(await collect(snapshot.entries()), sortedEntries(state.contents));
    }
    const report = await this.map.verify();
    assert.deepEqual(report.firstBad, undefined);
    assert.equal(report.commits, this.model.commits.size);
  }

  /** Gives up what was held, and checks that nothing is left over. */
  async finish(): Promise<void> {
    for (const { snapshot } of this.#held) snapshot.release();
    for (const branch of this.model.branches.values()) saved(branch);
    await this.map.flush();
    await this.checkAll();
    // A reader may be kept for each branch, and nothing else.
    const { pinnedRootCount, unsavedNodeCount } = this.map.stats().tree;
    assert(pinnedRootCount <= this.model.branches.size);
    assert.equal(unsavedNodeCount, 0);
    await this.map.close();
  }

  async #randomCall(): Promise<void> {
    const weights: readonly (readonly [number, () => Promise<void>])[] = [
      [20, () => this.#set()],
      [8, () => this.#delete()],
      [14, () => this.#update()],
      [16, () => this.#commit()],
      [3, () => this.#discard()],
      [6, () => this.#createBranch()],
      [4, () => this.#deleteBranch()],
      [1, () => this.#rename()],
      [1, () => this.#setMain()],
      [5, () => this.#rollback()],
      [16, () => this.#merge(this.#branchId(), this.#branchId())],
      [6, () => this.#crissCross()],
      [4, () => this.#graph()],
      [3, () => this.#diff()],
      [3, () => this.#hold()],
      [1, () => this.#flush()],
      [this.#shape.isAlone === true ? 0 : 1, () => this.#reopen()],
      [this.#shape.isAlone === true ? 0 : 0.5, () => this.#repair()],
    ];
    let at = this.#random.fraction() * weights.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, call] of weights) {
      at -= weight;
      if (at < 0) return call();
    }
  }

  async #same<T>(actual: () => T | Promise<T>, expected: () => T): Promise<void> {
    const [is, ought] = [await outcomeOf(actual), await outcomeOf(expected)];
    assert.deepEqual(is, ought);
    await this.afterCall();
  }

  #set(): Promise<void> {
    return this.#setIn(this.#branchId());
  }

  async #setIn(id: number): Promise<void> {
    const [key, value] = [this.#key(), this.#value()];
    await this.#same(
      () => this.map.branch(id).set(key, value),
      () => this.#change(this.#branch(id), [[key, value]]),
    );
  }

  async #delete(): Promise<void> {
    const [id, key] = [this.#branchId(), this.#key()];
    await this.#same(
      () => this.map.branch(id).delete(key),
      () => this.#change(this.#branch(id), [[key, undefined]]),
    );
  }

  async #update(): Promise<void> {
    const id = this.#branchId();
    const count = this.#random.between(0, this.#shape.changeCountMax);
    const from = this.#random.below(this.#shape.keyCount);
    const changes: [string, string | undefined][] = [];
    for (let i = 0; i < count; i++) {
      const key = this.#random.chance(0.5) ? this.#key() : keyOf((from + i) % this.#shape.keyCount);
      changes.push([key, this.#random.chance(0.4) ? undefined : this.#value()]);
    }
    const fails = this.#random.chance(0.1);
    await this.#same(
      () =>
        this.map.branch(id).update(async (transaction) => {
          const seen = new Map<string, string | undefined>();
          for (const [key, value] of changes) {
            if (value === undefined) transaction.delete(key);
            else transaction.set(key, value);
            seen.set(key, value);
          }
          for (const [key, value] of [...seen].slice(0, 3))
            assert.equal(await transaction.get(key), value);
          if (fails) throw new Refusal("VERMAP_CONFLICT");
        }),
      () => {
        const branch = this.#branch(id);
        if (fails) throw new Refusal("VERMAP_CONFLICT");
        this.#change(branch, changes);
      },
    );
  }

  async #commit(): Promise<void> {
    const id = this.#branchId();
    const skipEmpty = this.#random.chance(0.2);
    const message = this.#random.chance(0.3) ? this.#value() : undefined;
    const head = this.#random.chance(0.1) ? this.#commitId() : undefined;
    const options = {
      skipEmpty,
      ...(message === undefined ? {} : { message }),
      ...(head === undefined ? {} : { expectedHead: head }),
    };
    await this.#same(
      () => this.map.branch(id).commit(options),
      () => {
        const branch = this.#branch(id);
        if (head !== undefined && head !== branch.head) throw new Refusal("VERMAP_HEAD_MOVED");
        if (skipEmpty && !this.model.isDirty(branch)) return branch.head;
        const parents = branch.head === 0 ? [] : [branch.head];
        branch.head = this.model.addCommit(parents, branch.working, message);
        saved(branch);
        return branch.head;
      },
    );
  }

  async #discard(): Promise<void> {
    const id = this.#branchId();
    await this.#same(
      () => this.map.branch(id).discard(),
      () => {
        const branch = this.#branch(id);
        branch.working = this.model.headState(branch);
        if (!this.#isInMemory) saved(branch);
      },
    );
  }

  #createBranch(): Promise<void> {
    const isFull = this.model.branches.size >= this.#shape.branchCountMax;
    const source = this.#random.chance(0.3)
      ? { commit: this.#commitId() }
      : isFull
        ? 999
        : this.#branchId();
    return this.#createBranchFrom(this.#random.pick(NAMES), source);
  }

  async #createBranchFrom(
    name: string,
    source: number | { readonly commit: number },
  ): Promise<void> {
    await this.#same(
      async () => (await this.map.createBranch(name, source)).id,
      () => {
        if (this.#named(name) !== undefined) throw new Refusal("VERMAP_BRANCH_EXISTS");
        const id = this.model.nextBranch;
        if (typeof source === "object") {
          const commit = this.model.commits.get(source.commit);
          if (commit === undefined) throw new Refusal("VERMAP_COMMIT_NOT_FOUND");
          const { state } = commit;
          this.model.branches.set(id, {
            id,
            name,
            head: commit.id,
            working: state,
            stored: state,
          });
        } else {
          const from = this.#branch(source);
          saved(from);
          this.model.branches.set(id, { ...from, id, name });
        }
        this.model.nextBranch++;
        return id;
      },
    );
  }

  #deleteBranch(): Promise<void> {
    return this.#deleteBranchOf(this.#branchId());
  }

  async #deleteBranchOf(id: number): Promise<void> {
    await this.#same(
      () => this.map.deleteBranch(id),
      () => {
        if (id === this.model.main) throw new Refusal("VERMAP_MAIN_BRANCH");
        this.#branch(id);
        this.model.branches.delete(id);
        this.model.collect();
      },
    );
  }

  async #rename(): Promise<void> {
    const [id, name] = [this.#branchId(), this.#random.pick(NAMES)];
    await this.#same(
      () => this.map.renameBranch(id, name),
      () => {
        const branch = this.#branch(id);
        if (branch.name === name) return;
        if (this.#named(name) !== undefined) throw new Refusal("VERMAP_BRANCH_EXISTS");
        branch.name = name;
        saved(branch);
      },
    );
  }

  async #setMain(): Promise<void> {
    const id = this.#branchId();
    await this.#same(
      () => this.map.setMain(id),
      () => {
        this.model.main = this.#branch(id).id;
      },
    );
  }

  async #rollback(): Promise<void> {
    const [id, commit] = [this.#branchId(), this.#commitId()];
    await this.#same(
      () => this.map.branch(id).rollbackTo(commit),
      () => {
        const branch = this.#branch(id);
        const target = this.model.commits.get(commit);
        if (target === undefined) throw new Refusal("VERMAP_COMMIT_NOT_FOUND");
        if (branch.head === 0) throw new Refusal("VERMAP_NOT_ANCESTOR");
        if (this.model.isDirty(branch)) throw new Refusal("VERMAP_UNCOMMITTED");
        if (!this.model.ancestors(branch.head).has(commit))
          throw new Refusal("VERMAP_NOT_ANCESTOR");
        branch.head = commit;
        branch.working = target.state;
        saved(branch);
        this.model.collect();
      },
    );
  }

  /** Two branches that merge each other's heads of before: their next merge has two bases. */
  async #crissCross(): Promise<void> {
    const [a, b] = [this.#branchId(), this.#branchId()];
    const before = this.model.nextBranch;
    await this.#createBranchFrom("cross", a);
    await this.#merge(b, a);
    await this.#merge(before, b);
    await this.#deleteBranchOf(before);
    for (const id of [a, b]) await this.#setIn(id);
    await this.#merge(a, b);
  }

  async #merge(source: number, target: number): Promise<void> {
    // Merges want clean branches; random ones seldom are.
    for (const id of [source, target])
      if (this.#random.chance(0.8) && this.model.branches.has(id)) await this.#commitQuietly(id);
    const strategy = this.#random.chance(0.2)
      ? undefined
      : this.#random.pick(["source", "target", "fail", decision] as const);
    const fastForward = this.#random.pick(["never", "never", "allow", "only"] as const);
    const options: MergeOptions<string, string> = {
      fastForward,
      ...(strategy === undefined ? {} : { strategy }),
    };
    const isPreview = this.#random.chance(0.3);
    await this.#same<unknown>(
      async () => {
        if (isPreview) return this.map.previewMerge(source, target, options);
        return this.map.merge(source, target, options);
      },
      () => this.#modelMerge(source, target, strategy, fastForward, isPreview),
    );
  }

  #modelMerge(
    sourceId: number,
    targetId: number,
    strategy: MergeStrategy<string, string> | undefined,
    fastForward: "never" | "allow" | "only",
    isPreview: boolean,
  ): unknown {
    if (sourceId === targetId) throw new Refusal("VERMAP_SELF_MERGE");
    const [source, target] = [sourceId, targetId].map((id) => {
      const branch = this.#branch(id);
      if (this.model.isDirty(branch)) throw new Refusal("VERMAP_UNCOMMITTED");
      return branch;
    }) as [ModelBranch, ModelBranch];
    if (source.head === 0) throw new Refusal("VERMAP_NO_COMMITS");
    const merged = this.model.merge(source, target, (conflict) => decided(conflict, strategy));
    const { bases, conflicts, contents } = merged;
    const nothing = { changed: 0, conflictCount: 0, conflicts: [] };
    const done = (result: object): unknown =>
      isPreview ? result : { ...result, commit: target.head };
    const follow = (): void => {
      if (isPreview) return;
      target.head = source.head;
      target.working = source.working;
      saved(target);
    };
    if (source.head === target.head) return done({ ...nothing, outcome: "up-to-date", bases });
    if (target.head === 0 || (fastForward !== "never" && bases[0] === target.head)) {
      follow();
      const taken = { ...nothing, changed: undefined };
      return done({ ...taken, outcome: "fast-forward", bases });
    }
    if (fastForward !== "never" && bases[0] === source.head)
      return done({ ...nothing, outcome: "up-to-date", bases });
    if (fastForward === "only") throw new Refusal("VERMAP_NOT_FAST_FORWARD");
    const isTaken =
      bases.length === 1 &&
      this.model.commits.get(bases[0] as number)?.state.token === target.working.token;
    const isOpen = conflicts.some((one) => isUnresolved(one, strategy));
    if (isOpen && !isPreview) throw new Refusal("VERMAP_MERGE_CONFLICT");
    if (!isPreview) {
      this.seen.merged++;
      if (bases.length > 1) this.seen.crissCrossed++;
      if (bases.length === 0) this.seen.unrelated++;
      if (conflicts.length > 0) this.seen.conflicting++;
      const isSame = merged.changed === 0;
      const own = isSame ? target.working : this.model.state(contents);
      const state = isTaken ? source.working : own;
      target.head = this.model.addCommit([target.head, source.head], state);
      target.working = state;
      saved(target);
    }
    const changed = isTaken ? undefined : merged.changed;
    const conflictCount = conflicts.length;
    return done({ outcome: "merged", bases, changed, conflictCount, conflicts });
  }

  async #graph(): Promise<void> {
    const [a, b] = [this.#commitId(), this.#commitId()];
    const isKnown = this.model.commits.has(a) && this.model.commits.has(b);
    const [fromA, fromB] = [this.model.ancestors(a), this.model.ancestors(b)];
    const known = <T>(value: T): T => {
      if (isKnown) return value;
      throw new Refusal("VERMAP_COMMIT_NOT_FOUND");
    };
    await this.#same(
      () => this.map.forkPoint(a, b),
      () => (isKnown ? this.model.bases(a, b)[0] : undefined),
    );
    await this.#same(
      () => this.map.isAncestor(a, b),
      () => known(fromB.has(a)),
    );
    await this.#same(
      () => this.map.aheadBehind(a, b),
      () =>
        known({
          ahead: [...fromA].filter((id) => !fromB.has(id)).length,
          behind: [...fromB].filter((id) => !fromA.has(id)).length,
        }),
    );
    if (!this.model.commits.has(a)) return;
    const log = await collect(this.map.log(a, { parents: "all" }));
    assert.deepEqual(
      log.map(({ id }) => id),
      [...fromA].toSorted((x, y) => y - x),
    );
  }

  async #diff(): Promise<void> {
    const [from, to] = [this.#commitId(), this.#commitId()];
    const [before, after] = [this.model.commits.get(from), this.model.commits.get(to)];
    await this.#same<unknown>(
      () => collect(this.map.diff(from, to)),
      () => {
        if (before === undefined || after === undefined)
          throw new Refusal("VERMAP_COMMIT_NOT_FOUND");
        return differencesOf(before.state.contents, after.state.contents);
      },
    );
  }

  /** Keeps a state open over the steps to come; now and then one is checked and given up. */
  async #hold(): Promise<void> {
    if (this.#held.length > 4 || this.#random.chance(0.3)) {
      const [oldest] = this.#held.splice(0, 1);
      if (oldest === undefined) return;
      const entries = await collect(oldest.snapshot.entries());
      assert.deepEqual(entries, sortedEntries(oldest.contents));
      oldest.snapshot.release();
      return;
    }
    const id = this.#random.pick([...this.model.branches.keys()]);
    const branch = this.#branch(id);
    const isHead = this.#random.chance(0.5);
    const snapshot = await this.map.at(isHead ? { head: id } : { branch: id });
    const state = isHead ? this.model.headState(branch) : branch.working;
    this.#held.push({ snapshot, contents: state.contents });
  }

  async #flush(): Promise<void> {
    await this.map.flush();
    for (const branch of this.model.branches.values()) saved(branch);
    await this.afterCall();
  }

  async #reopen(): Promise<void> {
    for (const { snapshot } of this.#held.splice(0)) snapshot.release();
    if (this.#random.chance(0.5)) {
      await this.map.close();
      for (const branch of this.model.branches.values()) saved(branch);
    }
    // Otherwise the handle is dropped, as a crash drops it.
    for (const branch of this.model.branches.values()) branch.working = branch.stored;
    await this.open();
  }

  async #repair(): Promise<void> {
    const report = await this.map.repair();
    assert.deepEqual(report, { commitsDeleted: 0, countsWritten: 0, nodesDeleted: 0 });
  }

  async #commitQuietly(id: number): Promise<void> {
    const branch = this.#branch(id);
    if (!this.model.isDirty(branch)) return;
    await this.map.branch(id).commit();
    const parents = branch.head === 0 ? [] : [branch.head];
    branch.head = this.model.addCommit(parents, branch.working);
    saved(branch);
    await this.afterCall();
  }

  async #checkBranch(branch: ModelBranch): Promise<void> {
    const handle = this.map.branch(branch.id);
    assert.equal(this.map.branchId(branch.name), branch.id);
    assert.deepEqual(
      [handle.name, handle.head, handle.hasUncommitted],
      [branch.name, branch.head || undefined, this.model.isDirty(branch)],
    );
    assert.deepEqual(await collect(handle.entries()), sortedEntries(branch.working.contents));
    const key = this.#key();
    assert.equal(await handle.get(key), branch.working.contents.get(key));
    const isCounted = this.#shape.options?.tree?.format !== 1;
    if (isCounted) assert.equal(await handle.size(), branch.working.contents.size);
  }

  /** Every commit, every count and every branch, as stored. */
  async #checkRecords(): Promise<void> {
    const survey = await surveyRecords(this.#store, new RecordKeys(PREFIX));
    assert.deepEqual(survey.faults, []);
    assert.deepEqual(new Set(survey.commits.keys()), new Set(this.model.commits.keys()));
    const counts = new Map([...this.model.counts()].filter(([, count]) => count > 1));
    assert.deepEqual(survey.mentions, counts);
    assert.deepEqual(
      [...survey.branches].map(([id, { name, head }]) => [id, name, head]),
      [...this.model.branches.values()]
        .map(({ id, name, head }) => [id, name, head])
        .toSorted(([a], [b]) => Number(a) - Number(b)),
    );
  }

  #change(branch: ModelBranch, changes: readonly [string, string | undefined][]): void {
    branch.working = this.model.changed(branch.working, changes);
    if (!this.#isInMemory) saved(branch);
  }

  #branch(id: number): ModelBranch {
    const branch = this.model.branches.get(id);
    if (branch === undefined) throw new Refusal("VERMAP_BRANCH_NOT_FOUND");
    return branch;
  }

  #named(name: string): ModelBranch | undefined {
    return [...this.model.branches.values()].find((one) => one.name === name);
  }

  /** Mostly one that exists. */
  #branchId(): number {
    if (this.#random.chance(0.04)) return this.#random.between(1, this.model.nextBranch);
    return this.#random.pick([...this.model.branches.keys()]);
  }

  #commitId(): number {
    const ids = [...this.model.commits.keys()];
    if (ids.length === 0 || this.#random.chance(0.06))
      return this.#random.between(1, this.model.nextCommit);
    return this.#random.pick(ids);
  }

  #key(): string {
    return keyOf(this.#random.below(this.#shape.keyCount));
  }

  #value(): string {
    return this.#random.pick(["x", "y", "z", "", "longer"]);
  }
}

function keyOf(index: number): string {
  return index === 0 ? "" : `k${String(index).padStart(4, "0")}`;
}

function saved(branch: ModelBranch): void {
  branch.stored = branch.working;
}

/** A resolver that decides by the key. */
function decision({ key }: ModelConflict): Resolution<string> {
  const kinds = ["source", "target", "delete", { value: "new" }, "source", "unresolved"] as const;
  return kinds[key.charCodeAt(key.length - 1) % 6] ?? "target";
}

function isUnresolved(
  conflict: ModelConflict,
  strategy: MergeStrategy<string, string> | undefined,
): boolean {
  if (strategy === "fail") return true;
  return typeof strategy === "function" && decision(conflict) === "unresolved";
}

function decided(
  conflict: ModelConflict,
  strategy: MergeStrategy<string, string> = "source",
): string | undefined {
  const resolution = typeof strategy === "function" ? decision(conflict) : strategy;
  if (resolution === "source") return conflict.source;
  if (typeof resolution === "object") return resolution.value;
  return resolution === "delete" ? undefined : conflict.target;
}

function differencesOf(before: Contents, after: Contents): unknown[] {
  const list: unknown[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].toSorted()) {
    const [oldValue, value] = [before.get(key), after.get(key)];
    if (oldValue === value) continue;
    if (value === undefined) list.push({ type: "removed", key, oldValue });
    else if (oldValue === undefined) list.push({ type: "added", key, value });
    else list.push({ type: "modified", key, oldValue, value });
  }
  return list;
}
