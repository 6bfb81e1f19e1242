import assert from "node:assert/strict";
import { type Random } from "@x/testing";
import { type Store } from "@x/store";

import {
  type Bytes,
  type Change,
  NodePool,
  type PoolOptions,
  type Snapshot,
} from "../../src/index.ts";
import { collect } from "../bytes.ts";
import { TreeModel } from "./tree-model.ts";

/** How large the trees of a history get, and what their values are like. */
export interface HistoryOptions extends PoolOptions {
  readonly keyCount: number;
  readonly changeCountMax: number;
  readonly valueByteCountMax: number;
}

/** A branch: what its record in the store would hold, and what it is in memory. */
interface Branch {
  stored: number;
  storedModel: TreeModel;
  working: number;
  model: TreeModel;
}

/**
 * Random work on several branches of one pool, each beside its model: edits in place and beside, writes, spills, loads,
 * snapshots, forks, reopening with and without a crash.
 */
export class History {
  readonly #store: Store;
  readonly #random: Random;
  readonly #options: HistoryOptions;
  readonly #snapshots: { readonly snapshot: Snapshot; readonly model: TreeModel }[] = [];
  #branches: Branch[] = [];
  #pool!: NodePool;

  constructor(store: Store, random: Random, options: HistoryOptions) {
    this.#store = store;
    this.#random = random;
    this.#options = options;
  }

  get pool(): NodePool {
    return this.#pool;
  }

  async begin(): Promise<void> {
    this.#pool = await NodePool.open(this.#store, this.#options);
    for (let i = 0; i < 3; i++)
      this.#branches.push({
        stored: 0,
        storedModel: new TreeModel(),
        working: 0,
        model: new TreeModel(),
      });
  }

  /** So many steps, then a check of everything. */
  async run(stepCount: number): Promise<number> {
    await this.begin();
    for (let i = 0; i < stepCount; i++) await this.step();
    await this.checkAll();
    return stepCount;
  }

  async step(): Promise<void> {
    const branch = this.#random.pick(this.#branches);
    const dice = this.#random.below(100);
    if (dice < 50) await this.#edit(branch, dice < 40);
    else if (dice < 70) await this.#write(branch);
    else if (dice < 75) await this.#pool.spill();
    else if (dice < 80) await this.#load(branch);
    else if (dice < 86) this.#fork(branch);
    else if (dice < 91) await this.#discard(branch);
    else if (dice < 97) await this.#snapshot(branch);
    else await this.#reopen();
    await this.#check(branch);
  }

  /** Everything, in full. */
  async checkAll(): Promise<void> {
    for (const branch of this.#branches) await this.#check(branch);
    for (const { snapshot, model } of this.#snapshots)
      assert.deepEqual(await collect(snapshot.entries()), model.entries);
    const report = await this.#pool.verify({ roots: this.#branches.map((one) => one.stored) });
    assert.equal(report.firstBad, undefined);
    assert.ok(report.ok);
  }

  changes(): Change[] {
    const count = 1 + this.#random.below(this.#options.changeCountMax);
    const isRemoval = this.#random.chance(0.3);
    const from = this.#random.below(this.#options.keyCount);
    const isRun = this.#random.chance(0.4);
    return Array.from({ length: count }, (_, i): Change => {
      const number = isRun ? from + i : this.#random.below(this.#options.keyCount);
      const key = this.#key(number % this.#options.keyCount);
      return this.#random.chance(isRemoval ? 0.85 : 0.15)
        ? { type: "del", key }
        : { type: "put", key, value: this.#value() };
    });
  }

  async #edit(branch: Branch, consume: boolean): Promise<void> {
    const changes = this.changes();
    const before = branch.working;
    branch.working = this.#random.chance(0.5)
      ? this.#pool.editSync(before, changes, { consume })
      : await this.#pool.edit(before, changes, { consume });
    if (!consume) this.#pool.unpin(before);
    branch.model = branch.model.edited(changes);
  }

  async #write(branch: Branch): Promise<void> {
    await this.#pool.write({ hold: [branch.working], drop: [branch.stored] });
    branch.stored = branch.working;
    branch.storedModel = branch.model;
    const report = await this.#pool.verify({ roots: this.#branches.map((one) => one.stored) });
    assert.equal(report.firstBad, undefined);
    assert.ok(report.ok);
  }

  async #load(branch: Branch): Promise<void> {
    const model = new TreeModel().edited(this.changes());
    const root = await this.#pool.load(model.entries);
    this.#pool.unpin(branch.working);
    branch.working = root;
    branch.model = model;
  }

  /** Another branch goes on from the working state of this one. */
  #fork(branch: Branch): void {
    const other = this.#random.pick(this.#branches);
    this.#pool.pin(branch.working);
    this.#pool.unpin(other.working);
    other.working = branch.working;
    other.model = branch.model;
  }

  async #discard(branch: Branch): Promise<void> {
    this.#pool.pin(branch.stored);
    this.#pool.unpin(branch.working);
    branch.working = branch.stored;
    branch.model = branch.storedModel;
  }

  async #snapshot(branch: Branch): Promise<void> {
    this.#snapshots.push({ snapshot: this.#pool.snapshot(branch.working), model: branch.model });
    if (this.#snapshots.length < 4) return;
    const [oldest] = this.#snapshots.splice(this.#random.below(2), 1);
    if (oldest === undefined) return;
    assert.deepEqual(await collect(oldest.snapshot.entries()), oldest.model.entries);
    oldest.snapshot.release();
  }

  /** Working states and snapshots are gone, as after a crash. */
  async #reopen(): Promise<void> {
    await this.#pool.close();
    this.#pool = await NodePool.open(this.#store, this.#options);
    this.#snapshots.length = 0;
    for (const branch of this.#branches) {
      branch.working = branch.stored;
      branch.model = branch.storedModel;
      this.#pool.pin(branch.working);
    }
    await this.checkAll();
  }

  async #check(branch: Branch): Promise<void> {
    const snapshot = this.#pool.snapshot(branch.working);
    assert.deepEqual([...snapshot.entriesSync()], branch.model.entries);
    if (this.#pool.format === 2) assert.equal(await snapshot.size(), branch.model.entries.length);
    const other = this.#random.pick(this.#branches);
    const differences = snapshot.diffSync(other.working);
    assert.deepEqual([...differences], branch.model.diff(other.model));
    snapshot.release();
  }

  #key(number: number): Bytes {
    // Of several lengths, so that some keys begin with others.
    const text = number.toString(3);
    return Uint8Array.from(text, (digit) => Number(digit) * 100);
  }

  #value(): Bytes {
    const max = this.#options.valueByteCountMax;
    return this.#random.bytes(
      this.#random.chance(0.1) ? this.#random.below(max) : this.#random.below(4),
    );
  }
}
