/** And, or, xor and and-not of whole tables. */
import { combine, KEEPS, type Operation } from "./algebra.ts";
import { intersects, isSubset, sameValues } from "./compare.ts";
import { place } from "./convert.ts";
import { ContainerTable } from "./table.ts";

/** A new table with the result; the operands are only read, and nothing of them is shared. */
export function combineTables(
  operation: Operation,
  a: ContainerTable,
  b: ContainerTable,
): ContainerTable {
  const keeps = KEEPS[operation];
  const result = new ContainerTable();
  let i = 0;
  let j = 0;
  while (i < a.count || j < b.count) {
    const x = i < a.count ? (a.keys[i] as number) : Infinity;
    const y = j < b.count ? (b.keys[j] as number) : Infinity;
    if (x === y) {
      const placed = combine(operation, a.body(i), b.body(j), result.arena);
      if (placed !== undefined) result.insert(result.count, x, placed);
    } else if (x < y && keeps.first) {
      append(result, a, i);
    } else if (y < x && keeps.second) {
      append(result, b, j);
    }
    if (x <= y) i++;
    if (y <= x) j++;
  }
  return result;
}

function append(target: ContainerTable, source: ContainerTable, i: number): void {
  const body = source.body(i);
  const placed = place(body, body.kind, target.arena);
  target.insert(target.count, source.keys[i] as number, placed);
}

/** Whether two tables hold the same values. */
export function sameTables(a: ContainerTable, b: ContainerTable): boolean {
  if (a.size !== b.size || a.count !== b.count) return false;
  for (let i = 0; i < a.count; i++) {
    if (a.keys[i] !== b.keys[i] || a.cardinalities[i] !== b.cardinalities[i]) return false;
  }
  for (let i = 0; i < a.count; i++) {
    if (!sameValues(a.body(i), b.body(i))) return false;
  }
  return true;
}

/** Whether every value of `a` is in `b`. */
export function isSubsetTable(a: ContainerTable, b: ContainerTable): boolean {
  if (a.size > b.size || a.count > b.count) return false;
  for (let i = 0; i < a.count; i++) {
    const j = b.find(a.keys[i] as number);
    if (j < 0 || !isSubset(a.body(i), b.body(j))) return false;
  }
  return true;
}

/** Whether a value is in both. */
export function intersectTables(a: ContainerTable, b: ContainerTable): boolean {
  const [few, many] = a.count <= b.count ? [a, b] : [b, a];
  for (let i = 0; i < few.count; i++) {
    const j = many.find(few.keys[i] as number);
    if (j >= 0 && intersects(few.body(i), many.body(j))) return true;
  }
  return false;
}
