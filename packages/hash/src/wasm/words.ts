import {
  type Binary,
  type Code,
  i32,
  i64,
  type Load,
  type Store,
  v128,
  ValueType,
} from "./instructions.ts";
import type { FunctionBuilder, Local } from "./module.ts";

/** A word and a count of bits. */
type Shift = (word: Code, count: number) => Code;

/**
 * Arithmetic on the words of a hash function, for one message or for several side by side: what is written over it once is
 * a scalar kernel and a vector kernel. In memory the same word of all lanes lies together.
 */
export interface Words {
  /** Type of a word, all lanes together. */
  readonly type: ValueType;
  /** Messages hashed at a time. */
  readonly lanes: number;
  /** Bytes in a word of one lane. */
  readonly wordSize: number;
  readonly load: Load;
  readonly store: Store;
  /** Reads a word of one lane and gives it to all. */
  readonly splat: Load;
  readonly add: Binary;
  readonly xor: Binary;
  readonly and: Binary;
  readonly or: Binary;
  /** The word is computed twice where there is no such instruction. */
  readonly rotateRight: Shift;
  /** From the bytes of a message, in their order, to a word, or back. The word may be computed twice. */
  readonly reorder: (word: Code) => Code;
  /**
   * Turns `lanes` rows, each of `lanes` words of one message, into as many words of all messages, or back.
   *
   * @param rows - overwritten
   */
  readonly transpose: (f: FunctionBuilder, rows: readonly Local[]) => void;
}

/** Big-endian words of 32 bits. */
export interface Words32 extends Words {
  /** Fills with zeros from the left. */
  readonly shiftRight: Shift;
}

/** Little-endian words of 64 bits. */
export interface Words64 extends Words {
  /** `left & ~right`. */
  readonly andNot: Binary;
  /** Gives a number to all lanes. */
  readonly spread: (value: Code) => Code;
}

/** One message of 32-bit words. */
export const scalar32: Words32 = {
  type: ValueType.i32,
  lanes: 1,
  wordSize: 4,
  load: i32.load,
  store: i32.store,
  splat: i32.load,
  add: i32.add,
  xor: i32.xor,
  and: i32.and,
  or: i32.or,
  rotateRight: (word, count) => i32.rotateRight(word, i32.const(count)),
  shiftRight: (word, count) => i32.shiftRight(word, i32.const(count)),
  reorder: (word) =>
    i32.or(
      i32.and(i32.rotateRight(word, i32.const(24)), i32.const(0x00ff00ff)),
      i32.and(i32.rotateRight(word, i32.const(8)), i32.const(0xff00ff00)),
    ),
  transpose: () => {},
};

/** One message of 64-bit words. */
export const scalar64: Words64 = {
  type: ValueType.i64,
  lanes: 1,
  wordSize: 8,
  load: i64.load,
  store: i64.store,
  splat: i64.load,
  spread: (value) => value,
  add: i64.add,
  xor: i64.xor,
  and: i64.and,
  or: i64.or,
  andNot: (left, right) => i64.and(left, i64.xor(right, i64.const(-1))),
  rotateRight: (word, count) => i64.rotateRight(word, i64.const(count)),
  reorder: (word) => word,
  transpose: () => {},
};

const vector = {
  type: ValueType.v128,
  load: v128.load,
  store: v128.store,
  and: v128.and,
  or: v128.or,
  xor: v128.xor,
};

/** Four messages of 32-bit words. */
export const vector32: Words32 = {
  ...vector,
  lanes: 4,
  wordSize: 4,
  splat: v128.load32Splat,
  add: v128.add32,
  rotateRight: (word, count) =>
    v128.or(
      v128.shiftRight32(word, i32.const(count)),
      v128.shiftLeft32(word, i32.const(32 - count)),
    ),
  shiftRight: (word, count) => v128.shiftRight32(word, i32.const(count)),
  reorder: (word) => permute(word, (i) => i ^ 3),
  transpose: (f, rows) => {
    const [a, b, c, d] = rows as [Local, Local, Local, Local];
    // Words of neighbouring rows in turns, then pairs of words: a0 b0 a1 b1 and so on.
    interleave(f, a, b, 4);
    interleave(f, c, d, 4);
    interleave(f, a, c, 8);
    interleave(f, b, d, 8);
    // The second and the third word have changed places.
    f.add([b.get, c.get, b.pop, c.pop]);
  },
};

/** Two messages of 64-bit words. */
export const vector64: Words64 = {
  ...vector,
  lanes: 2,
  wordSize: 8,
  splat: v128.load64Splat,
  spread: v128.splat64,
  add: v128.add64,
  andNot: v128.andNot,
  rotateRight: rotateRight64,
  reorder: (word) => word,
  transpose: (f, rows) => {
    const [a, b] = rows as [Local, Local];
    interleave(f, a, b, 8);
  },
};

/**
 * Moving bytes takes one instruction, shifting three. As `swizzle` with a constant, V8 keeps the constant in memory; a `shuffle` of
 * the same bytes builds it anew each time: 112 ns per BLAKE2b-256 of 72 bytes instead of 99.
 */
function rotateRight64(word: Code, count: number): Code {
  if (count % 8 === 0) return permute(word, (i) => (i & 8) | ((i + count / 8) & 7));
  const left =
    count === 63 ? v128.add64(word, word) : v128.shiftLeft64(word, i32.const(64 - count));
  return v128.or(v128.shiftRight64(word, i32.const(count)), left);
}

/** Byte i of the result is byte `source(i)` of the operand. */
function permute(word: Code, source: (i: number) => number): Code {
  return v128.swizzle(word, v128.const(Array.from({ length: 16 }, (_, i) => source(i))));
}

/** Units of `size` bytes of both rows in turns: the first half of them into `left`, the rest into `right`. */
function interleave(f: FunctionBuilder, left: Local, right: Local, size: number): void {
  const half = (from: number): Code => {
    const bytes = Array.from({ length: 16 }, (_, i) => {
      const unit = Math.floor(i / size);
      return from + Math.floor(unit / 2) * size + (i % size) + (unit % 2) * 16;
    });
    return v128.shuffle(left.get, right.get, bytes);
  };
  f.add([half(0), half(8), right.pop, left.pop]);
}
