import { type Entry } from "@x/store";
import {
  copyBytes,
  type EntrySource,
  keyText,
  type ResolvedRange,
  textKey,
} from "@x/store/adapter";

import { type Chunk, firstAtLeast, type OrderedIndex } from "./ordered-index.ts";

/** Entries of the first read, for walks that are left early, and of the later ones. */
const FIRST_READ_COUNT = 8;
const READ_COUNT = 256;

/** Walks over a range of a snapshot. */
export class IndexWalk implements EntrySource {
  #index: OrderedIndex;
  readonly #step: 1 | -1;
  readonly #stop: Place;
  #place: Place;
  #remaining: number;
  #readCount = FIRST_READ_COUNT;

  constructor(index: OrderedIndex, range: ResolvedRange) {
    this.#index = index;
    this.#step = range.reverse ? -1 : 1;
    this.#remaining = range.limit;
    const { lower, upper } = range;
    const first = lower === undefined ? start(index) : find(index, lower.key, !lower.inclusive);
    const end = upper === undefined ? finish(index) : find(index, upper.key, upper.inclusive);
    this.#place = range.reverse ? end : first;
    this.#stop = range.reverse ? first : end;
  }

  read(): Entry[] {
    const entries: Entry[] = [];
    const count = Math.min(this.#readCount, this.#remaining);
    this.#readCount = READ_COUNT;
    while (entries.length < count) {
      const entry = this.#take();
      if (entry === undefined) break;
      entries.push(entry);
    }
    this.#remaining -= entries.length;
    return entries;
  }

  release(): void {
    this.#index = [];
    this.#remaining = 0;
  }

  #take(): Entry | undefined {
    if (!this.#hasMore()) return undefined;
    if (this.#step === -1) this.#place = before(this.#index, this.#place);
    const { chunk, offset } = this.#place;
    const { keys, values } = this.#index[chunk] as Chunk;
    const entry: Entry = [textKey(keys[offset] as string), copyBytes(values[offset] as Uint8Array)];
    if (this.#step === 1) this.#place = after(this.#index, this.#place);
    return entry;
  }

  #hasMore(): boolean {
    const [low, high] = this.#step === 1 ? [this.#place, this.#stop] : [this.#stop, this.#place];
    return low.chunk < high.chunk || (low.chunk === high.chunk && low.offset < high.offset);
  }
}

/** Between two entries: before the entry `offset` of a chunk. One place has one form: `offset` is below the chunk's count, or all is behind it. */
interface Place {
  readonly chunk: number;
  readonly offset: number;
}

function start(_index: OrderedIndex): Place {
  return { chunk: 0, offset: 0 };
}

function finish(index: OrderedIndex): Place {
  return { chunk: index.length, offset: 0 };
}

/** The place before the first entry that is not below `key`, or, `past` it, before the first that is above. */
function find(index: OrderedIndex, key: Uint8Array, past: boolean): Place {
  // No character of a key is above 255, so this text comes right after the key itself and before its extensions.
  const text = past ? `${keyText(key)}\0` : keyText(key);
  const chunk = firstChunkWith(index, text);
  if (chunk === index.length) return finish(index);
  return { chunk, offset: firstAtLeast((index[chunk] as Chunk).keys, text) };
}

/** The first chunk whose last key is not below `text`. */
function firstChunkWith(index: OrderedIndex, text: string): number {
  let low = 0;
  let high = index.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (((index[middle] as Chunk).keys.at(-1) as string) < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function after(index: OrderedIndex, { chunk, offset }: Place): Place {
  return offset + 1 < (index[chunk] as Chunk).keys.length
    ? { chunk, offset: offset + 1 }
    : { chunk: chunk + 1, offset: 0 };
}

function before(index: OrderedIndex, { chunk, offset }: Place): Place {
  if (offset > 0) return { chunk, offset: offset - 1 };
  return { chunk: chunk - 1, offset: (index[chunk - 1] as Chunk).keys.length - 1 };
}
