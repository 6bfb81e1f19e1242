import { type Schema } from "./schema.ts";

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
