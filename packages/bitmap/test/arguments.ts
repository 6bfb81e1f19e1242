import type { U32Set, U32SetFactory } from "../src/index.ts";

/** Numbers that are no values, and things that are no numbers. */
const WRONG: readonly unknown[] = [
  -1,
  2 ** 32,
  1.5,
  Number.NaN,
  Infinity,
  -Infinity,
  2 ** 53,
  "1",
  undefined,
  null,
  true,
  1n,
  {},
  [1],
  Symbol("1"),
];

/** Calls with one wrong argument, by name; all of them must throw. */
function calls<S extends U32Set<S>>(
  sets: U32SetFactory<S>,
  set: S,
): { readonly [name: string]: (wrong: never) => unknown } {
  return {
    has: (wrong) => set.has(wrong),
    add: (wrong) => set.add(wrong),
    delete: (wrong) => set.delete(wrong),
    rank: (wrong) => set.rank(wrong),
    addMany: (wrong) => set.addMany([5, wrong]),
    from: (wrong) => sets.from([wrong, 5]),
    "values from": (wrong) => set.values({ from: wrong }),
    "addRange begin": (wrong) => set.addRange(wrong, 2 ** 32),
    "addRange end": (wrong) => set.addRange(0, wrong),
    "deleteRange begin": (wrong) => set.deleteRange(wrong, 2 ** 32),
    "deleteRange end": (wrong) => set.deleteRange(0, wrong),
    "countRange begin": (wrong) => set.countRange(wrong, 2 ** 32),
    "countRange end": (wrong) => set.countRange(0, wrong),
    select: (wrong) => set.select(wrong),
  };
}

/**
 * What each call with each wrong argument throws: the class of the error, or "accepted", as
 * `has(1.5): RangeError`. A refused call leaves the set as it was, or the line says so.
 */
export function argumentErrors<S extends U32Set<S>>(sets: U32SetFactory<S>): string[] {
  const lines: string[] = [];
  for (const wrong of WRONG) {
    const set = sets.from([1, 70_000]);
    for (const [name, call] of Object.entries(calls(sets, set))) {
      // A range may end there, and an index may be that high.
      if (wrong === 2 ** 32 && /Range|select/.test(name)) continue;
      // An option that is left out is no mistake.
      if (wrong === undefined && name === "values from") continue;
      let result = "accepted";
      try {
        call(wrong as never);
      } catch (error) {
        result = error instanceof Error ? error.constructor.name : "no error";
      }
      const changed = [...set].join() === "1,70000" ? "" : ", and the set changed";
      lines.push(`${name}(${typeof wrong} ${String(wrong)}): ${result}${changed}`);
    }
  }
  return lines;
}
