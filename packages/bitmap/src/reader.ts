/**
 * Reads the portable roaring format, strictly: what breaks a rule of FORMAT.md is refused.
 *
 * The reader is one generator that asks for bytes: it yields how many it needs next, and goes on once
 * its window shows them. It runs over bytes in memory and over bytes that arrive in pieces
 * (`source.ts`). It allocates nothing for a length that it has read before the bytes have come, so
 * memory stays within a small multiple of the input.
 */
import { arrayCountRuns } from "./container-array.ts";
import {
  BITSET_BODY_WORDS,
  BITSET_UNITS,
  BITSET_WORDS,
  bitsetCount,
  bitsetCountRuns,
} from "./container-bitset.ts";
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
import { ARRAY_COUNT_MAX, cheapestKind, Kind, runCountLimit } from "./kind.ts";
import { bodyOfRuns } from "./body.ts";
import { ContainerTable } from "./table.ts";

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

/** What a reading sees of the input. After a yield of n, n bytes from `at` on are the next ones. */
export interface Window {
  bytes: Uint8Array;
  at: number;
}

/** Yields how many bytes it needs next. */
export type ByteReading<T> = Generator<number, T, void>;

/** A failure at a byte of the input. */
export function refuse(code: BitmapErrorCode, message: string, offset: number): BitmapError {
  return new BitmapError(code, `${message}, at byte ${offset}`, { offset });
}

/** What comes before the bodies. */
interface Header {
  readonly count: number;
  /** One bit per container, lowest first; `undefined` without runs. */
  readonly flags: Uint8Array | undefined;
  /** Keys and cardinalities less one, in turn. */
  readonly descriptors: Uint16Array;
  readonly offsets: Uint32Array | undefined;
  /** Bytes of all of it. */
  readonly bytes: number;
}

/** What the containers of one bitmap are read with. */
interface Reader {
  readonly window: Window;
  readonly table: ContainerTable;
  readonly canonical: boolean;
  readonly bytesMax: number;
  /** Bytes from the start of the input to the body that is read. */
  at: number;
}

/** What a descriptor says of one container. */
interface Descriptor {
  readonly i: number;
  readonly key: number;
  readonly cardinality: number;
}

/**
 * Reads one bitmap.
 *
 * @yields how many bytes are needed next
 */
export function* readTable(
  window: Window,
  options: DeserializeOptions,
): ByteReading<ContainerTable> {
  const bytesMax = options.bytesMax ?? BYTES_MAX_DEFAULT;
  const canonical = options.canonical ?? false;
  const header = yield* readHeader(window, bytesMax);
  const table = new ContainerTable();
  table.reserve(header.count);
  table.arena.reserve(Math.min(unitsOf(header), window.bytes.length));
  const reader: Reader = { window, table, canonical, bytesMax, at: header.bytes };
  let runContainerCount = 0;
  for (let i = 0; i < header.count; i++) {
    const key = header.descriptors[2 * i] as number;
    const cardinality = (header.descriptors[2 * i + 1] as number) + 1;
    checkOffset(header, i, reader.at);
    const isRun = (((header.flags?.[i >>> 3] ?? 0) >>> (i & 7)) & 1) === 1;
    if (isRun) {
      runContainerCount++;
      yield* readRuns(reader, { i, key, cardinality });
    } else {
      const length = cardinality <= ARRAY_COUNT_MAX ? cardinality * 2 : BITSET_BYTES;
      limit(reader.at + length, bytesMax, reader.at);
      yield length;
      if (cardinality <= ARRAY_COUNT_MAX) readArray(reader, { i, key, cardinality });
      else readBits(reader, { i, key, cardinality });
      reader.at += length;
    }
  }
  if (canonical && header.flags !== undefined && runContainerCount === 0) {
    throw refuse("BITMAP_NON_CANONICAL", "no container has runs, but the cookie says so", 0);
  }
  return table;
}

/** Units that the bodies will take, as far as the descriptors tell. */
function unitsOf({ count, descriptors }: Header): number {
  let units = 0;
  for (let i = 0; i < count; i++) {
    const cardinality = (descriptors[2 * i + 1] as number) + 1;
    units += cardinality <= ARRAY_COUNT_MAX ? cardinality + (cardinality & 1) : BITSET_UNITS;
  }
  return units;
}

function* readHeader(window: Window, bytesMax: number): ByteReading<Header> {
  limit(4, bytesMax, 0);
  yield 4;
  const cookie = uint32(window.bytes, window.at);
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
    yield flagBytes;
    flags = window.bytes.slice(window.at, window.at + flagBytes);
    at += flagBytes;
    if (count % 8 !== 0 && (flags[flagBytes - 1] as number) >>> (count % 8) !== 0) {
      throw refuse("BITMAP_CORRUPT", `run flags past container ${count} are set`, at - 1);
    }
  } else {
    limit(8, bytesMax, at);
    yield 4;
    count = uint32(window.bytes, window.at);
    at += 4;
    if (count > CONTAINER_COUNT_MAX) {
      throw refuse("BITMAP_CORRUPT", `container count is ${count}, want 65536 or less`, 4);
    }
  }
  limit(at + count * DESCRIPTOR_BYTES, bytesMax, at);
  yield count * DESCRIPTOR_BYTES;
  const descriptors = new Uint16Array(count * 2);
  readUnits(window.bytes, window.at, descriptors);
  checkKeys(descriptors, at);
  at += count * DESCRIPTOR_BYTES;
  let offsets: Uint32Array | undefined;
  if (!hasRuns || count >= OFFSETS_FROM_CONTAINER_COUNT) {
    limit(at + count * OFFSET_BYTES, bytesMax, at);
    yield count * OFFSET_BYTES;
    offsets = new Uint32Array(count);
    readWords(window.bytes, window.at, offsets);
    at += count * OFFSET_BYTES;
  }
  return { count, flags, descriptors, offsets, bytes: at };
}

function checkKeys(descriptors: Uint16Array, at: number): void {
  for (let i = 2; i < descriptors.length; i += 2) {
    if ((descriptors[i] as number) > (descriptors[i - 2] as number)) continue;
    const message = `key of container ${i / 2} is not above the one before`;
    throw refuse("BITMAP_CORRUPT", message, at + i * 2);
  }
}

function checkOffset(header: Header, i: number, at: number): void {
  const offset = header.offsets?.[i] ?? at;
  if (offset === at) return;
  const where = header.bytes - (header.count - i) * OFFSET_BYTES;
  throw refuse("BITMAP_CORRUPT", `offset of container ${i} is ${offset}, want ${at}`, where);
}

function readArray(reader: Reader, { i, key, cardinality }: Descriptor): void {
  const { window, table } = reader;
  const address = table.arena.allocate(cardinality);
  const { units } = table.arena.chunkAt(address);
  const start = address & 0xffff;
  const wrong = copyAscending(window.bytes, window.at, units, start, cardinality);
  if (wrong < cardinality) {
    const message = `value ${wrong} of container ${i} is not above the one before`;
    throw refuse("BITMAP_CORRUPT", message, reader.at + wrong * 2);
  }
  if (reader.canonical) {
    const runCount = arrayCountRuns(units, start, cardinality, runCountLimit(cardinality));
    checkKind(reader, i, Kind.array, cardinality, runCount);
  }
  table.insert(table.count, key, { kind: Kind.array, cardinality, length: cardinality, address });
}

/** Values that are copied one by one: making the views for a copy takes as long. */
const FEW_COUNT = 32;

/** Copies `count` little-endian values; returns the index of the first that does not ascend, or the count. */
function copyAscending(
  bytes: Uint8Array,
  at: number,
  units: Uint16Array,
  start: number,
  count: number,
): number {
  if (count > FEW_COUNT) {
    readUnits(bytes, at, units.subarray(start, start + count));
  } else {
    for (let k = 0; k < count; k++) units[start + k] = uint16(bytes, at + 2 * k);
  }
  let before = -1;
  for (let k = 0; k < count; k++) {
    const value = units[start + k] as number;
    if (value <= before) return k;
    before = value;
  }
  return count;
}

function readBits(reader: Reader, { i, key, cardinality }: Descriptor): void {
  const { window, table } = reader;
  const address = table.arena.allocate(BITSET_UNITS);
  const words = table.arena.words(address, BITSET_BODY_WORDS);
  readWords(window.bytes, window.at, words.subarray(0, BITSET_WORDS));
  const count = bitsetCount(words);
  if (count !== cardinality) {
    const message = `bitset of container ${i} has ${count} bits set, want ${cardinality}`;
    throw refuse("BITMAP_CORRUPT", message, reader.at);
  }
  if (reader.canonical) {
    checkKind(
      reader,
      i,
      Kind.bitset,
      cardinality,
      bitsetCountRuns(words, runCountLimit(cardinality)),
    );
  }
  table.insert(table.count, key, { kind: Kind.bitset, cardinality, length: BITSET_UNITS, address });
}

function* readRuns(reader: Reader, { i, key, cardinality }: Descriptor): ByteReading<void> {
  const { window, table } = reader;
  const { at } = reader;
  limit(at + RUN_COUNT_BYTES, reader.bytesMax, at);
  yield RUN_COUNT_BYTES;
  const runCount = uint16(window.bytes, window.at);
  if (runCount === 0) throw refuse("BITMAP_CORRUPT", `container ${i} has no runs`, at);
  const end = at + RUN_COUNT_BYTES + runCount * RUN_BYTES;
  limit(end, reader.bytesMax, at);
  yield runCount * RUN_BYTES;
  const units = new Uint16Array(runCount * RUN_UNITS);
  const count = readRunList(window, units, i, at + RUN_COUNT_BYTES);
  if (count !== cardinality) {
    const message = `runs of container ${i} hold ${count} values, want ${cardinality}`;
    throw refuse("BITMAP_CORRUPT", message, at);
  }
  if (reader.canonical) checkKind(reader, i, Kind.run, cardinality, runCount);
  // Runs that do not pay are kept as what is smaller: memory then does not depend on the writer.
  const body = bodyOfRuns(units, units.length, cardinality);
  table.insert(table.count, key, place(body, cheapestKind(cardinality, runCount), table.arena));
  reader.at = end;
}

/** Checks and takes over a list of runs; returns how many values they hold. */
function readRunList(window: Window, units: Uint16Array, i: number, at: number): number {
  let count = 0;
  let end = -1;
  for (let to = 0, k = 0; to < units.length; to += RUN_UNITS, k += RUN_BYTES) {
    const first = uint16(window.bytes, window.at + k);
    const last = first + uint16(window.bytes, window.at + k + 2);
    if (first <= end) {
      const message = `run ${k / RUN_BYTES} of container ${i} touches the one before`;
      throw refuse("BITMAP_CORRUPT", message, at + k);
    }
    if (last > 0xffff) {
      const message = `run ${k / RUN_BYTES} of container ${i} ends past value 65535`;
      throw refuse("BITMAP_CORRUPT", message, at + k + 2);
    }
    units[to] = first;
    units[to + 1] = last;
    units[to + 2] = count;
    count += last - first + 1;
    end = last + 1;
  }
  return count;
}

function checkKind(
  reader: Reader,
  i: number,
  kind: Kind,
  cardinality: number,
  runCount: number,
): void {
  if (cheapestKind(cardinality, runCount) === kind) return;
  const message = `container ${i} has a kind that is not the smallest`;
  throw refuse("BITMAP_NON_CANONICAL", message, reader.at);
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
