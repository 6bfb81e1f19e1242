import { Arena, type Chunk } from "./arena.ts";
import type { Body, Placed } from "./body.ts";
import { BITSET_BODY_WORDS } from "./container-bitset.ts";
import { RUN_UNITS } from "./container-run.ts";
import { ARRAY_COUNT_MAX, Kind, RUN_COUNT_MAX } from "./kind.ts";

const NO_BYTES = new Uint8Array(0);
const NO_UNITS = new Uint16Array(0);
const NO_WORDS = new Uint32Array(0);

/** Units in the largest run container, and one run more, just before it becomes something else. */
const RUN_UNITS_MAX = (RUN_COUNT_MAX + 1) * RUN_UNITS;

/**
 * The containers of one bitmap, in columns: entry i of each column belongs to container i.
 *
 * Invariants
 * 1. Keys ascend strictly. No container is empty.
 * 2. An array has at most 4,096 values, a bitset more. Runs do not touch and are at most 2,047.
 * 3. `size` is the sum of the cardinalities.
 * 4. The first `beforeCount` entries of `before` are right: entry i is the sum of the cardinalities
 *    of the containers below i. A change of container i makes the entries above i wrong.
 * 5. The first `indexed[i]` entries of the rank index of bitset i are right; 0 for other kinds.
 * 6. A body in a shared chunk is not written. {@link ContainerTable.prepareWrite} moves it first.
 */
export class ContainerTable {
  count = 0;
  size = 0;
  /** Keys that follow one another from the first on need no search; `#keySpan` is 0 if they do not. */
  #firstKey = 0;
  #keySpan = 0;
  /** High 16 bits of the values. */
  keys: Uint16Array = NO_UNITS;
  kinds: Uint8Array = NO_BYTES;
  /** Entries of the rank index of each bitset that are right. */
  indexed: Uint16Array = NO_UNITS;
  cardinalities: Uint32Array = NO_WORDS;
  addresses: Uint32Array = NO_WORDS;
  /** Units in use in each body. */
  lengths: Uint16Array = NO_UNITS;
  /** Units allocated for each body. */
  capacities: Uint16Array = NO_UNITS;
  /** The body of each bitset, and nothing for the other kinds: one step from a value to its bit. */
  bits: Uint32Array[] = [];
  before: Uint32Array = NO_WORDS;
  beforeCount = 0;
  arena: Arena = new Arena();
  /** The chunks of the arena, one step nearer. */
  chunks: readonly Chunk[] = this.arena.chunks;

  /** Index of the container with this key, or `-1 - i` where i is the index it would have. */
  find(key: number): number {
    const place = (key - this.#firstKey) >>> 0;
    return place < this.#keySpan ? place : this.#search(key);
  }

  #search(key: number): number {
    const { keys, count } = this;
    if (count === 0) return -1;
    // Where a few keys are missing, one is still mostly where the first one says.
    const guess = key - (keys[0] as number);
    if (guess >= 0 && guess < count && keys[guess] === key) return guess;
    const last = keys[count - 1] as number;
    if (last <= key) return last === key ? count - 1 : -1 - count;
    let from = 0;
    for (let length = count; length > 1;) {
      const half = length >>> 1;
      from += half & (((keys[from + half - 1] as number) - key) >> 31);
      length -= half;
    }
    from += 1 & (((keys[from] as number) - key) >> 31);
    return keys[from] === key ? from : -1 - from;
  }

  /** The body of container `i`. */
  body(i: number): Body {
    const address = this.addresses[i] as number;
    return {
      kind: this.kinds[i] as Kind,
      cardinality: this.cardinalities[i] as number,
      length: this.lengths[i] as number,
      units: (this.chunks[address >>> 16] as Chunk).units,
      start: address & 0xffff,
      words: this.bits[i] as Uint32Array,
    };
  }

  /** How many values lie in the containers below `i`, `0 <= i <= count`. */
  countBefore(i: number): number {
    if (i === this.count) return this.size;
    if (this.beforeCount <= i) this.#countUpTo(i);
    return this.before[i] as number;
  }

  #countUpTo(i: number): void {
    if (this.before.length < this.count) {
      const before = new Uint32Array(this.kinds.length);
      before.set(this.before.subarray(0, this.beforeCount));
      this.before = before;
    }
    const { before, cardinalities } = this;
    let from = this.beforeCount;
    if (from === 0) before[from++] = 0;
    let sum = before[from - 1] as number;
    for (; from <= i; from++) {
      sum += cardinalities[from - 1] as number;
      before[from] = sum;
    }
    this.beforeCount = i + 1;
  }

  /** Index of the container that holds the value with `index` values below it, `0 <= index < size`. */
  findIndex(index: number): number {
    this.countBefore(this.count - 1);
    const before = this.before;
    let from = 0;
    let to = this.count;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((before[middle] as number) <= index) from = middle + 1;
      else to = middle;
    }
    return from - 1;
  }

  /** Notes that container `i` now has `cardinality` values. */
  setCardinality(i: number, cardinality: number): void {
    this.size += cardinality - (this.cardinalities[i] as number);
    this.cardinalities[i] = cardinality;
    if (i + 1 < this.beforeCount) this.beforeCount = i + 1;
  }

  /** Makes room for `count` containers at index `i`. The caller gives each a key and a body at once. */
  openGap(i: number, count: number): void {
    const needed = this.count + count;
    if (needed > this.kinds.length) this.#resize(Math.max(needed, growth(this.count, 4)));
    if (i < this.count) this.#shift(i, i + count);
    this.count = needed;
    if (count === 1 && i === this.bits.length) {
      this.bits.push(NO_WORDS);
    } else if (count === 1) {
      this.bits.splice(i, 0, NO_WORDS);
    } else {
      const gap = Array.from({ length: count }, () => NO_WORDS);
      this.bits = this.bits.slice(0, i).concat(gap, this.bits.slice(i));
    }
    this.cardinalities.fill(0, i, i + count);
    this.capacities.fill(0, i, i + count);
    if (i + 1 < this.beforeCount) this.beforeCount = i + 1;
  }

  /** Makes the columns long enough for `count` containers, and no longer. */
  reserve(count: number): void {
    if (count > this.kinds.length) this.#resize(count);
  }

  /** Looks whether the keys follow one another; after every change of the column of keys. */
  noteKeys(): void {
    const { keys, count } = this;
    this.#firstKey = count === 0 ? 0 : (keys[0] as number);
    const last = count === 0 ? 0 : (keys[count - 1] as number);
    this.#keySpan = last - this.#firstKey + 1 === count ? count : 0;
  }

  /** Puts a container in at index `i` whose body has been written. */
  insert(i: number, key: number, placed: Placed): void {
    this.openGap(i, 1);
    this.keys[i] = key;
    this.noteKeys();
    this.replace(i, placed);
  }

  /** Takes out the containers from `i` up to `end`, not included. */
  remove(i: number, end: number): void {
    for (let k = i; k < end; k++) {
      this.size -= this.cardinalities[k] as number;
      this.arena.release(this.capacities[k] as number);
    }
    if (i < end) this.#shift(end, i);
    this.bits.splice(i, end - i);
    this.count -= end - i;
    if (i + 1 < this.beforeCount) this.beforeCount = i + 1;
    if (this.count < this.beforeCount) this.beforeCount = this.count;
    this.noteKeys();
    if (this.count === 0) this.#adopt(new Arena());
  }

  /** Empties container `i`, which {@link ContainerTable.dropEmpty} then must take out. */
  empty(i: number): void {
    this.arena.release(this.capacities[i] as number);
    this.capacities[i] = 0;
    this.setCardinality(i, 0);
  }

  /** Takes out all containers without values in one pass. */
  dropEmpty(): void {
    let to = 0;
    for (let i = 0; i < this.count; i++) {
      if (this.cardinalities[i] === 0) continue;
      if (to < i) this.#moveEntry(i, to);
      to++;
    }
    this.count = to;
    this.bits.length = to;
    if (to < this.beforeCount) this.beforeCount = to;
    this.noteKeys();
    if (to === 0) this.#adopt(new Arena());
  }

  #moveEntry(from: number, to: number): void {
    this.keys[to] = this.keys[from] as number;
    this.kinds[to] = this.kinds[from] as number;
    this.indexed[to] = this.indexed[from] as number;
    this.cardinalities[to] = this.cardinalities[from] as number;
    this.addresses[to] = this.addresses[from] as number;
    this.lengths[to] = this.lengths[from] as number;
    this.capacities[to] = this.capacities[from] as number;
    this.bits[to] = this.bits[from] as Uint32Array;
  }

  /** Gives container `i` another body, which has been written. */
  replace(i: number, placed: Placed): void {
    this.arena.release(this.capacities[i] as number);
    this.kinds[i] = placed.kind;
    this.indexed[i] = 0;
    this.addresses[i] = placed.address;
    this.lengths[i] = placed.length;
    this.capacities[i] = placed.length;
    this.#findBits(i);
    this.setCardinality(i, placed.cardinality);
  }

  /** Makes the body of container `i` ours to write, with room for `length` units. Bodies may move. */
  prepareWrite(i: number, length: number): void {
    const address = this.addresses[i] as number;
    const capacity = this.capacities[i] as number;
    const shared = this.arena.chunkAt(address).shared;
    if (!shared && length <= capacity) return;
    const wanted = length <= capacity ? capacity : roomyCapacity(this.kinds[i] as Kind, length);
    if (!shared && this.arena.resize(address, capacity, wanted)) {
      this.capacities[i] = wanted;
      return;
    }
    this.compactIfWasteful();
    this.#move(i, wanted);
  }

  /** Gives most of the unused room of container `i` back once the body uses less than a quarter of it. */
  giveBack(i: number): void {
    const capacity = this.capacities[i] as number;
    const length = this.lengths[i] as number;
    if (length * 4 >= capacity || capacity <= 16) return;
    this.capacities[i] = length * 2;
    this.arena.release(capacity);
    this.arena.live += (length * 2 + 1) & ~1;
  }

  /** Copies all bodies together once about a third of the memory is not in use. */
  compactIfWasteful(): void {
    if (this.arena.isWasteful) this.compact(false);
  }

  /** Copies all bodies into fresh memory; `trim` also takes away the room they have to grow. */
  compact(trim: boolean): void {
    const { arena, lengths, capacities } = this;
    const fresh = new Arena();
    let units = 0;
    for (let i = 0; i < this.count; i++) {
      if (trim) capacities[i] = lengths[i] as number;
      units += ((capacities[i] as number) + 1) & ~1;
    }
    fresh.reserve(units);
    for (let i = 0; i < this.count; i++) {
      const from = this.addresses[i] as number;
      const to = fresh.allocate(capacities[i] as number);
      fresh.copy(to, arena, from, lengths[i] as number);
      this.addresses[i] = to;
    }
    this.#adopt(fresh);
    for (let i = 0; i < this.count; i++) this.#findBits(i);
    const room = trim ? this.count : this.count * 2;
    if (0 < this.count && room < this.kinds.length) {
      this.#resize(room);
      this.bits = this.bits.slice();
    }
  }

  /** A second table with the same containers. Whichever is written first copies what it writes. */
  clone(): ContainerTable {
    const twin = new ContainerTable();
    const count = this.count;
    if (count === 0) return twin;
    twin.count = count;
    twin.size = this.size;
    twin.keys = this.keys.slice(0, count);
    twin.kinds = this.kinds.slice(0, count);
    twin.indexed = this.indexed.slice(0, count);
    twin.cardinalities = this.cardinalities.slice(0, count);
    twin.addresses = this.addresses.slice(0, count);
    twin.lengths = this.lengths.slice(0, count);
    twin.capacities = this.capacities.slice(0, count);
    twin.bits = this.bits.slice();
    twin.before = this.before.slice(0, count);
    twin.beforeCount = this.beforeCount;
    twin.noteKeys();
    twin.#adopt(this.arena.share());
    return twin;
  }

  #adopt(arena: Arena): void {
    this.arena = arena;
    this.chunks = arena.chunks;
  }

  #move(i: number, capacity: number): void {
    const from = this.addresses[i] as number;
    const to = this.arena.allocate(capacity);
    this.arena.copy(to, this.arena, from, this.lengths[i] as number);
    this.arena.release(this.capacities[i] as number);
    this.addresses[i] = to;
    this.capacities[i] = capacity;
    this.#findBits(i);
  }

  /** Sets the entry of `bits` from the kind and the address. */
  #findBits(i: number): void {
    const address = this.addresses[i] as number;
    const isBitset = this.kinds[i] === Kind.bitset;
    this.bits[i] = isBitset ? this.arena.words(address, BITSET_BODY_WORDS) : NO_WORDS;
  }

  /** Moves the entries from index `from` on to index `to` on, in every column but `before`. */
  #shift(from: number, to: number): void {
    const end = this.count;
    this.keys.copyWithin(to, from, end);
    this.kinds.copyWithin(to, from, end);
    this.indexed.copyWithin(to, from, end);
    this.cardinalities.copyWithin(to, from, end);
    this.addresses.copyWithin(to, from, end);
    this.lengths.copyWithin(to, from, end);
    this.capacities.copyWithin(to, from, end);
  }

  #resize(length: number): void {
    const count = this.count;
    const units = (column: Uint16Array): Uint16Array => {
      const copy = new Uint16Array(length);
      copy.set(column.subarray(0, count));
      return copy;
    };
    const words = (column: Uint32Array): Uint32Array => {
      const copy = new Uint32Array(length);
      copy.set(column.subarray(0, count));
      return copy;
    };
    const bytes = (column: Uint8Array): Uint8Array => {
      const copy = new Uint8Array(length);
      copy.set(column.subarray(0, count));
      return copy;
    };
    this.keys = units(this.keys);
    this.kinds = bytes(this.kinds);
    this.indexed = units(this.indexed);
    this.cardinalities = words(this.cardinalities);
    this.addresses = words(this.addresses);
    this.lengths = units(this.lengths);
    this.capacities = units(this.capacities);
  }
}

/** Half as much again as there is, so that growing one by one costs a constant each. */
function growth(length: number, least: number): number {
  return Math.max(least, length + (length >>> 1));
}

/** Units to allocate for a body of `length` units that will probably grow: a quarter more. */
function roomyCapacity(kind: Kind, length: number): number {
  if (kind === Kind.bitset) return length;
  const room = Math.max(8, length + (length >>> 2));
  return Math.min(kind === Kind.array ? ARRAY_COUNT_MAX : RUN_UNITS_MAX, room);
}
