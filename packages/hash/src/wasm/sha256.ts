import { forEachWord } from "./compression.ts";
import { type KernelAlgorithm, wordsFromHex } from "./family.ts";
import { type Code, i32, ValueType } from "./instructions.ts";
import { IS_LAST_CONSTANT, MESSAGE, SCHEDULE, STATE, TABLE } from "./layout.ts";
import type { FunctionBuilder, Local } from "./module.ts";
import { scalar32, vector32, type Words32 } from "./words.ts";

const ROUNDS = 64;
/** Words of the schedule that are made in one turn of its loop, and rounds in one turn of theirs. */
const [WORDS_PER_TURN, ROUNDS_PER_TURN] = [4, 8];
const zero = i32.const(0);

/** FIPS 180-4, 4.2.2: K, from the cube roots of the first 64 primes. */
const CONSTANTS = `
  428a2f98 71374491 b5c0fbcf e9b5dba5 3956c25b 59f111f1 923f82a4 ab1c5ed5
  d807aa98 12835b01 243185be 550c7dc3 72be5d74 80deb1fe 9bdc06a7 c19bf174
  e49b69c1 efbe4786 0fc19dc6 240ca1cc 2de92c6f 4a7484aa 5cb0a9dc 76f988da
  983e5152 a831c66d b00327c8 bf597fc7 c6e00bf3 d5a79147 06ca6351 14292967
  27b70a85 2e1b2138 4d2c6dfc 53380d13 650a7354 766a0abb 81c2c92e 92722c85
  a2bfe8a1 a81a664b c24b8b70 c76c51a3 d192e819 d6990624 f40e3585 106aa070
  19a4c116 1e376c08 2748774c 34b0bcb5 391c0cb3 4ed8aa4a 5b9cca4f 682e6ff3
  748f82ee 78a5636f 84c87814 8cc70208 90befffa a4506ceb bef9a3f7 c67178f2`;
/** FIPS 180-4, 5.3.3: from the square roots of the first eight primes. */
const INITIAL_STATE = "6a09e667 bb67ae85 3c6ef372 a54ff53a 510e527f 9b05688c 1f83d9ab 5be0cd19";

/** SHA-256, FIPS 180-4. */
export const sha256Kernel: KernelAlgorithm = {
  family: {
    compression: { blockSize: 64, stateCount: 8, compress },
    scalar: scalar32,
    vector: vector32,
    table: () => wordsFromHex(CONSTANTS, 4),
  },
  initialState: () => wordsFromHex(INITIAL_STATE, 4),
  padding: {
    sizeMin: 9,
    marker: 0x80,
    close: (block, byteCount) => {
      const view = new DataView(block.buffer, block.byteOffset, block.length);
      view.setUint32(56, Math.floor(byteCount / 2 ** 29));
      view.setUint32(60, byteCount << 3);
    },
    expand: expandBlock,
  },
};

/** FIPS 180-4, 6.2: the message schedule, then 64 rounds. Constants K lie at TABLE. */
function compress(f: FunctionBuilder, words: Words32, _block: Local, isLast: Local): void {
  const [isConstant] = f.locals(ValueType.i32, 1) as [Local];
  f.add(isConstant.set(i32.and(isLast.get, i32.load(zero, IS_LAST_CONSTANT))));
  f.when(isConstant.get, () => copySchedule(f, words));
  f.when(i32.equal(isConstant.get, zero), () => expandMessage(f, words));
  const state = f.locals(words.type, 8);
  forEachWord(words, 8, (i, offset) => {
    f.add((state[i] as Local).set(words.load(zero, STATE + offset)));
  });
  rounds(f, words, state);
  forEachWord(words, 8, (i, offset) => {
    const sum = words.add((state[i] as Local).get, words.load(zero, STATE + offset));
    f.add(words.store(zero, STATE + offset, sum));
  });
}

/** Takes all 64 words from the plan. */
function copySchedule(f: FunctionBuilder, words: Words32): void {
  const [source, target] = f.locals(ValueType.i32, 2) as [Local, Local];
  f.repeatBelow(source, i32.const(4 * ROUNDS), () => {
    f.add(words.store(target.get, MESSAGE, words.splat(source.get, SCHEDULE)));
    f.add(source.advance(4));
    f.add(target.advance(words.lanes * words.wordSize));
  });
}

/** Makes words 16 to 63 of the first 16. */
function expandMessage(f: FunctionBuilder, words: Words32): void {
  const { add, xor, rotateRight, shiftRight } = words;
  const size = words.lanes * words.wordSize;
  const [target] = f.locals(ValueType.i32, 1) as [Local];
  const [early, late] = f.locals(words.type, 2) as [Local, Local];
  f.repeatBelow(target, i32.const(size * (ROUNDS - 16)), () => {
    for (let i = 0; i < WORDS_PER_TURN; i++) {
      const word = (ahead: number): Code => words.load(target.get, MESSAGE + (i + ahead) * size);
      f.add(early.set(word(1)));
      f.add(late.set(word(14)));
      const sigma0 = xor(
        xor(rotateRight(early.get, 7), rotateRight(early.get, 18)),
        shiftRight(early.get, 3),
      );
      const sigma1 = xor(
        xor(rotateRight(late.get, 17), rotateRight(late.get, 19)),
        shiftRight(late.get, 10),
      );
      const sum = add(add(word(0), sigma0), add(word(9), sigma1));
      f.add(words.store(target.get, MESSAGE + (i + 16) * size, sum));
    }
    f.add(target.advance(WORDS_PER_TURN * size));
  });
}

type Eight = [Local, Local, Local, Local, Local, Local, Local, Local];

function rounds(f: FunctionBuilder, words: Words32, state: readonly Local[]): void {
  const { add, and, xor, rotateRight } = words;
  const size = words.lanes * words.wordSize;
  const [constant, word] = f.locals(ValueType.i32, 2) as [Local, Local];
  const [t] = f.locals(words.type, 1) as [Local];
  const sumOfRotations = (x: Local, counts: readonly number[]): Code =>
    counts.map((count) => rotateRight(x.get, count)).reduce(xor);
  f.repeatBelow(constant, i32.const(4 * ROUNDS), () => {
    // Instead of moving each variable to the next, the names move; after eight rounds they are back.
    let [a, b, c, d, e, f_, g, h] = state as Eight;
    for (let i = 0; i < ROUNDS_PER_TURN; i++) {
      const choice = xor(g.get, and(e.get, xor(f_.get, g.get)));
      const majority = xor(b.get, and(xor(a.get, b.get), xor(b.get, c.get)));
      const input = add(
        words.load(word.get, MESSAGE + i * size),
        words.splat(constant.get, TABLE + 4 * i),
      );
      f.add(t.set(add(add(add(h.get, input), choice), sumOfRotations(e, [6, 11, 25]))));
      f.add(d.set(add(d.get, t.get)));
      f.add(h.set(add(add(t.get, majority), sumOfRotations(a, [2, 13, 22]))));
      [a, b, c, d, e, f_, g, h] = [h, a, b, c, d, e, f_, g];
    }
    f.add(constant.advance(4 * ROUNDS_PER_TURN));
    f.add(word.advance(size * ROUNDS_PER_TURN));
  });
}

/** The 64 words of one block: what {@link expandMessage} does, for a block that is the same in all messages. */
function expandBlock(block: Uint8Array): Uint32Array {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const words = new Uint32Array(ROUNDS);
  const at = (i: number): number => words[i] as number;
  for (let i = 0; i < 16; i++) words[i] = view.getUint32(4 * i);
  for (let i = 16; i < ROUNDS; i++) {
    const [early, late] = [at(i - 15), at(i - 2)];
    const sigma0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const sigma1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    words[i] = at(i - 16) + sigma0 + at(i - 7) + sigma1;
  }
  return words;
}

function rotate(word: number, count: number): number {
  return (word >>> count) | (word << (32 - count));
}
