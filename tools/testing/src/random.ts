/**
 * Seeded pseudo-random numbers (mulberry32), so that every failure can be made again from one 32-bit number.
 *
 * Not for anything secret: the whole stream follows from the seed.
 */
export class Random {
  #state: number;

  /** @param seed - any integer; only its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The next integer in `[0, 2^32)`. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return (word ^ (word >>> 14)) >>> 0;
  }

  /** A number in `[0, 1)`. */
  fraction(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** An integer in `[0, bound)`; `bound` is at least 1. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** An integer in `[low, high]`, both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** Whether an event of this probability happens. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of the items; there must be one. */
  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError("cannot pick from an empty list");
    return item;
  }

  /** Fresh random bytes. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count);
    this.fillBytes(bytes);
    return bytes;
  }

  /** Fills `into` with random bytes. */
  fillBytes(into: Uint8Array): void {
    let word = 0;
    for (let i = 0; i < into.length; i++) {
      if (i % 4 === 0) word = this.next();
      into[i] = word >>> ((i % 4) * 8);
    }
  }

  /** A generator that goes on from here as this one would, without disturbing it. */
  clone(): Random {
    return new Random(this.#state);
  }
}

/** Mixes integers and strings into one 32-bit seed; every part and its place count. */
export function seedOf(...parts: readonly (number | string)[]): number {
  let seed = 0x9e3779b9;
  for (const part of parts) {
    if (typeof part === "number") {
      seed = mix(mix(seed, part | 0), Math.floor(part / 0x1_0000_0000) | 0);
    } else {
      for (let i = 0; i < part.length; i++) seed = mix(seed, part.charCodeAt(i));
      seed = mix(seed, -part.length);
    }
  }
  return seed >>> 0;
}

function mix(seed: number, word: number): number {
  let mixed = Math.imul(seed ^ word, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) + 0x7f4a7c15;
}
