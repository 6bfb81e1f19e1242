import assert from "node:assert/strict";

import {
  readsSync,
  type StoredBytes,
  type StoreEntries,
  type StoreEntry,
  type StoreLike,
  type StoreOperation,
} from "./types.ts";

/** A kind of store under test. */
export interface StoreSubject {
  /** An empty store that nothing else uses. */
  open(options?: StoreSubjectOptions): Promise<OpenedStore>;
  /** Whether `failNextWrite` is there. */
  readonly canFail: boolean;
  /** Whether it bounds its iterators, and gives those back that nobody holds. Default: true. */
  readonly isBounded?: boolean;
  /** Histories the model law runs at scale 1. Default: 100. */
  readonly runCount?: number;
  /** Operations in the large batch. Default: 20,000. */
  readonly largeBatchCount?: number;
}

export interface StoreSubjectOptions {
  readonly iteratorCountMax?: number;
}

/** One store under test and what the laws may do with it besides. */
export interface OpenedStore {
  readonly store: StoreLike;
  /** Closes the store and opens what it left; absent where nothing is left. */
  reopen?(): Promise<StoreLike>;
  /** Makes the next write to the medium fail. */
  failNextWrite?(): void;
  /** Iterators whose snapshots are held now. */
  readonly iteratorCount: () => number;
  /** Closes what is open, and removes what was made. */
  dispose(): Promise<void>;
}

/** One thing every store keeps. */
export interface StoreLaw {
  readonly name: string;
  run(subject: StoreSubject): Promise<void>;
}

/** Runs a check on a fresh store and cleans up. */
export async function withStore(
  subject: StoreSubject,
  check: (store: StoreLike, opened: OpenedStore) => Promise<void>,
  options?: StoreSubjectOptions,
): Promise<void> {
  const opened = await subject.open(options);
  try {
    await check(opened.store, opened);
  } finally {
    await opened.dispose();
  }
}

/** The same read made in every way the store has; they must agree. */
export async function readEveryWay(
  store: StoreLike,
  keys: readonly Uint8Array[],
): Promise<(StoredBytes | undefined)[]> {
  const values = await store.getMany(keys);
  assert.equal(values.length, keys.length);
  assert.deepEqual(await Promise.all(keys.map((key) => store.get(key))), values);
  if (!readsSync(store)) return values;
  assert.deepEqual(store.getManySync(keys), values);
  assert.deepEqual(store.viewManySync(keys).map(copied), values);
  assert.deepEqual(
    keys.map((key) => store.getSync(key)),
    values,
  );
  return values;
}

/** A view may be any subclass of `Uint8Array`; the bytes count. */
function copied(view: Uint8Array | undefined): Uint8Array | undefined {
  return view === undefined ? undefined : new Uint8Array(view);
}

/** All entries of a walk. */
export async function collect(entries: StoreEntries): Promise<StoreEntry[]> {
  const collected: StoreEntry[] = [];
  for await (const entry of entries) collected.push(entry);
  return collected;
}

/** Expects a rejection with a code of the stores. */
export async function rejectsWith(promise: Promise<unknown>, code: string): Promise<Error> {
  const error = await rejectionOf(promise);
  assert.ok(error instanceof Error, `rejected with ${String(error)}`);
  assert.equal("code" in error ? error.code : error.name, code, error.stack ?? error.message);
  return error;
}

async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "the call was expected to fail and did not" });
}

/** Expects a TypeError or RangeError, thrown at once or by the promise. */
export async function refuses(call: () => unknown, name = "TypeError"): Promise<void> {
  const error = await rejectionOf((async () => call())());
  assert.ok(error instanceof Error);
  assert.equal(error.name, name, error.stack ?? error.message);
  assert.equal("code" in error, false);
}

export function bytes(...values: readonly number[]): StoredBytes {
  return Uint8Array.from(values);
}

export function put(key: Uint8Array, value: Uint8Array): StoreOperation {
  return { type: "put", key, value };
}

export function del(key: Uint8Array): StoreOperation {
  return { type: "del", key };
}
