/** And, or, xor and and-not of whole tables. */
import { combine, combineBitsInPlace, KEEPS, type Operation } from "./algebra.ts";
import { intersects, isSubset, sameValues } from "./compare.ts";
import { place } from "./convert.ts";
import { ARRAY_COUNT_MAX, CONTAINER_SPAN, Kind } from "./kind.ts";
import type { Body } from "./body.ts";
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

/** New keys that are put in one by one; for more of them the whole table is made anew. */
const INSERT_COUNT_MAX = 16;

/**
 * Changes `table` to the result, and returns it, or another table in its place. `other` is only read.
 */
export function combineInto(
  operation: Operation,
  table: ContainerTable,
  other: ContainerTable,
): ContainerTable {
  const keeps = KEEPS[operation];
  if (table === other) return keeps.both ? table : new ContainerTable();
  if (table.count === 0) return keeps.second ? other.clone() : table;
  if (keeps.second && countMissing(table, other, INSERT_COUNT_MAX) > INSERT_COUNT_MAX) {
    return combineTables(operation, table, other);
  }
  let i = 0;
  for (let j = 0; j < other.count; j++) {
    const key = other.keys[j] as number;
    while (i < table.count && (table.keys[i] as number) < key) {
      if (!keeps.first) table.empty(i);
      i++;
    }
    if (i < table.count && table.keys[i] === key) {
      combineAt(operation, table, i++, other.body(j));
    } else if (keeps.second) {
      const body = other.body(j);
      table.insert(i++, key, place(body, body.kind, table.arena));
    }
  }
  for (; i < table.count && !keeps.first; i++) table.empty(i);
  table.dropEmpty();
  table.compactIfWasteful();
  return table;
}

/** How many keys of `other` are not in `table`, counted no further than past `limit`. */
function countMissing(table: ContainerTable, other: ContainerTable, limit: number): number {
  let missing = 0;
  for (let j = 0; j < other.count && missing <= limit; j++) {
    if (table.find(other.keys[j] as number) < 0) missing++;
  }
  return missing;
}

/** Combines container `i` with a body; if nothing is left it is emptied and stays. */
function combineAt(operation: Operation, table: ContainerTable, i: number, other: Body): void {
  const body = table.body(i);
  if (body.kind !== Kind.bitset || (operation === "and" && other.kind === Kind.array)) {
    const placed = combine(operation, body, other, table.arena);
    if (placed === undefined) table.empty(i);
    else table.replace(i, placed);
    return;
  }
  table.prepareWrite(i, body.length);
  const words = table.bits[i] as Uint32Array;
  const cardinality = combineBitsInPlace(operation, words, body.cardinality, other);
  table.indexed[i] = 0;
  if (cardinality === 0) {
    table.empty(i);
    return;
  }
  table.setCardinality(i, cardinality);
  if (cardinality === CONTAINER_SPAN) table.replace(i, place(table.body(i), Kind.run, table.arena));
  else if (cardinality <= ARRAY_COUNT_MAX) {
    table.replace(i, place(table.body(i), Kind.array, table.arena));
  }
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
