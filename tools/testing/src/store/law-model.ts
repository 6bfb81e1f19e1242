import assert from "node:assert/strict";

import fc from "fast-check";

import { scaled } from "../scale.ts";
import { hexOf, type ModelEntry, StoreModel } from "./model.ts";
import { collect, type OpenedStore, readEveryWay, type StoreSubject } from "./subject.ts";
import {
  type StoreEntries,
  type StoreEntry,
  type StoreExpectation,
  type StoreLike,
  type StoreOperation,
  type StoreRange,
} from "./types.ts";

/** A store answers every read, at every time, as a sorted map would; also from snapshots, and after reopening. */
export async function storeActsLikeMap(subject: StoreSubject): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(someStep, { maxLength: 30, size: "max" }), async (steps) => {
      const opened = await subject.open();
      const history = new History(opened);
      try {
        for (const one of steps) await history.take(one);
        await history.finish();
      } finally {
        await opened.dispose();
      }
    }),
    { numRuns: scaled(subject.runCount ?? 100) },
  );
}

type Step =
  | { readonly do: "batch"; readonly operations: readonly StoreOperation[]; readonly sync: boolean }
  | {
      readonly do: "expect";
      readonly operations: readonly StoreOperation[];
      readonly keys: readonly Uint8Array[];
      readonly wrong: Uint8Array | undefined;
    }
  | { readonly do: "read"; readonly keys: readonly Uint8Array[] }
  | { readonly do: "walk"; readonly range: StoreRange }
  | { readonly do: "hold"; readonly range: StoreRange; readonly taken: number }
  | { readonly do: "resume"; readonly taken: number }
  | { readonly do: "reopen" };

// Few and short keys, so that they meet; bytes where signed and unsigned order differ.
const someKey = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((raw) => raw.map(keyByte));
const someBound = fc.uint8Array({ maxLength: 3 }).map((raw) => raw.map(keyByte));
const someValue = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 60, maxLength: 300, size: "max" }) },
);
const someOperation: fc.Arbitrary<StoreOperation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("put" as const), key: someKey, value: someValue }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("del" as const), key: someKey }) },
);
const someOperations = fc.array(someOperation, { maxLength: 20, size: "max" });
const lower = fc.oneof(
  fc.constant<StoreRange>({}),
  someBound.map((gte) => ({ gte })),
  someBound.map((gt) => ({ gt })),
);
const upper = fc.oneof(
  fc.constant<StoreRange>({}),
  someBound.map((lte) => ({ lte })),
  someBound.map((lt) => ({ lt })),
);
const someRange: fc.Arbitrary<StoreRange> = fc
  .tuple(lower, upper, fc.boolean(), fc.option(fc.nat({ max: 12 }), { nil: undefined }))
  .map(([low, high, reverse, limit]) =>
    Object.assign({ reverse }, low, high, limit === undefined ? {} : { limit }),
  );
const someStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("batch" as const),
      operations: someOperations,
      sync: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("expect" as const),
      operations: someOperations,
      keys: fc.array(someKey, { maxLength: 3 }),
      wrong: fc.option(someKey, { nil: undefined }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("read" as const),
      keys: fc.array(someKey, { maxLength: 8 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("walk" as const), range: someRange }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      range: someRange,
      taken: fc.nat({ max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("resume" as const), taken: fc.nat({ max: 5 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reopen" as const) }) },
);

function keyByte(byte: number): number {
  return [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff][byte % 6] ?? 0;
}

/** A walk that was begun, and what it must still give. */
interface Held {
  readonly entries: StoreEntries;
  readonly expected: ModelEntry[];
}

class History {
  readonly #opened: OpenedStore;
  readonly #model = new StoreModel();
  #store: StoreLike;
  #held: Held[] = [];

  constructor(opened: OpenedStore) {
    this.#opened = opened;
    this.#store = opened.store;
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case "batch":
        await this.#store.batch(one.operations, { sync: one.sync });
        this.#model.batch(one.operations);
        return;
      case "expect":
        return this.#expect(one.operations, this.#expectations(one.keys, one.wrong));
      case "read":
        assert.deepEqual(
          await readEveryWay(this.#store, one.keys),
          one.keys.map((key) => this.#model.get(key)),
        );
        return;
      case "walk":
        assert.deepEqual(
          toModel(await collect(this.#store.iterator(one.range))),
          this.#model.entries(one.range),
        );
        return;
      case "hold":
        this.#held.push({
          entries: this.#store.iterator(one.range),
          expected: this.#model.entries(one.range),
        });
        return this.#resume(one.taken);
      case "resume":
        this.#held.unshift(...this.#held.splice(-1));
        return this.#resume(one.taken);
      case "reopen":
        return this.#reopen();
    }
  }

  async finish(): Promise<void> {
    for (const { entries, expected } of this.#held)
      assert.deepEqual(toModel(await collect(entries)), expected);
    this.#held = [];
    assert.deepEqual(toModel(await collect(this.#store.iterator())), this.#model.entries());
    assert.equal(this.#opened.iteratorCount(), 0);
  }

  async #expect(
    operations: readonly StoreOperation[],
    expect: readonly StoreExpectation[],
  ): Promise<void> {
    const holds = this.#model.batch(operations, expect);
    const outcome = await this.#store.batch(operations, { expect, sync: false }).then(
      () => "written",
      (error: unknown) => (error instanceof Error && "code" in error ? error.code : error),
    );
    assert.equal(outcome, holds ? "written" : "STORE_CONFLICT");
  }

  /** True ones of these keys, and one that is wrong. */
  #expectations(keys: readonly Uint8Array[], wrong: Uint8Array | undefined): StoreExpectation[] {
    const expect = keys.map((key) => ({ key, value: this.#model.get(key) }));
    if (wrong === undefined) return expect;
    const value = this.#model.get(wrong);
    return [...expect, { key: wrong, value: value === undefined ? new Uint8Array() : undefined }];
  }

  /** Takes some entries of the walk that was held last. */
  async #resume(taken: number): Promise<void> {
    const held = this.#held.at(-1);
    if (held === undefined) return;
    for (let i = 0; i < taken; i++) {
      const { value: entry } = await held.entries.next();
      assert.deepEqual(entry === undefined ? [] : toModel([entry]), held.expected.splice(0, 1));
    }
  }

  async #reopen(): Promise<void> {
    if (this.#opened.reopen === undefined) return;
    this.#held = [];
    this.#store = await this.#opened.reopen();
  }
}

function toModel(entries: readonly StoreEntry[]): ModelEntry[] {
  return entries.map(([key, value]) => [hexOf(key), value]);
}
