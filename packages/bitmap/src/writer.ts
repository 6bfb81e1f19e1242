/** Writes the portable roaring format. FORMAT.md has the layout and the choice of containers. */
import { BITSET_WORDS } from "./container-bitset.ts";
import { RUN_UNITS } from "./container-run.ts";
import { countRuns, writeArray, writeBits, writeRuns } from "./convert.ts";
import { writeUnits, writeWords } from "./endian.ts";
import {
  BITSET_BYTES,
  COOKIE_WITH_RUNS,
  COOKIE_WITHOUT_RUNS,
  headerBytes,
  OFFSETS_FROM_CONTAINER_COUNT,
  RUN_BYTES,
  RUN_COUNT_BYTES,
} from "./format.ts";
import { cheapestKind, CONTAINER_SPAN, Kind, runCountLimit } from "./kind.ts";
import type { Body } from "./body.ts";
import type { ContainerTable } from "./table.ts";

/** How a bitmap is written. */
export interface SerializeOptions {
  /**
   * Whether a container may be written as runs, where that takes fewer bytes. Default true; false
   * is for readers older than run containers. Either way the bytes follow from the values alone.
   */
  readonly runs?: boolean;
}

/** Which kind each container is written as, and where. */
interface Plan {
  readonly kinds: Uint8Array;
  readonly bodyBytes: Uint32Array;
  readonly hasRuns: boolean;
  readonly headerBytes: number;
  readonly bytes: number;
}

/** Bytes in the serialized form. */
export function serializedBytes(table: ContainerTable, options: SerializeOptions): number {
  return makePlan(table, options).bytes;
}

/** The whole serialized form. */
export function serializeTable(
  table: ContainerTable,
  options: SerializeOptions,
): Uint8Array<ArrayBuffer> {
  const plan = makePlan(table, options);
  const bytes = new Uint8Array(plan.bytes);
  writeHeader(table, plan, bytes);
  const scratch = new Scratch();
  let at = plan.headerBytes;
  for (let i = 0; i < table.count; i++) {
    writeBody(table.body(i), plan.kinds[i] as Kind, bytes, at, scratch);
    at += plan.bodyBytes[i] as number;
  }
  return bytes;
}

/**
 * The serialized form in pieces of about `pieceBytes` bytes.
 *
 * @yields fresh bytes: the header, then bodies
 */
export function* serializePieces(
  table: ContainerTable,
  options: SerializeOptions,
  pieceBytes: number,
): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  const plan = makePlan(table, options);
  const header = new Uint8Array(plan.headerBytes);
  writeHeader(table, plan, header);
  yield header;
  const scratch = new Scratch();
  for (let i = 0; i < table.count;) {
    let bytes = plan.bodyBytes[i] as number;
    let end = i + 1;
    while (end < table.count && bytes + (plan.bodyBytes[end] as number) <= pieceBytes) {
      bytes += plan.bodyBytes[end++] as number;
    }
    const piece = new Uint8Array(bytes);
    let at = 0;
    for (; i < end; i++) {
      writeBody(table.body(i), plan.kinds[i] as Kind, piece, at, scratch);
      at += plan.bodyBytes[i] as number;
    }
    yield piece;
  }
}

function makePlan(table: ContainerTable, options: SerializeOptions): Plan {
  const withRuns = options.runs ?? true;
  const kinds = new Uint8Array(table.count);
  const bodyBytes = new Uint32Array(table.count);
  let hasRuns = false;
  let bytes = 0;
  for (let i = 0; i < table.count; i++) {
    const body = table.body(i);
    const limit = runCountLimit(body.cardinality);
    const runCount = withRuns ? countRuns(body, limit) : limit + 1;
    const kind = cheapestKind(body.cardinality, runCount);
    if (kind === Kind.run) hasRuns = true;
    const size = bodySize(kind, body.cardinality, runCount);
    kinds[i] = kind;
    bodyBytes[i] = size;
    bytes += size;
  }
  const header = headerBytes(table.count, hasRuns);
  return { kinds, bodyBytes, hasRuns, headerBytes: header, bytes: header + bytes };
}

function bodySize(kind: Kind, cardinality: number, runCount: number): number {
  switch (kind) {
    case Kind.array:
      return cardinality * 2;
    case Kind.bitset:
      return BITSET_BYTES;
    case Kind.run:
      return RUN_COUNT_BYTES + runCount * RUN_BYTES;
  }
}

function writeHeader(table: ContainerTable, plan: Plan, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = table.count;
  let at = 4;
  if (plan.hasRuns) {
    view.setUint32(0, COOKIE_WITH_RUNS + (count - 1) * 0x10000, true);
    for (let i = 0; i < count; i++) {
      if (plan.kinds[i] !== Kind.run) continue;
      const flags = at + (i >>> 3);
      bytes[flags] = (bytes[flags] as number) | (1 << (i & 7));
    }
    at += Math.ceil(count / 8);
  } else {
    view.setUint32(0, COOKIE_WITHOUT_RUNS, true);
    view.setUint32(4, count, true);
    at += 4;
  }
  for (let i = 0; i < count; i++, at += 4) {
    view.setUint16(at, table.keys[i] as number, true);
    view.setUint16(at + 2, (table.cardinalities[i] as number) - 1, true);
  }
  if (plan.hasRuns && count < OFFSETS_FROM_CONTAINER_COUNT) return;
  let offset = plan.headerBytes;
  for (let i = 0; i < count; i++, at += 4) {
    view.setUint32(at, offset, true);
    offset += plan.bodyBytes[i] as number;
  }
}

/** Memory for a body on its way from one kind to another, made when it is first needed. */
class Scratch {
  #words: Uint32Array<ArrayBuffer> | undefined;

  get words(): Uint32Array<ArrayBuffer> {
    this.#words ??= new Uint32Array(BITSET_WORDS);
    return this.#words;
  }

  get units(): Uint16Array {
    return new Uint16Array(this.words.buffer);
  }
}

function writeBody(body: Body, kind: Kind, bytes: Uint8Array, at: number, scratch: Scratch): void {
  switch (kind) {
    case Kind.array:
      if (body.kind === Kind.array) {
        writeUnits(body.units, body.start, body.length, bytes, at);
      } else {
        const { units } = scratch;
        writeArray(body, units, 0);
        writeUnits(units, 0, body.cardinality, bytes, at);
      }
      return;
    case Kind.bitset:
      if (body.kind === Kind.bitset) {
        writeWords(body.words, BITSET_WORDS, bytes, at);
      } else {
        writeBits(body, scratch.words);
        writeWords(scratch.words, BITSET_WORDS, bytes, at);
      }
      return;
    case Kind.run:
      writeRunBody(body, bytes, at);
      return;
  }
}

function writeRunBody(body: Body, bytes: Uint8Array, at: number): void {
  let { units, start } = body;
  let runCount = body.length / RUN_UNITS;
  if (body.kind !== Kind.run) {
    runCount = countRuns(body, CONTAINER_SPAN);
    units = new Uint16Array(runCount * RUN_UNITS);
    start = 0;
    writeRuns(body, units, 0);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setUint16(at, runCount, true);
  let to = at + RUN_COUNT_BYTES;
  for (let i = start; i < start + runCount * RUN_UNITS; i += RUN_UNITS, to += RUN_BYTES) {
    const first = units[i] as number;
    view.setUint16(to, first, true);
    view.setUint16(to + 2, (units[i + 1] as number) - first, true);
  }
}
