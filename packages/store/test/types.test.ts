import { type CountingStore, FailingStore, type StoreLike, type SyncReadsLike } from "@x/testing";
import { expect, expectTypeOf, test } from "vitest";

import {
  type BatchOptions,
  type Entry,
  hasSyncReads,
  type Operation,
  prefixed,
  type Range,
  type Store,
  type StoreIterator,
  type SyncReads,
} from "../src/index.ts";

test("the tools' stores are stores, and stores are what the tools take", () => {
  expectTypeOf<FailingStore>().toExtend<Store & SyncReads>();
  expectTypeOf<CountingStore<FailingStore>>().toExtend<Store & SyncReads>();
  expectTypeOf<Store>().toExtend<StoreLike>();
  expectTypeOf<SyncReads>().toExtend<SyncReadsLike>();
  expectTypeOf<StoreLike>().toExtend<Store>();
});

test("operations, options and ranges are closed shapes", () => {
  expectTypeOf<{ type: "put"; key: Uint8Array }>().not.toExtend<Operation>();
  expectTypeOf<{ type: "del"; key: Uint8Array }>().toExtend<Operation>();
  expectTypeOf<{ sync: undefined }>().not.toExtend<BatchOptions>();
  expectTypeOf<{ gte: undefined }>().not.toExtend<Range>();
  expectTypeOf<{ gte: Uint8Array; reverse: true; limit: 1 }>().toExtend<Range>();
});

test("a walk gives entries to for await", async () => {
  const walk: StoreIterator = new FailingStore().iterator();
  for await (const entry of walk) expectTypeOf(entry).toEqualTypeOf<Entry>();
  expect((await walk.next()).done).toBe(true);
});

test("synchronous reads are there where they are declared, also behind a prefix", () => {
  const store: Store = new FailingStore();
  expectTypeOf(store).not.toExtend<SyncReads>();
  expectTypeOf(prefixed(store, Uint8Array.of(1))).toEqualTypeOf<Store>();
  expect(hasSyncReads(store)).toBe(true);
  if (hasSyncReads(store)) {
    expectTypeOf(store).toExtend<SyncReads>();
    expectTypeOf(prefixed(store, Uint8Array.of(1))).toEqualTypeOf<Store & SyncReads>();
  }
  const asyncOnly: Store = Object.assign(Object.create(store), { supports: { syncReads: false } });
  expect(hasSyncReads(asyncOnly)).toBe(false);
  expect("getSync" in prefixed(asyncOnly, Uint8Array.of(1))).toBe(false);
});
