import { checkBytes, checkCount, EMPTY } from "./bytes.ts";
import { AofError } from "./errors.ts";
import { type Allocate, type MediumFile } from "./medium.ts";
import { type PageCache, type PageSource } from "./page-cache.ts";

/** One append file of a group. Offsets and sizes are in bytes; reads see everything appended, committed or not. */
export interface GroupFile {
  readonly name: string;
  /** What the file holds now, pending changes included. */
  readonly size: number;
  /** What it held at the last `commit` call that was not rejected. */
  readonly committedSize: number;
  /**
   * Fresh, exactly `length` bytes.
   *
   * @throws AofError `AOF_OUT_OF_RANGE` beyond `size`; `AOF_TRUNCATED` when the file is shorter than what was committed;
   *   `AOF_IO` when reading failed (nothing is cached, the group stays usable); `AOF_CLOSED`
   */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
  /** As {@link GroupFile.read}, into all of `into`. */
  readInto(at: number, into: Uint8Array): void;
  /**
   * Adds bytes at the end, in memory until `commit`; `bytes` is copied.
   *
   * @throws AofError `AOF_POISONED`, `AOF_READ_ONLY`, `AOF_CLOSED`
   */
  append(bytes: Uint8Array): void;
  /**
   * Goes back to `size` bytes, in memory until `commit`; any number of times, mixed with appends.
   *
   * @throws AofError `AOF_OUT_OF_RANGE` when the file is shorter; as {@link GroupFile.append}
   */
  rewind(size: number): void;
}

/** One step of a file: it becomes its first `base` bytes followed by `bytes`. */
export interface Layer {
  readonly base: number;
  readonly bytes: Uint8Array;
}

/** What a file asks before it does something. */
export interface Gate {
  /** Throws when nothing can be read any more. */
  checkReadable(): void;
  /** Throws when nothing can be changed. */
  checkWritable(): void;
}

/** What the files of a group share. */
export interface LayeredFileContext {
  readonly gate: Gate;
  readonly cache: PageCache;
  readonly allocate: Allocate;
}

/** Bytes the first buffer for appended bytes has. */
const BUFFER_BYTES_MIN = 256;

/**
 * A file as a stack: the bytes applied to the medium, a layer for each commit not applied yet, and pending changes on top.
 *
 * Invariants
 * 1. `#applied` bytes of the medium's file are the state after the last applied commit; what lies beyond does not count.
 * 2. Layers are in commit order, each on top of the one before; a layer leaves when the medium has its effect.
 * 3. The pending change is one layer too: any mix of appends and rewinds is "the first `#base` bytes, then the buffer".
 * 4. A read of a byte takes it from the newest layer that reaches down to it.
 */
export class LayeredFile implements GroupFile, PageSource {
  readonly name: string;
  readonly id: number;
  readonly #gate: Gate;
  readonly #cache: PageCache;
  readonly #allocate: Allocate;
  #file: MediumFile;
  #applied: number;
  #layers: Layer[] = [];
  #base: number;
  #buffer: Uint8Array = EMPTY;
  #length = 0;

  /**
   * @param id - different for each file of a cache
   * @param file - its first `size` bytes are the committed state
   */
  constructor(
    { gate, cache, allocate }: LayeredFileContext,
    id: number,
    name: string,
    file: MediumFile,
    size: number,
  ) {
    this.id = id;
    this.name = name;
    this.#gate = gate;
    this.#cache = cache;
    this.#allocate = allocate;
    this.#file = file;
    this.#applied = size;
    this.#base = size;
  }

  // What the owner uses.

  get size(): number {
    return this.#base + this.#length;
  }

  get committedSize(): number {
    const newest = this.#layers.at(-1);
    return newest === undefined ? this.#applied : newest.base + newest.bytes.length;
  }

  read(at: number, length: number): Uint8Array<ArrayBuffer> {
    checkCount("length", length);
    this.#checkRange(at, length);
    const bytes = this.#allocate(length);
    this.#fill(at, bytes);
    return bytes;
  }

  readInto(at: number, into: Uint8Array): void {
    checkBytes("into", into);
    this.#checkRange(at, into.length);
    this.#fill(at, into);
  }

  append(bytes: Uint8Array): void {
    checkBytes("bytes", bytes);
    this.#gate.checkWritable();
    this.#put(bytes);
  }

  rewind(size: number): void {
    checkCount("size", size);
    this.#gate.checkWritable();
    if (size > this.size) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.name} has ${this.size} bytes, cannot go back to ${size}`,
      );
    }
    this.#cutPending(size);
  }

  // What the group uses.

  /** Whether something was appended or rewound since the last {@link LayeredFile.seal}. */
  get pending(): boolean {
    return this.#length > 0 || this.#base < this.committedSize;
  }

  /** Whether what is pending goes back below the last {@link LayeredFile.seal}. */
  get rewound(): boolean {
    return this.#base < this.committedSize;
  }

  /** Forgets what is pending. */
  discard(): void {
    this.#base = this.committedSize;
    this.#length = 0;
    this.#buffer = EMPTY;
  }

  /** Makes what is pending the newest layer and starts anew on top of it; `undefined` when nothing is pending. */
  seal(): Layer | undefined {
    if (!this.pending) return undefined;
    const layer = { base: this.#base, bytes: this.#buffer.subarray(0, this.#length) };
    this.#layers.push(layer);
    this.#base = this.size;
    this.#length = 0;
    this.#buffer = EMPTY;
    return layer;
  }

  /** Makes the newest layers, given oldest first, pending again below what is pending now. */
  unseal(layers: readonly Layer[]): void {
    const redone = [...layers, { base: this.#base, bytes: this.#buffer.subarray(0, this.#length) }];
    this.#layers = this.#layers.filter((layer) => !layers.includes(layer));
    this.discard();
    for (const { base, bytes } of redone) {
      this.#cutPending(base);
      this.#put(bytes);
    }
  }

  /** Bytes of the file's state on the medium. */
  get applied(): number {
    return this.#applied;
  }

  /** As {@link LayeredFile.applied}, for the page cache. */
  get end(): number {
    return this.#applied;
  }

  /** Hands a layer's bytes to the file; they count once {@link LayeredFile.settle} is called. */
  write(layer: Layer): void {
    this.#file.write(layer.base, layer.bytes);
  }

  /** Removes what an unfinished {@link LayeredFile.write} left beyond the end. */
  cutBack(): void {
    this.#file.truncate(this.#applied);
  }

  /** Takes the oldest layer as applied; its bytes are in the file. */
  settle(layer: Layer): void {
    const size = layer.base + layer.bytes.length;
    if (layer.base < this.#applied) {
      this.#cache.invalidate(this, layer.base);
      if (size < this.#applied) this.#file.truncate(size);
    }
    this.#applied = size;
    if (this.#layers[0] === layer) this.#layers.shift();
  }

  /** The file itself, for syncing and copying. */
  get file(): MediumFile {
    return this.#file;
  }

  /** Goes on with another file of `size` bytes; nothing may be pending. */
  replace(file: MediumFile, size: number): void {
    this.#cache.invalidate(this);
    this.#file = file;
    this.#applied = size;
    this.#base = size;
  }

  /** Reads from the medium; for the page cache. */
  load(at: number, into: Uint8Array): void {
    this.#file.readInto(at, into);
  }

  #checkRange(at: number, length: number): void {
    checkCount("at", at);
    this.#gate.checkReadable();
    if (at + length > this.size) {
      throw new AofError(
        "AOF_OUT_OF_RANGE",
        `${this.name} has ${this.size} bytes, asked for ${length} at ${at}`,
      );
    }
  }

  /** Fills `into` from the newest layer down; the range is within `size`. */
  #fill(at: number, into: Uint8Array): void {
    let end = at + into.length;
    if (end > this.#base) end = copyLayer(this.#base, this.#buffer, at, end, into);
    for (let i = this.#layers.length - 1; i >= 0 && end > at; i--) {
      const layer = this.#layers[i];
      if (layer !== undefined && end > layer.base) {
        end = copyLayer(layer.base, layer.bytes, at, end, into);
      }
    }
    if (end === at) return;
    // A view of a small fresh array would move it out of the engine's heap, which costs more than all else here.
    this.#cache.read(this, at, end - at === into.length ? into : into.subarray(0, end - at));
  }

  #cutPending(size: number): void {
    if (size >= this.#base) {
      this.#length = size - this.#base;
      return;
    }
    this.#base = size;
    this.#length = 0;
  }

  #put(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const grown = this.#allocate(
        Math.max(BUFFER_BYTES_MIN, length, Math.min(this.#buffer.length * 2, length + GROWTH_MAX)),
      );
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }
}

/** A buffer at most doubles, and grows by at most this many bytes more than asked for. */
const GROWTH_MAX = 64 * 1024 * 1024;

/** Copies what a layer has of `[at, end)`; returns where the rest ends. */
function copyLayer(
  base: number,
  bytes: Uint8Array,
  at: number,
  end: number,
  into: Uint8Array,
): number {
  const begin = Math.max(at, base);
  into.set(bytes.subarray(begin - base, end - base), begin - at);
  return begin;
}
