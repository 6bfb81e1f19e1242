import { type Reading } from "@x/store";
import { copyBytes } from "@x/store/adapter";

import { findMany } from "./lookup.ts";
import { type NodeSource } from "./node-source.ts";
import { type LeafValue } from "./node.ts";
import { entryAt } from "./order.ts";
import { type LeafEntry, type RangeWalk } from "./range-walk.ts";
import { type Bytes, type Entry } from "./types.ts";

/** What a walk gives of each leaf. */
export type Giver<T> = (source: NodeSource, entries: readonly LeafEntry[]) => Reading<T[]>;

/**
 * What a walk reads next, as it is to be given; nothing at the end.
 *
 * @yields keys of nodes
 */
export function* page<T>(source: NodeSource, walk: RangeWalk, give: Giver<T>): Reading<T[]> {
  return yield* give(source, yield* walk.read());
}

/**
 * Keys and values, fresh.
 *
 * @yields keys of values
 */
export function* entriesOf(source: NodeSource, entries: readonly LeafEntry[]): Reading<Entry[]> {
  const values = yield* source.values(entries.map((one) => one.value));
  return entries.map(({ key }, i) => [copyBytes(key), copyBytes(values[i] as Uint8Array)]);
}

/** Keys, fresh. A generator without a yield is still a reading. */
// oxlint-disable-next-line require-yield -- nothing has to be read for keys
export function* keysOf(_source: NodeSource, entries: readonly LeafEntry[]): Reading<Bytes[]> {
  return entries.map(({ key }) => copyBytes(key));
}

/**
 * Values, fresh.
 *
 * @yields keys of values
 */
export function* leafValuesOf(source: NodeSource, entries: readonly LeafEntry[]): Reading<Bytes[]> {
  const values = yield* source.values(entries.map((one) => one.value));
  return values.map(copyBytes);
}

/**
 * The first entry of a walk.
 *
 * @yields keys of nodes
 */
export function* firstOf(source: NodeSource, walk: RangeWalk): Reading<Entry | undefined> {
  return (yield* page(source, walk, entriesOf))[0];
}

/**
 * The entry with so many before it.
 *
 * @yields keys of nodes
 */
export function* entryOf(
  source: NodeSource,
  root: number,
  index: number,
): Reading<Entry | undefined> {
  const found = yield* entryAt(source, root, index);
  return found === undefined ? undefined : (yield* entriesOf(source, [found]))[0];
}

/**
 * The value that was found, fresh.
 *
 * @yields keys of nodes
 */
export function* valueOf(
  source: NodeSource,
  finding: Reading<LeafValue | undefined>,
): Reading<Bytes | undefined> {
  const found = yield* finding;
  if (found === undefined) return undefined;
  if (found instanceof Uint8Array) return copyBytes(found);
  return copyBytes((yield* source.values([found]))[0] as Uint8Array);
}

/**
 * Whether a value was found.
 *
 * @yields keys of nodes
 */
export function* isThere(finding: Reading<LeafValue | undefined>): Reading<boolean> {
  return (yield* finding) !== undefined;
}

/**
 * The values of many keys, each in its place, fresh.
 *
 * @yields keys of nodes
 */
export function* valuesOf(
  source: NodeSource,
  root: number,
  keys: readonly Uint8Array[],
): Reading<(Bytes | undefined)[]> {
  const found = yield* findMany(source, root, keys);
  const present = found.filter((value) => value !== undefined);
  const values = yield* source.values(present);
  let next = 0;
  return found.map((value) =>
    value === undefined ? undefined : copyBytes(values[next++] as Uint8Array),
  );
}
