import { forEachWord } from "./compression.ts";
import type { Family, KernelAlgorithm } from "./family.ts";
import { i32, ValueType } from "./instructions.ts";
import { MESSAGE, STATE, TABLE } from "./layout.ts";
import type { FunctionBuilder, Local } from "./module.ts";
import { scalar64, vector64, type Words64 } from "./words.ts";

const ROUNDS = 24;
/** Words of the state that take a block: 136 bytes, for a digest of 32. */
const RATE_COUNT = 17;
const FIVE = [0, 1, 2, 3, 4];
const zero = i32.const(0);

function sponge(marker: number): KernelAlgorithm {
  return {
    family: keccakFamily,
    initialState: () => new Uint8Array(200),
    padding: {
      sizeMin: 1,
      marker,
      close: (block) => {
        const last = block.length - 1;
        block[last] = (block[last] as number) | 0x80;
      },
    },
  };
}

/** FIPS 202, 3: the sponge over Keccak-f[1600]. Round constants lie at TABLE; word (x, y) of the state is number x + 5y. */
function compress(f: FunctionBuilder, words: Words64): void {
  const state = f.locals(words.type, 25);
  forEachWord(words, 25, (i, offset) => {
    const word = words.load(zero, STATE + offset);
    const input = words.load(zero, MESSAGE + offset);
    f.add((state[i] as Local).set(i < RATE_COUNT ? words.xor(word, input) : word));
  });
  permute(f, words, state);
  forEachWord(words, 25, (i, offset) => {
    f.add(words.store(zero, STATE + offset, (state[i] as Local).get));
  });
}

const keccakFamily: Family<Words64> = {
  compression: { blockSize: 8 * RATE_COUNT, stateCount: 25, compress },
  scalar: scalar64,
  vector: vector64,
  table,
};

/** SHA3-256, FIPS 202, 6.1. */
export const sha3_256Kernel: KernelAlgorithm = sponge(0x06);
/** Keccak-256: the padding of the submission, without the two bits that FIPS 202 puts before it. */
export const keccak256Kernel: KernelAlgorithm = sponge(0x01);

function permute(f: FunctionBuilder, words: Words64, state: readonly Local[]): void {
  const { andNot, rotateRight, xor } = words;
  const at = (x: number, y: number): Local => state[(x % 5) + 5 * (y % 5)] as Local;
  const parities = f.locals(words.type, 5);
  const parity = (x: number): Local => parities[x % 5] as Local;
  const [moving, effect] = f.locals(words.type, 2) as [Local, Local];
  const [constant] = f.locals(ValueType.i32, 1) as [Local];
  f.repeatBelow(constant, i32.const(8 * ROUNDS), () => {
    // Theta: each column takes the parities of two neighbours.
    for (const x of FIVE) f.add(parity(x).set(FIVE.map((y) => at(x, y).get).reduce(xor)));
    for (const x of FIVE) {
      f.add(effect.set(xor(parity(x + 4).get, rotateRight(parity(x + 1).get, 63))));
      for (const y of FIVE) f.add(at(x, y).set(xor(at(x, y).get, effect.get)));
    }
    // Rho and pi: all words but the first move along one cycle, each rotated by its own count.
    f.add(moving.set(at(1, 0).get));
    let [x, y] = [1, 0];
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const count = ((t + 1) * (t + 2)) / 2;
      // The word that is displaced waits on the stack.
      f.add([at(x, y).get, rotateRight(moving.get, 64 - (count % 64)), at(x, y).pop]);
      f.add(moving.pop);
    }
    // Chi: row by row, from the words as they were.
    for (const row of FIVE) {
      for (const i of [0, 1]) f.add(parity(i).set(at(i, row).get));
      for (const i of FIVE) {
        const next = i + 1 < 5 ? at(i + 1, row) : parity(0);
        const afterNext = i + 2 < 5 ? at(i + 2, row) : parity((i + 2) % 5);
        f.add(at(i, row).set(xor(at(i, row).get, andNot(afterNext.get, next.get))));
      }
    }
    f.add(at(0, 0).set(xor(at(0, 0).get, words.splat(constant.get, TABLE))));
    f.add(constant.advance(8));
  });
}

/** The round constants, made by the shift register of FIPS 202, 3.2.5. */
function table(): Uint8Array {
  const bytes = new Uint8Array(8 * ROUNDS);
  let register = 1;
  for (let round = 0; round < ROUNDS; round++) {
    // Bit j of the register's output lands on bit 2^j - 1 of the constant.
    for (let j = 0; j <= 6; j++) {
      const bit = 2 ** j - 1;
      const index = 8 * round + Math.floor(bit / 8);
      if ((register & 1) === 1) bytes[index] = (bytes[index] as number) | (1 << (bit % 8));
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
  }
  return bytes;
}
