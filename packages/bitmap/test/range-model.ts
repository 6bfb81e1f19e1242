/** A range of values, `begin` included and `end` not; `0 <= begin < end <= 2^32`. */
export interface ModelRange {
  readonly begin: number;
  readonly end: number;
}

/** What a set operation keeps, from whether a value is in the first and in the second set. */
export type Keeps = (inFirst: boolean, inSecond: boolean) => boolean;

export const KEEPS: {
  readonly and: Keeps;
  readonly or: Keeps;
  readonly xor: Keeps;
  readonly andNot: Keeps;
} = {
  and: (a, b) => a && b,
  or: (a, b) => a || b,
  xor: (a, b) => a !== b,
  andNot: (a, b) => a && !b,
};

/**
 * A set as the list of its ranges, ascending, none touching the next: slow and plain, but as easily
 * full as empty. Never changed; each change makes another model. A test compares it with a `Set`.
 */
export class RangeModel {
  static readonly EMPTY: RangeModel = new RangeModel([]);

  readonly ranges: readonly ModelRange[];

  private constructor(ranges: readonly ModelRange[]) {
    this.ranges = ranges;
  }

  static range(begin: number, end: number): RangeModel {
    return begin < end ? new RangeModel([{ begin, end }]) : RangeModel.EMPTY;
  }

  /** Any values, in any order, any number of times. */
  static of(values: Iterable<number>): RangeModel {
    const sorted = [...new Set(values)].toSorted((a, b) => a - b);
    return RangeModel.ofRanges(sorted.map((value) => ({ begin: value, end: value + 1 })));
  }

  /** Ranges in ascending order that do not overlap; those that touch are joined. */
  static ofRanges(sorted: Iterable<ModelRange>): RangeModel {
    const ranges: { begin: number; end: number }[] = [];
    for (const { begin, end } of sorted) {
      const last = ranges.at(-1);
      if (last?.end === begin) last.end = end;
      else ranges.push({ begin, end });
    }
    return new RangeModel(ranges);
  }

  /** Walks over all begins and ends of both, and asks for each stretch between two whether it stays. */
  combine(other: RangeModel, keeps: Keeps): RangeModel {
    const ranges: { begin: number; end: number }[] = [];
    let i = 0;
    let j = 0;
    for (let at = 0; at < 2 ** 32;) {
      while (i < this.ranges.length && (this.ranges[i]?.end ?? 0) <= at) i++;
      while (j < other.ranges.length && (other.ranges[j]?.end ?? 0) <= at) j++;
      const first = this.ranges[i] ?? { begin: 2 ** 32, end: 2 ** 32 };
      const second = other.ranges[j] ?? { begin: 2 ** 32, end: 2 ** 32 };
      const inFirst = first.begin <= at;
      const inSecond = second.begin <= at;
      const next = Math.min(
        inFirst ? first.end : first.begin,
        inSecond ? second.end : second.begin,
      );
      if (keeps(inFirst, inSecond)) {
        const last = ranges.at(-1);
        if (last?.end === at) last.end = next;
        else ranges.push({ begin: at, end: next });
      }
      at = next;
    }
    return new RangeModel(ranges);
  }

  get size(): number {
    return this.rank(2 ** 32 - 1);
  }

  has(value: number): boolean {
    return this.ranges.some(({ begin, end }) => begin <= value && value < end);
  }

  /** How many values are `value` or less. */
  rank(value: number): number {
    let count = 0;
    for (const { begin, end } of this.ranges) {
      if (begin <= value) count += Math.min(end, value + 1) - begin;
    }
    return count;
  }

  select(index: number): number | undefined {
    let rest = index;
    for (const { begin, end } of this.ranges) {
      if (rest < end - begin) return begin + rest;
      rest -= end - begin;
    }
    return undefined;
  }

  countRange(begin: number, end: number): number {
    return this.combine(RangeModel.range(begin, end), KEEPS.and).size;
  }

  /** The values, which must not be too many to list. */
  toArray(): Uint32Array<ArrayBuffer> {
    const values = new Uint32Array(this.size);
    let at = 0;
    for (const { begin, end } of this.ranges) {
      for (let value = begin; value < end; value++) values[at++] = value;
    }
    return values;
  }

  /** The first `count` values from `from` on, ascending or descending. */
  few(from: number, reverse: boolean, count: number): number[] {
    const values: number[] = [];
    const start = reverse ? this.rank(from) - 1 : from === 0 ? 0 : this.rank(from - 1);
    for (let k = 0; k < count; k++) {
      const index = reverse ? start - k : start + k;
      const value = index < 0 ? undefined : this.select(index);
      if (value === undefined) break;
      values.push(value);
    }
    return values;
  }
}
