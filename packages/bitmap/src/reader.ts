/**
 * Reads the portable roaring format, strictly: what breaks a rule of FORMAT.md is refused.
 *
 * The reader is one generator that asks for bytes: it yields how many it needs next and is given
 * exactly so many, which it does not keep. It runs over bytes in memory and over bytes that arrive
 * in pieces. It allocates nothing for a length that it has read before the bytes have come, so
 * memory stays within a small multiple of the input.
 */
import { arrayCountRuns } from "./container-array.ts";
import { BITSET_UNITS, BITSET_WORDS, bitsetCount, bitsetCountRuns } from "./container-bitset.ts";
import { RUN_UNITS } from "./container-run.ts";
import { place } from "./convert.ts";
import { readUnits, readWords } from "./endian.ts";
import { BitmapError, type BitmapErrorCode } from "./errors.ts";
import {
  BITSET_BYTES,
  CONTAINER_COUNT_MAX,
  COOKIE_WITH_RUNS,
  COOKIE_WITHOUT_RUNS,
  DESCRIPTOR_BYTES,
  OFFSET_BYTES,
  OFFSETS_FROM_CONTAINER_COUNT,
  RUN_BYTES,
  RUN_COUNT_BYTES,
} from "./format.ts";
import { ARRAY_COUNT_MAX, cheapestKind, Kind, RUN_COUNT_MAX } from "./kind.ts";
import { bitsAt, bodyOfRuns, ContainerTable, type Placed } from "./table.ts";

/** How bytes are read. */
export interface DeserializeOptions {
  /**
   * Accept only the bytes that this package writes for these values, so that every accepted input
   * is what `serialize` gives back. Default false: other writers choose other containers.
   */
  readonly canonical?: boolean;
  /**
   * What to do with bytes after the last container. Default `"refuse"`; `"ignore"` is what Grin's
   * node does when it opens its files.
   */
  readonly trailing?: "refuse" | "ignore";
  /** The most bytes to read, counted up to the end of the last container. Default 64 MiB. */
  readonly bytesMax?: number;
}

/** Bytes in the largest input that is read unless the caller says otherwise. */
export const BYTES_MAX_DEFAULT: number = 64 * 1024 * 1024;

/** Yields how many bytes are needed next and receives a view of them, good until the next yield. */
export type ByteReading<T> = Generator<number, T, Uint8Array>;

function refuse(code: BitmapErrorCode, message: string, offset: number): BitmapError {
  return new BitmapError(code, `${message}, at byte ${offset}`, { offset });
}

/** What comes before the bodies. */
interface Header {
  readonly count: number;
  readonly hasRuns: boolean;
  /** One bit per container, lowest first; `undefined` without runs. */
  readonly flags: Uint8Array | undefined;
  /** Keys and cardinalities less one, in turn. */
  readonly descriptors: Uint16Array;
  readonly offsets: Uint32Array | undefined;
  /** Bytes of all of it. */
  readonly bytes: number;
}

/**
 * Reads one bitmap.
 *
 * @yields how many bytes are needed next
 */
export function* readTable(options: DeserializeOptions): ByteReading<ContainerTable> {
  const canonical = options.canonical ?? false;
  const bytesMax = options.bytesMax ?? BYTES_MAX_DEFAULT;
  const header = yield* readHeader(bytesMax);
  const table = new ContainerTable();
  let at = header.bytes;
  let runContainers = 0;
  for (let i = 0; i < header.count; i++) {
    const key = header.descriptors[2 * i] as number;
    const cardinality = (header.descriptors[2 * i + 1] as number) + 1;
    const offset = header.offsets?.[i] ?? at;
    if (offset !== at) {
      const where = header.bytes - (header.count - i) * OFFSET_BYTES;
      throw refuse("BITMAP_CORRUPT", `offset of container ${i} is ${offset}, want ${at}`, where);
    }
    const isRun = ((header.flags?.[i >>> 3] ?? 0) >>> (i & 7)) & 1;
    const where: Place = { table, i, key, cardinality, at, bytesMax, canonical };
    if (isRun === 1) at = yield* readRuns(where);
    else if (cardinality <= ARRAY_COUNT_MAX) at = yield* readArray(where);
    else at = yield* readBits(where);
    runContainers += isRun;
  }
  if (canonical && header.hasRuns && runContainers === 0) {
    throw refuse("BITMAP_NON_CANONICAL", "no container has runs, but the cookie says so", 0);
  }
  return table;
}

function* readHeader(bytesMax: number): ByteReading<Header> {
  limit(4, bytesMax, 0);
  const cookie = uint32(yield 4, 0);
  const hasRuns = (cookie & 0xffff) === COOKIE_WITH_RUNS;
  if (!hasRuns && cookie !== COOKIE_WITHOUT_RUNS) {
    throw refuse("BITMAP_CORRUPT", `cookie is ${cookie}, want 12346 or 12347 in its low half`, 0);
  }
  let at = 4;
  let count = (cookie >>> 16) + 1;
  let flags: Uint8Array | undefined;
  if (hasRuns) {
    const flagBytes = Math.ceil(count / 8);
    limit(at + flagBytes, bytesMax, at);
    flags = (yield flagBytes).slice();
    at += flagBytes;
    if (count % 8 !== 0 && (flags[flagBytes - 1] as number) >>> (count % 8) !== 0) {
      throw refuse("BITMAP_CORRUPT", `run flags past container ${count} are set`, at - 1);
    }
  } else {
    limit(8, bytesMax, at);
    count = uint32(yield 4, 0);
    at += 4;
    if (count > CONTAINER_COUNT_MAX) {
      throw refuse("BITMAP_CORRUPT", `container count is ${count}, want 65536 or less`, 4);
    }
  }
  const hasOffsets = !hasRuns || count >= OFFSETS_FROM_CONTAINER_COUNT;
  limit(at + count * (DESCRIPTOR_BYTES + (hasOffsets ? OFFSET_BYTES : 0)), bytesMax, at);
  const descriptors = readDescriptors(yield count * DESCRIPTOR_BYTES, at);
  at += count * DESCRIPTOR_BYTES;
  let offsets: Uint32Array | undefined;
  if (hasOffsets) {
    const bytes = yield count * OFFSET_BYTES;
    offsets = new Uint32Array(count);
    readWords(bytes, offsets);
    at += count * OFFSET_BYTES;
  }
  return { count, hasRuns, flags, descriptors, offsets, bytes: at };
}

function readDescriptors(bytes: Uint8Array, at: number): Uint16Array {
  const descriptors = new Uint16Array(bytes.length / 2);
  readUnits(bytes, descriptors);
  for (let i = 2; i < descriptors.length; i += 2) {
    if ((descriptors[i] as number) <= (descriptors[i - 2] as number)) {
      const message = `key of container ${i / 2} is not above the one before`;
      throw refuse("BITMAP_CORRUPT", message, at + i * 2);
    }
  }
  return descriptors;
}

/** Where the reader is, and what the descriptor says of the container to be read. */
interface Place {
  readonly table: ContainerTable;
  readonly i: number;
  readonly key: number;
  readonly cardinality: number;
  readonly at: number;
  readonly bytesMax: number;
  readonly canonical: boolean;
}

function* readArray(where: Place): ByteReading<number> {
  const { table, i, cardinality, at } = where;
  limit(at + cardinality * 2, where.bytesMax, at);
  const bytes = yield cardinality * 2;
  const address = table.arena.allocate(cardinality);
  const start = address & 0xffff;
  const { units } = table.arena.chunkAt(address);
  readUnits(bytes, units.subarray(start, start + cardinality));
  for (let k = 1; k < cardinality; k++) {
    if ((units[start + k] as number) <= (units[start + k - 1] as number)) {
      const message = `value ${k} of container ${i} is not above the one before`;
      throw refuse("BITMAP_CORRUPT", message, at + k * 2);
    }
  }
  const placed = { kind: Kind.array, cardinality, length: cardinality, address };
  if (where.canonical) {
    checkKind(where, Kind.array, arrayCountRuns(units, start, cardinality, RUN_COUNT_MAX));
  }
  table.insert(table.count, where.key, placed);
  return at + cardinality * 2;
}

function* readBits(where: Place): ByteReading<number> {
  const { table, i, cardinality, at } = where;
  limit(at + BITSET_BYTES, where.bytesMax, at);
  const bytes = yield BITSET_BYTES;
  const address = table.arena.allocate(BITSET_UNITS);
  const words = bitsAt(table.arena, address);
  readWords(bytes, words.subarray(0, BITSET_WORDS));
  const count = bitsetCount(words);
  if (count !== cardinality) {
    const message = `bitset of container ${i} has ${count} bits set, want ${cardinality}`;
    throw refuse("BITMAP_CORRUPT", message, at);
  }
  const placed = { kind: Kind.bitset, cardinality, length: BITSET_UNITS, address };
  if (where.canonical) checkKind(where, Kind.bitset, bitsetCountRuns(words, RUN_COUNT_MAX));
  table.insert(table.count, where.key, placed);
  return at + BITSET_BYTES;
}

function* readRuns(where: Place): ByteReading<number> {
  const { table, i, cardinality, at } = where;
  limit(at + RUN_COUNT_BYTES, where.bytesMax, at);
  const runCount = uint16(yield RUN_COUNT_BYTES, 0);
  if (runCount === 0) {
    throw refuse("BITMAP_CORRUPT", `container ${i} has no runs`, at);
  }
  const end = at + RUN_COUNT_BYTES + runCount * RUN_BYTES;
  limit(end, where.bytesMax, at);
  const units = new Uint16Array(runCount * RUN_UNITS);
  const bytes = yield runCount * RUN_BYTES;
  const count = readRunList(bytes, units, i, at + RUN_COUNT_BYTES);
  if (count !== cardinality) {
    const message = `runs of container ${i} hold ${count} values, want ${cardinality}`;
    throw refuse("BITMAP_CORRUPT", message, at);
  }
  if (where.canonical) checkKind(where, Kind.run, runCount);
  // Runs that do not pay are kept as what is smaller: memory then never depends on the writer.
  const body = bodyOfRuns(units, units.length, cardinality);
  const placed: Placed = place(body, cheapestKind(cardinality, runCount), table.arena);
  table.insert(table.count, where.key, placed);
  return end;
}

/** Checks and takes over a list of runs; returns how many values they hold. */
function readRunList(bytes: Uint8Array, units: Uint16Array, i: number, at: number): number {
  let count = 0;
  let end = -1;
  for (let k = 0; k < bytes.length; k += RUN_BYTES) {
    const first = uint16(bytes, k);
    const last = first + uint16(bytes, k + 2);
    if (first <= end) {
      const message = `run ${k / RUN_BYTES} of container ${i} touches the one before`;
      throw refuse("BITMAP_CORRUPT", message, at + k);
    }
    if (last > 0xffff) {
      const message = `run ${k / RUN_BYTES} of container ${i} ends past value 65535`;
      throw refuse("BITMAP_CORRUPT", message, at + k + 2);
    }
    const to = (k / RUN_BYTES) * RUN_UNITS;
    units[to] = first;
    units[to + 1] = last;
    units[to + 2] = count;
    count += last - first + 1;
    end = last + 1;
  }
  return count;
}

function checkKind(where: Place, kind: Kind, runCount: number): void {
  if (cheapestKind(where.cardinality, runCount) === kind) return;
  const message = `container ${where.i} has a kind that is not the smallest`;
  throw refuse("BITMAP_NON_CANONICAL", message, where.at);
}

function limit(end: number, bytesMax: number, at: number): void {
  if (end <= bytesMax) return;
  throw refuse("BITMAP_TOO_LARGE", `bitmap needs ${end} bytes, more than ${bytesMax}`, at);
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) + uint16(bytes, at + 2) * 0x10000;
}

/** Runs a reading over bytes that are all there. */
export function readWhole<T>(
  reading: ByteReading<T>,
  bytes: Uint8Array,
  options: DeserializeOptions,
): T {
  let at = 0;
  let step = reading.next();
  while (step.done !== true) {
    const end = at + step.value;
    if (end > bytes.length) {
      const message = `input ends after ${bytes.length} bytes, ${end} are needed`;
      throw refuse("BITMAP_TRUNCATED", message, bytes.length);
    }
    step = reading.next(bytes.subarray(at, end));
    at = end;
  }
  if (at < bytes.length && options.trailing !== "ignore") {
    throw refuse("BITMAP_TRAILING_BYTES", `${bytes.length - at} bytes follow the bitmap`, at);
  }
  return step.value;
}
