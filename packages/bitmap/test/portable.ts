/**
 * A second, plain reading and writing of the portable format, from the rules of RoaringFormatSpec
 * (https://github.com/RoaringBitmap/RoaringFormatSpec): the judge of the decoder and the encoder.
 */
import { type ModelRange, RangeModel } from "./range-model.ts";

export type PlainKind = "array" | "bitset" | "run";

/** One container before it is bytes; what it says need not be true. */
export interface PlainContainer {
  readonly key: number;
  readonly cardinality: number;
  readonly kind: PlainKind;
  readonly body: Uint8Array;
}

/** What a reading found: the values and where they end, or the first rule that is broken. */
export type PlainVerdict =
  | { readonly ok: true; readonly model: RangeModel; readonly end: number }
  | { readonly ok: false; readonly rule: PlainRule };

export type PlainRule =
  | "length"
  | "cookie"
  | "container count"
  | "flag padding"
  | "key order"
  | "offset"
  | "array order"
  | "bitset cardinality"
  | "run count"
  | "run order"
  | "run overflow"
  | "run cardinality";

class Broken {
  readonly rule: PlainRule;

  constructor(rule: PlainRule) {
    this.rule = rule;
  }
}

/** Reads one bitmap from the start of the bytes; what comes after it does not matter here. */
export function readPlain(bytes: Uint8Array): PlainVerdict {
  try {
    return { ok: true, ...readOrThrow(bytes) };
  } catch (error) {
    if (error instanceof Broken) return { ok: false, rule: error.rule };
    throw error;
  }
}

function readOrThrow(bytes: Uint8Array): { readonly model: RangeModel; readonly end: number } {
  const cursor = new Cursor(bytes);
  const low = cursor.u16();
  const high = cursor.u16();
  let count = high + 1;
  let isRun: boolean[] = [];
  if (low === 12347) {
    const flags = cursor.take(Math.ceil(count / 8));
    isRun = [...flags].flatMap((byte) => [0, 1, 2, 3, 4, 5, 6, 7].map((k) => hasBit(byte, k)));
    if (isRun.slice(count).includes(true)) throw new Broken("flag padding");
  } else {
    if (low !== 12346 || high !== 0) throw new Broken("cookie");
    count = cursor.u32();
    if (count > 65536) throw new Broken("container count");
  }
  if (count * 4 > cursor.left) throw new Broken("length");
  const keys: number[] = [];
  const cardinalities: number[] = [];
  for (let i = 0; i < count; i++) {
    keys.push(cursor.u16());
    cardinalities.push(cursor.u16() + 1);
    if (i > 0 && (keys[i] ?? 0) <= (keys[i - 1] ?? 0)) throw new Broken("key order");
  }
  const offsets: number[] = [];
  if (low === 12346 || count >= 4) {
    if (count * 4 > cursor.left) throw new Broken("length");
    for (let i = 0; i < count; i++) offsets.push(cursor.u32());
  }
  const ranges: ModelRange[] = [];
  for (let i = 0; i < count; i++) {
    if ((offsets[i] ?? cursor.at) !== cursor.at) throw new Broken("offset");
    const base = (keys[i] ?? 0) * 65536;
    const found = readBody(cursor, isRun[i] ?? false, cardinalities[i] ?? 0);
    for (const { begin, end } of found) ranges.push({ begin: base + begin, end: base + end });
  }
  return { model: RangeModel.ofRanges(ranges), end: cursor.at };
}

function hasBit(word: number, k: number): boolean {
  return ((word >>> k) & 1) === 1;
}

function readBody(cursor: Cursor, isRun: boolean, cardinality: number): ModelRange[] {
  if (isRun) return readRuns(cursor, cardinality);
  const ranges: ModelRange[] = [];
  if (cardinality <= 4096) {
    if (cardinality * 2 > cursor.left) throw new Broken("length");
    for (let k = 0; k < cardinality; k++) {
      const value = cursor.u16();
      if (value < (ranges.at(-1)?.end ?? 0)) throw new Broken("array order");
      ranges.push({ begin: value, end: value + 1 });
    }
    return ranges;
  }
  const body = cursor.take(8192);
  for (let value = 0; value < 65536; value++) {
    if (hasBit(body[value >>> 3] ?? 0, value & 7)) ranges.push({ begin: value, end: value + 1 });
  }
  if (ranges.length !== cardinality) throw new Broken("bitset cardinality");
  return ranges;
}

function readRuns(cursor: Cursor, cardinality: number): ModelRange[] {
  const ranges: ModelRange[] = [];
  const runCount = cursor.u16();
  if (runCount === 0) throw new Broken("run count");
  if (runCount * 4 > cursor.left) throw new Broken("length");
  let sum = 0;
  for (let k = 0; k < runCount; k++) {
    const begin = cursor.u16();
    const end = begin + cursor.u16() + 1;
    const before = ranges.at(-1);
    if (before !== undefined && begin <= before.end) throw new Broken("run order");
    if (end > 65536) throw new Broken("run overflow");
    ranges.push({ begin, end });
    sum += end - begin;
  }
  if (sum !== cardinality) throw new Broken("run cardinality");
  return ranges;
}

/** Little-endian numbers one after the other. */
class Cursor {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.at;
  }

  take(count: number): Uint8Array {
    if (count > this.left) throw new Broken("length");
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  u16(): number {
    const [low = 0, high = 0] = this.take(2);
    return low + high * 256;
  }

  u32(): number {
    const low = this.u16();
    return low + this.u16() * 65536;
  }
}

/** Which form a container is given, of those that its ranges allow. */
export type ChooseKind = (cardinality: number, runCount: number) => PlainKind;

/** The form that takes the fewest bytes; of two that take as many, the one with runs. */
export function smallestKind(cardinality: number, runCount: number): PlainKind {
  const plain = plainKind(cardinality);
  const bytes = plain === "array" ? cardinality * 2 : 8192;
  return 2 + runCount * 4 <= bytes ? "run" : plain;
}

/** The form without runs. */
export function plainKind(cardinality: number): PlainKind {
  return cardinality <= 4096 ? "array" : "bitset";
}

/** The containers of a set, each in the form that was chosen. */
export function plainContainers(model: RangeModel, choose: ChooseKind): PlainContainer[] {
  const byKey = new Map<number, ModelRange[]>();
  for (const { begin, end } of model.ranges) {
    for (let from = begin; from < end;) {
      const key = Math.floor(from / 65536);
      const to = Math.min(end, (key + 1) * 65536);
      const ranges = byKey.get(key) ?? [];
      ranges.push({ begin: from - key * 65536, end: to - key * 65536 });
      byKey.set(key, ranges);
      from = to;
    }
  }
  return [...byKey].map(([key, ranges]) => {
    const cardinality = ranges.reduce((sum, { begin, end }) => sum + end - begin, 0);
    const kind = choose(cardinality, ranges.length);
    return { key, cardinality, kind, body: plainBody(kind, ranges) };
  });
}

/** The body of these ranges of low bits. */
export function plainBody(kind: PlainKind, ranges: readonly ModelRange[]): Uint8Array {
  switch (kind) {
    case "run":
      return le16([ranges.length, ...ranges.flatMap(({ begin, end }) => [begin, end - 1 - begin])]);
    case "array":
      return le16(ranges.flatMap(({ begin, end }) => numbersFrom(begin, end)));
    case "bitset": {
      const body = new Uint8Array(8192);
      for (const { begin, end } of ranges) {
        for (let v = begin; v < end; v++) body[v >>> 3] = (body[v >>> 3] ?? 0) | (1 << (v & 7));
      }
      return body;
    }
  }
}

/** The whole numbers from `begin` up to `end`, not included. */
export function numbersFrom(begin: number, end: number): number[] {
  return Array.from({ length: end - begin }, (_, i) => begin + i);
}

/** Numbers as two bytes each. */
export function le16(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(numbers.flatMap((value) => [value & 255, (value >>> 8) & 255]));
}

/** Numbers as four bytes each. */
export function le32(numbers: readonly number[]): Uint8Array<ArrayBuffer> {
  return le16(numbers.flatMap((value) => [value & 0xffff, value >>> 16]));
}

/** Parts of the header that differ from what the containers ask for. */
export interface HeaderChanges {
  /** Use the cookie of bitmaps with runs though there may be none. */
  readonly runCookie?: boolean;
  readonly cookie?: number;
  /** The container count as it is written. */
  readonly count?: number;
  /** Bits to invert in the run flags: pairs of byte and mask. */
  readonly flags?: readonly (readonly [number, number])[];
  /** What is added to the offset of a container: pairs of container and difference. */
  readonly offsets?: readonly (readonly [number, number])[];
}

/** The bytes of containers as they are, true or not. */
export function encodePlain(
  containers: readonly PlainContainer[],
  changes: HeaderChanges = {},
): Uint8Array<ArrayBuffer> {
  const hasRuns = changes.runCookie ?? containers.some(({ kind }) => kind === "run");
  const count = changes.count ?? containers.length;
  const head: Uint8Array[] = [];
  if (hasRuns) {
    head.push(le32([changes.cookie ?? 12347 + (count - 1) * 65536]));
    const flags = new Uint8Array(Math.ceil(containers.length / 8));
    for (const [i, { kind }] of containers.entries()) {
      if (kind === "run") flags[i >>> 3] = (flags[i >>> 3] ?? 0) | (1 << (i & 7));
    }
    for (const [i, mask] of changes.flags ?? []) flags[i] = (flags[i] ?? 0) ^ mask;
    head.push(flags);
  } else {
    head.push(le32([changes.cookie ?? 12346, count]));
  }
  head.push(le16(containers.flatMap(({ key, cardinality }) => [key, cardinality - 1])));
  if (!hasRuns || containers.length >= 4) {
    let at = head.reduce((sum, part) => sum + part.length, 0) + 4 * containers.length;
    const offsets = containers.map(({ body }) => {
      at += body.length;
      return at - body.length;
    });
    for (const [i, delta] of changes.offsets ?? []) offsets[i] = ((offsets[i] ?? 0) + delta) >>> 0;
    head.push(le32(offsets));
  }
  return joined([...head, ...containers.map(({ body }) => body)]);
}

/** The bytes that belong to these values and to no others. */
export function writePlain(model: RangeModel, choose: ChooseKind = smallestKind): Uint8Array {
  return encodePlain(plainContainers(model, choose));
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
