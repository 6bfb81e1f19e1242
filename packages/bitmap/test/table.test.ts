import { Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";
import type { Body } from "../src/body.ts";
import { buildTable } from "../src/build.ts";
import { addRange, addValue, deleteRange, deleteValue, optimize } from "../src/edit.ts";
import { Kind, RUN_COUNT_MAX } from "../src/kind.ts";
import { rankOf, selectAt } from "../src/read.ts";
import { combineInto, combineTables } from "../src/set-algebra.ts";
import { ContainerTable } from "../src/table.ts";

/** The first thing that table.ts says of itself and that is not so; `undefined` if all is. */
function brokenInvariant(table: ContainerTable): string | undefined {
  let size = 0;
  let units = 0;
  const taken: { readonly address: number; readonly end: number }[] = [];
  for (let i = 0; i < table.count; i++) {
    const key = table.keys[i] ?? -1;
    if (i > 0 && key <= (table.keys[i - 1] ?? -1)) return `key ${i} does not ascend`;
    if (table.find(key) !== i) return `key ${key} is not found at ${i}`;
    const body = table.body(i);
    const capacity = table.capacities[i] ?? 0;
    if (body.length > capacity) return `body ${i} is longer than its room`;
    const words = body.kind === Kind.bitset ? 2176 : 0;
    if (table.bits[i]?.length !== words) return `bits of ${i} are not ${words} words`;
    if (!isBodyAllowed(body))
      return `body ${i} of kind ${body.kind} has ${body.cardinality} values`;
    const address = table.addresses[i] ?? 0;
    taken.push({ address, end: address + capacity });
    size += body.cardinality;
    units += capacity + (capacity & 1);
  }
  if (table.size !== size) return `size is ${table.size}, want ${size}`;
  if (table.arena.live !== units) return `${table.arena.live} units live, want ${units}`;
  const held = table.chunks.reduce((sum, chunk) => sum + chunk.units.length, 0);
  if (table.arena.held !== held) return `${table.arena.held} units held, want ${held}`;
  const sorted = taken.toSorted((x, y) => x.address - y.address);
  const overlap = sorted.findIndex(({ end }, i) => end > (sorted[i + 1]?.address ?? Infinity));
  return overlap < 0 ? undefined : `bodies overlap at ${sorted[overlap]?.address}`;
}

function isBodyAllowed({ kind, cardinality, length }: Body): boolean {
  switch (kind) {
    case Kind.array:
      return length === cardinality && 0 < cardinality && cardinality <= 4096;
    case Kind.bitset:
      return length === 4352 && 4096 < cardinality && cardinality < 65_536;
    case Kind.run:
      return length % 3 === 0 && 0 < length && length / 3 <= RUN_COUNT_MAX;
  }
}

/** Anything that can happen to a table; returns the one that takes its place. */
function change(table: ContainerTable, random: Random): ContainerTable {
  const at = random.pick([0, 4090, 65_530, 131_000, 2 ** 31, 2 ** 32 - 70_000]) + random.below(300);
  const length = random.pick([1, 2, 60, 4000, 4200, 70_000, 400_000]);
  const end = Math.min(2 ** 32, at + length);
  switch (random.below(9)) {
    case 0:
      addRange(table, at, end - 1);
      return table;
    case 1:
      deleteRange(table, at, end - 1);
      return table;
    case 2:
      for (let k = 0; k < 500; k++) addValue(table, at + random.below(9000));
      return table;
    case 3:
      for (let k = 0; k < 500; k++) deleteValue(table, at + random.below(9000));
      return table;
    case 4:
      return combineInto("or", table, scattered(random));
    case 5:
      return combineInto(random.pick(["and", "xor", "andNot"] as const), table, scattered(random));
    case 6:
      return combineTables(random.pick(["or", "xor"] as const), table, scattered(random));
    case 7:
      optimize(table);
      table.compact(random.chance(0.5));
      return table;
    default:
      // Fills the indexes for rank and select, of which a clone gets its own.
      if (table.size > 0) rankOf(table, selectAt(table, random.below(table.size)));
      return random.chance(0.5) ? table.clone() : table;
  }
}

function scattered(random: Random): ContainerTable {
  const spread = random.pick([100, 9000, 400_000, 2 ** 32]);
  const count = random.pick([1, 100, 6000]);
  return buildTable(Uint32Array.from({ length: count }, () => random.below(spread)));
}

describe("a table", () => {
  test("keeps its invariants through random histories", () => {
    for (let seed = 1; seed <= scaled(40); seed++) {
      const random = new Random(seed);
      let table = new ContainerTable();
      for (let step = 0; step < 25; step++) {
        table = change(table, random);
        const broken = brokenInvariant(table);
        expect(broken === undefined ? "" : `seed ${seed}, step ${step}: ${broken}`).toBe("");
      }
    }
  });

  test("holds at most half as much again as it uses, however it grew", () => {
    const random = new Random(7);
    const table = new ContainerTable();
    for (let k = 0; k < 60_000; k++) addValue(table, random.below(40 * 65_536));
    // Besides, a chunk that was just opened may be a quarter of everything.
    expect(table.arena.held).toBeLessThan(table.arena.live * 1.75 + 1024);
    for (let k = 0; k < 59_000; k++) deleteValue(table, selectAt(table, random.below(table.size)));
    expect(table.arena.held).toBeLessThan(table.arena.live * 1.75 + 1024);
    expect(table.arena.live).toBeLessThan(table.size * 5);
    deleteRange(table, 1000, 2 ** 32 - 1);
    expect(table.arena.held).toBeLessThan(2048);
    expect(table.kinds.length).toBeLessThan(100);
  });

  test("takes one container's memory for a change after a clone, again and again", () => {
    const random = new Random(8);
    const values = Uint32Array.from({ length: 600_000 }, () => random.below(1_000_000));
    const table = buildTable(values);
    const units = table.arena.held;
    for (let k = 0; k < 2000; k++) {
      const clone = table.clone();
      const { arena } = table;
      const before = arena.held;
      deleteValue(table, selectAt(table, random.below(table.size)));
      // Unless everything was copied together, one bitset was.
      const more = table.arena === arena ? arena.held - before : 0;
      expect(more).toBeLessThanOrEqual(4352);
      expect(clone.size).toBe(table.size + 1);
    }
    expect(table.arena.held).toBeLessThan(units * 2);
    expect(table.chunks.length).toBeLessThan(300);
  });
});
