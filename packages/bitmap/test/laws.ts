/** What every implementation of a set of 32-bit integers does, whatever was done to it before. */
import fc from "fast-check";
import { expect } from "vitest";
import type { U32Set } from "../src/index.ts";
import { numbersFrom, plainKind, readPlain, writePlain } from "./portable.ts";
import { KEEPS, RangeModel } from "./range-model.ts";

/** An implementation under test. */
export interface SetSubject<S extends U32Set<S>> {
  readonly name: string;
  /** A set of these values, in any order. */
  from(values: Iterable<number>): S;
  /** The set in these bytes of the portable format. */
  deserialize(bytes: Uint8Array): S;
}

/** Where words, containers, array containers and signed numbers begin and end. */
export const EDGES: readonly number[] = [
  0,
  1,
  63,
  64,
  4094,
  4095,
  4096,
  4097,
  65_534,
  65_535,
  65_536,
  65_537,
  131_071,
  131_072,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 31 + 1,
  2 ** 32 - 65_536,
  2 ** 32 - 2,
  2 ** 32 - 1,
];

/** A value, mostly where something begins or ends, or from a small alphabet. */
export const someValue: fc.Arbitrary<number> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 12 }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...EDGES),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 200_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
);

/** A range, its end included in what it may be: 2^32. */
export const someRange: fc.Arbitrary<readonly [number, number]> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        someValue,
        fc.constantFrom(0, 1, 2, 3, 63, 256, 4095, 4096, 4097, 65535, 65536, 65537, 200_000),
      )
      .map(([begin, length]): readonly [number, number] => [
        begin,
        Math.min(2 ** 32, begin + length),
      ]),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(someValue, someValue)
      .map(([a, b]): readonly [number, number] => [Math.min(a, b), Math.max(a, b) + 1]),
  },
);

/** Evenly spaced values, as many as a container form has room for, and one more or less. */
export const someComb: fc.Arbitrary<readonly number[]> = fc
  .tuple(
    someValue,
    fc.constantFrom(1, 2, 3, 16, 17, 65536),
    fc.constantFrom(1, 2, 16, 63, 64, 65, 1000, 2046, 2047, 2048, 2049, 4095, 4096, 4097, 5000),
  )
  .map(([begin, step, count]) =>
    numbersFrom(0, step === 65536 ? Math.min(count, 40) : count)
      .map((i) => begin + i * step)
      .filter((value) => value < 2 ** 32),
  );

const slot = fc.integer({ min: 0, max: 2 });
const operation = fc.constantFrom("and", "or", "xor", "andNot");

/** One step of a history over three sets. */
export const someStep = fc.oneof(
  fc.record({ type: fc.constantFrom("add", "delete"), slot, value: someValue }),
  fc.record({ type: fc.constantFrom("addRange", "deleteRange"), slot, range: someRange }),
  fc.record({
    type: fc.constantFrom("addMany", "addEach", "deleteEach"),
    slot,
    values: fc.oneof(
      someComb,
      someComb.map((values) => values.toReversed()),
      fc.array(someValue, { maxLength: 100 }),
    ),
  }),
  fc.record({ type: fc.constant("combine"), slot, operation, other: slot, target: slot }),
  fc.record({ type: fc.constant("combineInPlace"), slot, operation, other: slot }),
  fc.record({ type: fc.constant("clone"), slot, target: slot }),
  fc.record({ type: fc.constantFrom("runOptimize", "roundTrip", "clear", "read"), slot }),
);
type StepOf<A> = A extends fc.Arbitrary<infer T> ? T : never;
export type Step = StepOf<typeof someStep>;

/** A set and what it must hold. */
interface Pair<S> {
  set: S;
  model: RangeModel;
}

/** Three sets under one history agree with their models after each step, the untouched ones too. */
export function setActsLikeModel<S extends U32Set<S>>(
  subject: SetSubject<S>,
  runs: number,
): { readonly histories: number; readonly steps: number } {
  let steps = 0;
  fc.assert(
    fc.property(fc.array(someStep, { minLength: 1, maxLength: 24, size: "max" }), (history) => {
      const pairs: Pair<S>[] = [0, 1, 2].map(() => ({
        set: subject.from([]),
        model: RangeModel.EMPTY,
      }));
      for (const step of history) {
        applyStep(subject, pairs, step);
        for (const { set, model } of pairs) checkCounts(set, model);
        steps++;
      }
      for (const { set, model } of pairs) checkContents(subject, set, model);
      for (const first of pairs) for (const second of pairs) checkComparisons(first, second);
    }),
    { numRuns: runs },
  );
  return { histories: runs, steps };
}

function pairAt<S>(pairs: readonly Pair<S>[], i: number): Pair<S> {
  const pair = pairs[i];
  if (pair === undefined) throw new RangeError(`no set ${i}`);
  return pair;
}

function applyStep<S extends U32Set<S>>(
  subject: SetSubject<S>,
  pairs: readonly Pair<S>[],
  step: Step,
): void {
  const pair = pairAt(pairs, step.slot);
  const { set, model } = pair;
  switch (step.type) {
    case "add":
      expect(set.add(step.value)).toBe(!model.has(step.value));
      pair.model = plus(model, step.value, step.value + 1);
      expect(set.has(step.value)).toBe(true);
      return;
    case "delete":
      expect(set.delete(step.value)).toBe(model.has(step.value));
      pair.model = minus(model, step.value, step.value + 1);
      expect(set.has(step.value)).toBe(false);
      return;
    case "addRange":
      set.addRange(...step.range);
      pair.model = plus(model, ...step.range);
      return;
    case "deleteRange":
      set.deleteRange(...step.range);
      pair.model = minus(model, ...step.range);
      return;
    case "addMany":
      set.addMany(step.values);
      pair.model = model.combine(RangeModel.of(step.values), KEEPS.or);
      return;
    case "addEach":
      for (const value of step.values) set.add(value);
      pair.model = model.combine(RangeModel.of(step.values), KEEPS.or);
      return;
    case "deleteEach":
      for (const value of step.values) set.delete(value);
      pair.model = model.combine(RangeModel.of(step.values), KEEPS.andNot);
      return;
    case "combine": {
      const other = pairAt(pairs, step.other);
      const target = pairAt(pairs, step.target);
      // The sets change only now: the target may be one of the two.
      const result = set[step.operation](other.set);
      const expected = model.combine(other.model, KEEPS[step.operation]);
      checkCounts(set, model);
      checkCounts(other.set, other.model);
      target.set = result;
      target.model = expected;
      return;
    }
    case "combineInPlace": {
      const other = pairAt(pairs, step.other);
      expect(set[`${step.operation}InPlace`](other.set)).toBe(set);
      pair.model = model.combine(other.model, KEEPS[step.operation]);
      return;
    }
    case "clone": {
      const target = pairAt(pairs, step.target);
      target.set = set.clone();
      target.model = model;
      return;
    }
    case "runOptimize":
      set.runOptimize();
      return;
    case "roundTrip":
      pair.set = subject.deserialize(set.serialize());
      return;
    case "clear":
      set.clear();
      pair.model = RangeModel.EMPTY;
      return;
    case "read":
      // Fills the indexes for rank and select, so that later steps can spoil them.
      checkQueries(set, model);
      return;
  }
}

function plus(model: RangeModel, begin: number, end: number): RangeModel {
  return model.combine(RangeModel.range(begin, end), KEEPS.or);
}

function minus(model: RangeModel, begin: number, end: number): RangeModel {
  return model.combine(RangeModel.range(begin, end), KEEPS.andNot);
}

function checkCounts<S>(set: U32Set<S>, model: RangeModel): void {
  const size = model.size;
  expect(set.size).toBe(size);
  expect(set.min()).toBe(model.ranges[0]?.begin);
  const last = model.ranges.at(-1);
  expect(set.max()).toBe(last === undefined ? undefined : last.end - 1);
}

/** Both sides of the begins and ends of some ranges, spread over all of them. */
function edgesOf(model: RangeModel): number[] {
  const stride = Math.max(1, Math.floor(model.ranges.length / 12));
  const edges = model.ranges
    .filter((_, i) => i % stride === 0)
    .flatMap(({ begin, end }) => [begin - 1, begin, end - 1, end]);
  return [0, 65535, 65536, 2 ** 31, 2 ** 32 - 1, ...edges].filter((v) => 0 <= v && v < 2 ** 32);
}

function checkQueries<S>(set: U32Set<S>, model: RangeModel): void {
  for (const value of edgesOf(model)) {
    const rank = model.rank(value);
    expect(set.has(value)).toBe(model.has(value));
    expect(set.rank(value)).toBe(rank);
    expect(set.select(rank)).toBe(model.select(rank));
    if (rank > 0) expect(set.select(rank - 1)).toBe(model.select(rank - 1));
    expect(set.countRange(value, 2 ** 32)).toBe(model.countRange(value, 2 ** 32));
    // Select is the inverse of rank.
    if (model.has(value)) expect(set.select(set.rank(value) - 1)).toBe(value);
  }
  expect(set.select(set.size)).toBeUndefined();
}

/** Sets of more values than this are compared by their ranges and not one value at a time. */
const LISTED_COUNT_MAX = 100_000;

/** Everything that can be asked of a set agrees with its model. */
export function checkContents<S extends U32Set<S>>(
  subject: SetSubject<S>,
  set: S,
  model: RangeModel,
): void {
  checkCounts(set, model);
  checkQueries(set, model);
  // Together with the size this is equality: each range is full, so nothing else is left.
  for (const { begin, end } of model.ranges) {
    if (set.countRange(begin, end) !== end - begin) {
      throw new Error(`range ${begin} to ${end} has ${set.countRange(begin, end)} values`);
    }
  }
  if (set.size <= LISTED_COUNT_MAX) checkLists(set, model);
  for (const value of edgesOf(model).slice(0, 12)) {
    for (const reverse of [false, true]) {
      const iterator = set.values({ from: value, reverse });
      expect(taken(iterator, 20)).toEqual(model.few(value, reverse, 20));
    }
  }
  checkBytes(subject, set, model);
}

function taken(iterator: IterableIterator<number>, count: number): number[] {
  const values: number[] = [];
  for (const value of iterator) {
    values.push(value);
    if (values.length === count) break;
  }
  return values;
}

function checkLists<S>(set: U32Set<S>, model: RangeModel): void {
  const expected = model.toArray();
  expectSameNumbers(set.toArray(), expected);
  expectSameNumbers(Uint32Array.from(set), expected);
  expectSameNumbers(Uint32Array.from(set.values({ reverse: true })), expected.toReversed());
  if (expected.length > 40) {
    // A start inside, so that the rest takes more than one filling of any buffer.
    const start = expected[expected.length >>> 2] ?? 0;
    const rest = expected.subarray(expected.length >>> 2);
    expectSameNumbers(Uint32Array.from(set.values({ from: start })), rest);
  }
}

/** As `toEqual`, but quick on long lists. */
export function expectSameNumbers(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] !== expected[i]) {
      throw new Error(`number ${i} is ${actual[i]}, want ${expected[i]}`);
    }
  }
}

/** The bytes say the same to a plain reader, and bytes of a plain writer say the same to the set. */
function checkBytes<S extends U32Set<S>>(subject: SetSubject<S>, set: S, model: RangeModel): void {
  const bytes = set.serialize();
  expect(set.serializedSize()).toBe(bytes.length);
  const read = readPlain(bytes);
  if (!read.ok) throw new Error(`a plain reader refuses the bytes: ${read.rule}`);
  expect(read.end).toBe(bytes.length);
  expect(read.model.ranges).toEqual(model.ranges);
  expect(subject.deserialize(bytes).equals(set)).toBe(true);
  // Without runs, a range of a billion values would take hundreds of megabytes.
  const choose = set.size <= 1_000_000 ? plainKind : undefined;
  expect(subject.deserialize(writePlain(model, choose)).equals(set)).toBe(true);
}

function checkComparisons<S extends U32Set<S>>(first: Pair<S>, second: Pair<S>): void {
  const common = first.model.combine(second.model, KEEPS.and).size;
  const { size } = first.model;
  const isEqual = common === size && common === second.model.size;
  expect(first.set.equals(second.set)).toBe(isEqual);
  expect(first.set.isSubsetOf(second.set)).toBe(common === size);
  expect(first.set.intersects(second.set)).toBe(common > 0);
}

/** Iterations of the three forms, whole, from a value on, both ways, and while the set changes. */
export function setIterates<S extends U32Set<S>>(sets: Pick<SetSubject<S>, "from">): number {
  const values = [
    ...numbersFrom(0, 40).map((i) => 5 * i),
    ...numbersFrom(0, 6000).map((i) => 65_536 + 2 * i),
    ...numbersFrom(131_072, 140_000),
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32 - 1,
  ];
  const set = sets.from(values);
  set.runOptimize();
  let checked = 0;
  for (const from of [...EDGES, 5, 6, 65_535, 65_536, 65_537, 77_534, 77_535, 139_999, 140_000]) {
    const up = values.filter((value) => from <= value);
    const down = values.filter((value) => value <= from).toReversed();
    expectSameNumbers([...set.values({ from })], up);
    expectSameNumbers([...set.values({ from, reverse: true })], down);
    checked += up.length + down.length;
  }
  // Any number of iterations at once, each with a place of its own.
  const first = set.values();
  const second = set.values({ reverse: true });
  expect([first.next(), second.next(), first.next()]).toEqual([
    { done: false, value: 0 },
    { done: false, value: 2 ** 32 - 1 },
    { done: false, value: 5 },
  ]);
  expect(first[Symbol.iterator]()).toBe(first);
  expect(first.return?.()).toEqual({ done: true, value: undefined });
  expect(first.next()).toEqual({ done: true, value: undefined });
  expect(second.next()).toEqual({ done: false, value: 2 ** 31 });
  expect([...sets.from([])]).toEqual([]);
  expect([...sets.from([]).values({ reverse: true })]).toEqual([]);
  for (const reverse of [false, true]) checkChangingIteration(sets, reverse);
  return checked;
}

/** Deletes and adds under an iteration; the multiples of ten stay. */
function checkChangingIteration<S extends U32Set<S>>(
  sets: Pick<SetSubject<S>, "from">,
  reverse: boolean,
): void {
  const staying = numbersFrom(0, 20_000).map((i) => 10 * i);
  const set = sets.from([...staying, ...staying.map((value) => value + 1)]);
  const seen: number[] = [];
  let visits = 0;
  for (const value of set.values({ reverse })) {
    if (visits++ % 7 === 0) {
      set.delete(value + 1);
      set.add(((value * 31) % 200_000) - (((value * 31) % 200_000) % 10) + 3);
    }
    seen.push(value);
  }
  const ascending = reverse ? seen.toReversed() : seen;
  for (let i = 1; i < ascending.length; i++) {
    if ((ascending[i - 1] ?? 0) >= (ascending[i] ?? 0)) throw new Error(`not in order at ${i}`);
  }
  expectSameNumbers(
    ascending.filter((value) => value % 10 === 0),
    staying,
  );
}
