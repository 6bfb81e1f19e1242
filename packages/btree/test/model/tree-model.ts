import {
  type Bytes,
  type Change,
  type Difference,
  type Entry,
  type TreeRange,
} from "../../src/index.ts";
import { hexOf } from "../bytes.ts";

/** A tree as a sorted list, slow and plain. Never changed in place. */
export class TreeModel {
  readonly entries: readonly Entry[];
  readonly #values: ReadonlyMap<string, Entry>;

  constructor(values: ReadonlyMap<string, Entry> = new Map()) {
    this.#values = values;
    this.entries = [...values.entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, entry]) => entry);
  }

  edited(changes: readonly Change[]): TreeModel {
    const map = new Map(this.#values);
    for (const change of changes) {
      if (change.type === "del") map.delete(hexOf(change.key));
      else map.set(hexOf(change.key), [copy(change.key), copy(change.value)]);
    }
    return new TreeModel(map);
  }

  get(key: Uint8Array): Bytes | undefined {
    return this.#values.get(hexOf(key))?.[1];
  }

  range(range: TreeRange = {}): Entry[] {
    const { gte, gt, lte, lt, prefix, reverse = false, limit = Infinity } = range;
    const inside = this.entries.filter(([key]) => {
      const text = hexOf(key);
      return (
        (gte === undefined || text >= hexOf(gte)) &&
        (gt === undefined || text > hexOf(gt)) &&
        (lte === undefined || text <= hexOf(lte)) &&
        (lt === undefined || text < hexOf(lt)) &&
        (prefix === undefined || text.startsWith(hexOf(prefix)))
      );
    });
    if (reverse) inside.reverse();
    return inside.slice(0, limit);
  }

  rank(key: Uint8Array): number {
    return this.range({ lt: key }).length;
  }

  diff(to: TreeModel): Difference[] {
    const differences: Difference[] = [];
    for (const text of new Set([...this.#values.keys(), ...to.#values.keys()])) {
      const [before, after] = [this.#values.get(text), to.#values.get(text)];
      if (before === undefined && after !== undefined)
        differences.push({ type: "added", key: after[0], value: after[1] });
      if (before === undefined || hexOf(before[1]) === (after && hexOf(after[1]))) continue;
      const [key, oldValue] = before;
      if (after === undefined) differences.push({ type: "removed", key, oldValue });
      else differences.push({ type: "modified", key, oldValue, value: after[1] });
    }
    return differences.toSorted((a, b) => (hexOf(a.key) < hexOf(b.key) ? -1 : 1));
  }
}

function copy(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
