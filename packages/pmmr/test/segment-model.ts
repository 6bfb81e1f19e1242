import type { IndexSet } from "../src/backend.ts";
import type { ElementCodec } from "../src/codec.ts";
import { PmmrError } from "../src/errors.ts";
import { type MmrHashing, bagPeaks, grinHashing } from "../src/hashing.ts";
import { family, heightOf, leafPosition, leafRangeBelow, peaks } from "../src/position.ts";
import type { SegmentSource } from "../src/segment-make.ts";

/** Elements are byte strings of one length, stored and hashed as they are. */
export function bytesCodec(recordSize: number): ElementCodec<Uint8Array> {
  return {
    recordSize,
    store: (element) => element,
    hashForm: (element) => element,
    load: (record) => {
      if (record.length !== recordSize) {
        throw new PmmrError("PMMR_MALFORMED", `want ${recordSize} bytes, got ${record.length}`);
      }
      return new Uint8Array(record);
    },
    storedHashForm: (element) => element,
  };
}

/** A length byte, then so many bytes, 1 or more: records that delimit themselves. */
export const variableCodec: ElementCodec<Uint8Array> = {
  store: (element) => Uint8Array.of(element.length, ...element),
  hashForm: (element) => element,
  load: (record) => {
    if (record.length < 2 || record[0] !== record.length - 1) {
      throw new PmmrError("PMMR_MALFORMED", `record of ${record.length} bytes`);
    }
    return new Uint8Array(record.subarray(1));
  },
  recordSizeAt: (bytes, offset) => {
    const length = bytes[offset];
    if (length === 0) throw new PmmrError("PMMR_MALFORMED", "empty element");
    return length === undefined ? undefined : 1 + length;
  },
  storedHashForm: (element) => element,
};

/** A set of integers, kept as an ascending list and searched from the start. */
export class NaiveIndexSet implements IndexSet {
  readonly #values: readonly number[];

  constructor(values: Iterable<number>) {
    this.#values = [...new Set(values)].toSorted((a, b) => a - b);
  }

  get size(): number {
    return this.#values.length;
  }

  has(value: number): boolean {
    return this.#values.includes(value);
  }

  rank(value: number): number {
    return this.#values.filter((member) => member <= value).length;
  }

  max(): number | undefined {
    return this.#values.at(-1);
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#values[Symbol.iterator]();
  }
}

/**
 * A prunable range without cleverness: all hashes, all records, a set of spent leaves, a set of pruned roots, and the rule
 * that what lies strictly below a pruned root is not there.
 */
export class NaiveRange implements SegmentSource {
  readonly hashing: MmrHashing = grinHashing();
  readonly prunable: boolean;
  readonly records: readonly Uint8Array[];
  readonly spent = new Set<number>();
  readonly roots = new Set<number>();
  readonly #hashes: Uint8Array[] = [];

  constructor(records: readonly Uint8Array[], options: { readonly prunable: boolean }) {
    this.records = records;
    this.prunable = options.prunable;
    for (const record of records) this.#append(record);
  }

  get size(): number {
    return this.#hashes.length;
  }

  get root(): Uint8Array {
    return bagPeaks(
      this.hashing,
      this.size,
      peaks(this.size).map((peak) => this.#hashes[peak] as Uint8Array),
    );
  }

  get unspentIndexes(): number[] {
    return this.records.flatMap((_, index) => (this.spent.has(index) ? [] : [index]));
  }

  get unspent(): IndexSet {
    return new NaiveIndexSet(this.unspentIndexes);
  }

  spend(...indexes: number[]): void {
    for (const index of indexes) this.spent.add(index);
  }

  /** Prunes every spent leaf with an index below `indexEnd` that is not in `kept`, and joins pruned siblings. */
  compact(indexEnd = this.records.length, kept: ReadonlySet<number> = new Set()): void {
    for (const index of this.spent) {
      const pos0 = leafPosition(index);
      if (index < indexEnd && !kept.has(index) && !this.#isPruned(pos0)) this.roots.add(pos0);
    }
    for (let pair = this.#siblingRoots(); pair !== undefined; pair = this.#siblingRoots()) {
      this.roots.delete(pair.pos0);
      this.roots.delete(pair.sibling);
      this.roots.add(pair.parent);
    }
  }

  hashAt(pos0: number): Uint8Array | undefined {
    return this.#isBelowRoot(pos0) ? undefined : this.#hashes[pos0];
  }

  recordAt(pos0: number): Uint8Array | undefined {
    if (heightOf(pos0) !== 0 || this.#isBelowRoot(pos0)) return undefined;
    return this.records[leafRangeBelow(pos0).begin];
  }

  leafIndexAt(pos0: number): number {
    return leafRangeBelow(pos0).begin;
  }

  /** Hash of a node whether or not it is still there. */
  trueHashAt(pos0: number): Uint8Array {
    const hash = this.#hashes[pos0];
    if (hash === undefined) throw new Error(`no node ${pos0}`);
    return hash;
  }

  #append(record: Uint8Array): void {
    this.#hashes.push(this.hashing.hashLeaf(this.size, record));
    while (heightOf(this.size) !== 0) {
      const left = this.#hashes[this.size - 2 ** heightOf(this.size)] as Uint8Array;
      const right = this.#hashes[this.size - 1] as Uint8Array;
      this.#hashes.push(this.hashing.hashInner(this.size, left, right));
    }
  }

  #isBelowRoot(pos0: number): boolean {
    for (let at = family(pos0).parent; at < this.size; at = family(at).parent) {
      if (this.roots.has(at)) return true;
    }
    return false;
  }

  #isPruned(pos0: number): boolean {
    return this.roots.has(pos0) || this.#isBelowRoot(pos0);
  }

  #siblingRoots():
    | { readonly pos0: number; readonly sibling: number; readonly parent: number }
    | undefined {
    for (const pos0 of this.roots) {
      const { sibling, parent } = family(pos0);
      if (this.roots.has(sibling)) return { pos0, sibling, parent };
    }
    return undefined;
  }
}

/** Four big-endian 32-bit words: the elements of the segment vectors. */
export function vectorElement(index: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  [index / 7, index / 5, index / 3, index].forEach((word, i) =>
    view.setUint32(4 * i, Math.floor(word)),
  );
  return bytes;
}

/** Reads `a..b` as a to b - 1, `-` as nothing, commas as a list. */
export function parseSet(text: string): number[] {
  if (text === "-") return [];
  return text.split(",").flatMap((part) => {
    const [begin, end] = part.split("..").map(Number);
    if (begin === undefined) throw new Error(`no set: ${text}`);
    return end === undefined ? [begin] : Array.from({ length: end - begin }, (_, i) => begin + i);
  });
}
