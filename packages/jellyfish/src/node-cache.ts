import { type Node } from "./node.ts";
import {
  copyRecord,
  isRecordOf,
  isUsedRecord,
  readRecord,
  type RecordChunk,
  recordSize,
  recordSizeAt,
  writeRecord,
} from "./node-record.ts";

/** A node as it was read or made. */
export interface LoadedNode {
  /** 32 bytes. */
  readonly hash: Uint8Array;
  readonly node: Node;
  /** Inner hashes of an internal node, if they are known: entries 1…15 of its heap, 32 bytes each, from byte 32. */
  readonly inner: Uint8Array | undefined;
}

/** How a {@link NodeCache} is bounded. */
export interface NodeCacheOptions {
  /** Most bytes of nodes, with an estimate for what the engine adds. Default: 64 MiB. */
  readonly byteCountMax?: number;
}

const BYTE_COUNT_MAX = 64 * 2 ** 20;
/** What the engine's map adds to a node. An estimate. */
const PLACE_SIZE = 48;
const CHUNK_SIZE_MIN = 4096;
/** A place is a chunk's number and an offset of so many bits, counted in eight bytes: a small integer up to 16 GiB. */
const OFFSET_BITS = 15;
const CHUNK_SIZE_MAX = 8 * 2 ** OFFSET_BITS;

/**
 * Decoded nodes by hash, within a byte budget. Hot internal nodes keep their inner hashes, so that a put costs four pair hashes
 * per level instead of fifteen.
 *
 * A node is named by its content, so a cached node is never wrong; but it may be gone from the store. Whoever deletes nodes
 * calls {@link delete} or {@link clear}, else a collected root still reads in part. One cache serves any number of trees of
 * one scheme and format.
 *
 * Entries are found by 30 bits of their hash; of two nodes that share them the younger stays. They lie in chunks that are only
 * ever appended to, and given up as a whole, so that what was handed out stays what it was. Evicted is the oldest that was
 * not read since it was last passed over.
 */
export class NodeCache {
  readonly byteCountMax: number;
  readonly #places = new Map<number, number>();
  /** By number; numbers of chunks that were given up are used again. */
  readonly #chunks: (RecordChunk | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  /** Numbers, the oldest first. The last chunk is being filled. */
  #order: number[] = [];
  #end = 0;
  /** Bytes of all chunks. */
  #chunkByteCount = 0;
  #byteCount = 0;

  /** @throws RangeError if the budget is not a count */
  constructor(options: NodeCacheOptions = {}) {
    const { byteCountMax = BYTE_COUNT_MAX } = options;
    if (!Number.isSafeInteger(byteCountMax) || byteCountMax < 0)
      throw new RangeError(`byteCountMax is ${byteCountMax}, not a count of bytes`);
    this.byteCountMax = byteCountMax;
  }

  /** Bytes of the nodes held now, estimated. What was deleted stays in memory until its chunk goes; both together are at most the budget. */
  get byteCount(): number {
    return this.#byteCount;
  }

  /** Nodes held now. */
  get nodeCount(): number {
    return this.#places.size;
  }

  /** The node of a hash, which it keeps; its other parts are read, not changed. */
  get(hash: Uint8Array): LoadedNode | undefined {
    const place = this.#places.get(slotOf(hash));
    if (place === undefined) return undefined;
    const chunk = this.#chunkOf(place);
    const at = offsetOf(place);
    return isRecordOf(chunk, at, hash) ? readRecord(chunk, at, hash) : undefined;
  }

  /** Keeps a copy of a node, if it is not larger than the whole budget. */
  set(loaded: LoadedNode): void {
    const size = recordSize(loaded);
    if (size + PLACE_SIZE > this.byteCountMax) return;
    const slot = slotOf(loaded.hash);
    this.#drop(slot);
    const { chunk, at, place } = this.#take(size);
    writeRecord(chunk, at, loaded);
    this.#places.set(slot, place);
    this.#byteCount += size + PLACE_SIZE;
    if (this.#usedByteCount > this.byteCountMax) this.#evict();
  }

  delete(hash: Uint8Array): void {
    const slot = slotOf(hash);
    const place = this.#places.get(slot);
    if (place !== undefined && isRecordOf(this.#chunkOf(place), offsetOf(place), hash))
      this.#drop(slot);
  }

  clear(): void {
    this.#places.clear();
    for (const number of this.#order.splice(0)) this.#giveUp(number);
    this.#byteCount = 0;
  }

  get #usedByteCount(): number {
    return this.#chunkByteCount + PLACE_SIZE * this.#places.size;
  }

  #chunkOf(place: number): RecordChunk {
    return this.#chunks[place >>> OFFSET_BITS] as RecordChunk;
  }

  #drop(slot: number): void {
    const place = this.#places.get(slot);
    if (place === undefined) return;
    this.#byteCount -= recordSizeAt(this.#chunkOf(place), offsetOf(place)) + PLACE_SIZE;
    this.#places.delete(slot);
  }

  /** Room for a record, at the end of the last chunk or at the beginning of a new one. */
  #take(size: number): {
    readonly chunk: RecordChunk;
    readonly at: number;
    readonly place: number;
  } {
    let number = this.#order.at(-1) ?? -1;
    let chunk = this.#chunks[number];
    if (chunk === undefined || this.#end + size > chunk.bytes.length) {
      // As much again as there is.
      const more = Math.max(CHUNK_SIZE_MIN, this.#chunkByteCount);
      const bounded = Math.min(more, CHUNK_SIZE_MAX, this.byteCountMax / 16) & ~7;
      const bytes = new Uint8Array(Math.max(size, bounded));
      chunk = { bytes, numbers: new Float64Array(bytes.buffer) };
      number = this.#freeNumbers.pop() ?? this.#chunks.length;
      this.#chunks[number] = chunk;
      this.#order.push(number);
      this.#chunkByteCount += bytes.length;
      this.#end = 0;
    }
    const at = this.#end;
    this.#end += size;
    return { chunk, at, place: number * 2 ** OFFSET_BITS + at / 8 };
  }

  /**
   * Gives up the oldest chunks, an eighth of the budget at once, for a map is slow to begin where entries were deleted. The map's
   * order is that of the chunks. What was used goes round once more, as a new copy.
   */
  #evict(): void {
    let oldest = 0;
    for (const [slot, place] of this.#places) {
      while (this.#order[oldest] !== place >>> OFFSET_BITS)
        this.#giveUp(this.#order[oldest++] as number);
      const isLast = oldest === this.#order.length - 1;
      if (isLast || this.#usedByteCount <= this.byteCountMax * (7 / 8)) break;
      const chunk = this.#chunkOf(place);
      const at = offsetOf(place);
      const size = recordSizeAt(chunk, at);
      this.#places.delete(slot);
      if (!isUsedRecord(chunk, at)) {
        this.#byteCount -= size + PLACE_SIZE;
        continue;
      }
      const room = this.#take(size);
      copyRecord(chunk, at, room.chunk, room.at, size);
      this.#places.set(slot, room.place);
    }
    this.#order = this.#order.slice(oldest);
  }

  #giveUp(number: number): void {
    this.#chunkByteCount -= (this.#chunks[number] as RecordChunk).bytes.length;
    this.#chunks[number] = undefined;
    this.#freeNumbers.push(number);
  }
}

/** Bytes a node is taken to occupy. */
export function loadedSize(loaded: LoadedNode): number {
  return recordSize(loaded) + PLACE_SIZE;
}

function offsetOf(place: number): number {
  return 8 * (place & (2 ** OFFSET_BITS - 1));
}

/** 30 bits of a hash: a small integer, which a `Map` finds fastest. */
function slotOf(hash: Uint8Array): number {
  const high = ((hash[0] as number) << 22) | ((hash[1] as number) << 14);
  return (high | ((hash[2] as number) << 6) | ((hash[3] as number) >>> 2)) & 0x3fffffff;
}
