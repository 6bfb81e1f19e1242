import { type Schema } from "./schema.ts";

/** Order of byte strings: as unsigned bytes, a shorter one before its extensions. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const size = Math.min(a.length, b.length);
  for (let index = 0; index < size; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Order of lists: of their first different items, a shorter one before its extensions. */
export function compareItems<T>(
  schemaAt: (index: number) => Schema<T>,
  a: readonly T[],
  b: readonly T[],
): number {
  const count = Math.min(a.length, b.length);
  for (let index = 0; index < count; index++) {
    const order = schemaAt(index).compare(a[index] as T, b[index] as T);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}
