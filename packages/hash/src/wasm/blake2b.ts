import { forEachWord } from "./compression.ts";
import { type KernelAlgorithm, wordsFromHex } from "./family.ts";
import { i32, i64, ValueType } from "./instructions.ts";
import { BYTES_BEFORE, BYTES_TOTAL, MESSAGE, STATE, TABLE } from "./layout.ts";
import type { FunctionBuilder, Local } from "./module.ts";
import { scalar64, vector64, type Words64 } from "./words.ts";

const BLOCK_SIZE = 128;
const ROUNDS = 12;
/** Where the third row of the working vector lies: behind the message, of which BLAKE2b has 16 words. */
const THIRD_ROW: number = MESSAGE + 256;
const zero = i32.const(0);

/** RFC 7693, 2.6: from the square roots of the first eight primes. */
const INITIAL_VECTOR = `
  6a09e667f3bcc908 bb67ae8584caa73b 3c6ef372fe94f82b a54ff53a5f1d36f1
  510e527fade682d1 9b05688c2b3e6c1f 1f83d9abfb41bd6b 5be0cd19137e2179`;

/**
 * The order in which a round takes the words of the message, RFC 7693, 2.7, as the index of each of the 16 words. Rounds 10
 * and 11 repeat rounds 0 and 1.
 */
const ORDERS: readonly string[] = [
  "0123456789abcdef",
  "ea489fd61c02b753",
  "b8c052fdae367194",
  "7931dcbe265a40f8",
  "905724afe1bc683d",
  "2c6a0b834d75fe19",
  "c51fed4a0763928b",
  "db7ec13950f4862a",
  "6fe9b308c2d714a5",
  "a2847615fb9e3cd0",
];

/** Which four words of the working vector each of a round's eight steps mixes: columns, then diagonals. */
const STEPS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** Address of the table of offsets for kernels of one lane and of two; before both lies the initial vector, 64 bytes. */
const offsetsAt = (lanes: number): number => TABLE + 64 + (lanes - 1) * ROUNDS * 16;

/** BLAKE2b with a digest of 32 bytes and no key, RFC 7693. */
export const blake2b256Kernel: KernelAlgorithm = {
  family: {
    compression: { blockSize: BLOCK_SIZE, stateCount: 8, compress },
    scalar: scalar64,
    vector: vector64,
    table,
  },
  initialState: () => {
    const state = wordsFromHex(INITIAL_VECTOR, 8);
    // The parameter block, RFC 7693, 2.5: digest size, no key, fanout and depth of 1.
    for (const [i, byte] of [32, 0, 1, 1].entries()) state[i] = (state[i] as number) ^ byte;
    return state;
  },
  padding: { sizeMin: 0, marker: undefined, close: () => {} },
};

/** RFC 7693, 3.2. */
function compress(f: FunctionBuilder, words: Words64, block: Local, isLast: Local): void {
  const [c] = f.locals(words.type, 1) as [Local];
  const v = Array.from({ length: 16 }, (_, i) => (8 <= i && i < 12 ? c : f.local(words.type)));
  const local = (i: number): Local => v[i] as Local;
  forEachWord(words, 8, (i, offset) => {
    f.add(local(i).set(words.load(zero, STATE + offset)));
    const initial = words.splat(zero, TABLE + 8 * i);
    f.add(i < 4 ? words.store(zero, THIRD_ROW + offset, initial) : local(i + 8).set(initial));
  });
  const [counter] = f.locals(ValueType.i64, 1) as [Local];
  const size = i32.multiply(i32.add(block.get, i32.const(1)), i32.const(BLOCK_SIZE));
  f.add(counter.set(i64.add(i64.load(zero, BYTES_BEFORE), i64.extend(size))));
  f.when(isLast.get, () => {
    f.add(counter.set(i64.load(zero, BYTES_TOTAL)));
    f.add(local(14).set(words.xor(local(14).get, words.spread(i64.const(-1)))));
  });
  // The counter's upper half stays zero: no message has 2^64 bytes.
  f.add(local(12).set(words.xor(local(12).get, words.spread(counter.get))));
  mix(f, words, v);
  forEachWord(words, 8, (i, offset) => {
    const other = i < 4 ? words.load(zero, THIRD_ROW + offset) : local(i + 8).get;
    const mixed = words.xor(local(i).get, other);
    f.add(words.store(zero, STATE + offset, words.xor(words.load(zero, STATE + offset), mixed)));
  });
}

/**
 * The twelve rounds as one that looks up where its words lie. Written out twelve times it is no faster for two lanes and takes
 * 98 ns instead of 126 for one, but is three to seven times too long for a page's main thread.
 *
 * The working vector has one word more than there are vector registers, so its third row lies in memory and its words take
 * turns in one local. Left to the compiler, words are kept on the stack, and where the stack happens to lie at the same offset
 * in its page as the message, a hash takes up to 163 ns instead of 93; this way 120.
 */
function mix(f: FunctionBuilder, words: Words64, v: readonly Local[]): void {
  const { add, xor, rotateRight } = words;
  const [order] = f.locals(ValueType.i32, 1) as [Local];
  f.repeatBelow(order, i32.const(ROUNDS * 16), () => {
    for (const [step, indexes] of STEPS.entries()) {
      const [a, b, c, d] = indexes.map((i) => v[i]) as [Local, Local, Local, Local];
      const third = THIRD_ROW + (indexes[2] - 8) * words.lanes * words.wordSize;
      f.add(c.set(words.load(zero, third)));
      for (const half of [0, 1]) {
        const offset = i32.load8(order.get, offsetsAt(words.lanes) + 2 * step + half);
        // The word of the message first: the other one was rotated just now.
        f.add(a.set(add(add(a.get, words.load(offset, MESSAGE)), b.get)));
        f.add(d.set(xor(d.get, a.get)));
        f.add(d.set(rotateRight(d.get, half === 0 ? 32 : 16)));
        f.add(c.set(add(c.get, d.get)));
        f.add(b.set(xor(b.get, c.get)));
        f.add(b.set(rotateRight(b.get, half === 0 ? 24 : 63)));
      }
      f.add(words.store(zero, third, c.get));
    }
    f.add(order.advance(16));
  });
}

/** The initial vector, then per lane count and round the offset of each word of the message. */
function table(): Uint8Array {
  const bytes = new Uint8Array(offsetsAt(3));
  bytes.set(wordsFromHex(INITIAL_VECTOR, 8));
  for (const lanes of [1, 2]) {
    for (let round = 0; round < ROUNDS; round++) {
      const order = Array.from(ORDERS[round % ORDERS.length] as string);
      const offsets = order.map((digit) => Number.parseInt(digit, 16) * 8 * lanes);
      bytes.set(offsets, offsetsAt(lanes) + round * 16);
    }
  }
  return bytes;
}
