import { type Code, i32, select, ValueType } from "./instructions.ts";
import { type Compression, forEachWord } from "./compression.ts";
import {
  DIGEST_SIZE,
  FILL,
  FIRST,
  INPUT,
  LAST,
  MESSAGE,
  MIDDLE,
  PENULTIMATE,
  PLAN,
  STATE,
} from "./layout.ts";
import { call, encodeModule, FunctionBuilder, type Local } from "./module.ts";
import type { Words } from "./words.ts";

// Indexes of the functions in a module.
const GATHER = 0;
const COMPRESS = 1;
const RUN = 2;
const ABSORB = 3;

const { i32: address } = ValueType;
const zero = i32.const(0);

/**
 * Generates the kernel of a hash function for as many messages at a time as `words` has lanes. The module exports
 *
 * - `run(messages, messageSize, count, blocks, digests)`: hashes `count` messages, one or more, from address `messages`, each in
 *   `blocks` blocks by the plan, and writes their digests from address `digests`. The address is less by what the prefix
 *   has left for the first block.
 * - `absorb(blocks)`, with one lane: takes whole blocks, one or more, from INPUT into the state of the plan.
 *
 * A module stays below 4 KiB: the most that browsers compile at once on a page's main thread, if they have a limit.
 */
export function generateKernel<W extends Words>(
  compression: Compression<W>,
  words: W,
): Uint8Array<ArrayBuffer> {
  const functions = [
    gather(compression, words),
    compress(compression, words),
    run(compression, words),
  ];
  if (words.lanes > 1) return encodeModule(functions, { run: RUN });
  functions.push(absorb(compression, words));
  return encodeModule(functions, { run: RUN, absorb: ABSORB });
}

/** `gather(edge, …pointers)`: reads a block of each lane's message, masks and fills it, and stores its words. */
function gather({ blockSize }: Compression, words: Words): FunctionBuilder {
  const { lanes, wordSize } = words;
  const f = new FunctionBuilder([address, ...Array.from({ length: lanes }, () => address)]);
  const [edge, ...pointers] = f.inputs as [Local, ...Local[]];
  const rows = f.locals(words.type, lanes);
  const [target] = f.locals(address, 1) as [Local];
  const rowSize = lanes * wordSize;
  // A row may end behind the block, as Keccak's ninth with two words does; nobody uses that word.
  const rowCount = Math.ceil(blockSize / rowSize);
  f.repeatBelow(target, i32.const(rowCount * lanes * rowSize), () => {
    for (const [lane, row] of rows.entries()) {
      const pointer = pointers[lane] as Local;
      const masked = words.and(words.load(pointer.get, 0), words.load(edge.get, 0));
      f.add(row.set(words.or(masked, words.load(edge.get, FILL))));
      f.add(row.set(words.reorder(row.get)));
      f.add(pointer.advance(rowSize));
    }
    words.transpose(f, rows);
    for (const [i, row] of rows.entries()) {
      f.add(words.store(target.get, MESSAGE + i * rowSize, row.get));
    }
    f.add(edge.advance(rowSize));
    f.add(target.advance(lanes * rowSize));
  });
  return f;
}

/** `compress(block, isLast)`. */
function compress<W extends Words>(compression: Compression<W>, words: W): FunctionBuilder {
  const f = new FunctionBuilder([address, address]);
  const [block, isLast] = f.inputs as [Local, Local];
  compression.compress(f, words, block, isLast);
  return f;
}

function run({ blockSize, stateCount }: Compression, words: Words): FunctionBuilder {
  const { lanes, wordSize } = words;
  const f = new FunctionBuilder([address, address, address, address, address]);
  const inputs = f.inputs as [Local, Local, Local, Local, Local];
  const [messages, messageSize, count, blocks, digests] = inputs;
  const [first, block, isLast, offset] = f.locals(address, 4) as [Local, Local, Local, Local];
  const pointers = f.locals(address, lanes);
  const rows = f.locals(words.type, lanes);
  const rowSize = lanes * wordSize;
  f.repeatBelow(first, count.get, () => {
    point(f, pointers, { base: messages, step: messageSize.get, first, count });
    forEachWord(words, stateCount, (i, to) => {
      f.add(words.store(zero, STATE + to, words.splat(zero, PLAN + i * wordSize)));
    });
    f.add(block.set(zero));
    f.repeatBelow(block, blocks.get, () => {
      f.add(isLast.set(i32.equal(i32.add(block.get, i32.const(1)), blocks.get)));
      f.add(call(GATHER, edgeOf(block, blocks, isLast), ...pointers.map(({ get }) => get)));
      f.add(call(COMPRESS, block.get, isLast.get));
      for (const pointer of pointers) f.add(pointer.advance(blockSize));
      f.add(block.advance(1));
    });
    point(f, pointers, { base: digests, step: i32.const(DIGEST_SIZE), first, count });
    f.add(offset.set(zero));
    f.repeatBelow(offset, i32.const(DIGEST_SIZE * lanes), () => {
      for (const [i, row] of rows.entries()) {
        f.add(row.set(words.reorder(words.load(offset.get, STATE + i * rowSize))));
      }
      words.transpose(f, rows);
      for (const [lane, pointer] of pointers.entries()) {
        f.add(words.store(pointer.get, 0, (rows[lane] as Local).get));
        f.add(pointer.advance(rowSize));
      }
      f.add(offset.advance(rowSize * lanes));
    });
    f.add(first.advance(lanes));
  });
  return f;
}

/**
 * Points each lane at its item of `step` bytes, from number `first` on. A lane beyond the last item takes the last one too, with
 * the same result in the same place.
 */
function point(
  f: FunctionBuilder,
  pointers: readonly Local[],
  items: { base: Local; step: Code; first: Local; count: Local },
): void {
  const last = i32.subtract(items.count.get, i32.const(1));
  for (const [lane, pointer] of pointers.entries()) {
    f.add(pointer.set(i32.add(items.first.get, i32.const(lane))));
    const index = select(i32.lessThan(pointer.get, last), pointer.get, last);
    f.add(pointer.set(i32.add(items.base.get, i32.multiply(index, items.step))));
  }
}

/** Address of the mask and fill of a block. */
function edgeOf(block: Local, blocks: Local, isLast: Local): Code {
  const isPenultimate = i32.equal(i32.add(block.get, i32.const(2)), blocks.get);
  const early = select(block.get, i32.const(MIDDLE), i32.const(FIRST));
  const beforeLast = select(isPenultimate, i32.const(PENULTIMATE), early);
  return select(isLast.get, i32.const(LAST), beforeLast);
}

function absorb({ blockSize, stateCount }: Compression, words: Words): FunctionBuilder {
  const f = new FunctionBuilder([address]);
  const [blocks] = f.inputs as [Local];
  const [block, pointer, isLast] = f.locals(address, 3) as [Local, Local, Local];
  const copyState = (from: number, to: number): void => {
    for (let i = 0; i < stateCount; i++) {
      const offset = i * words.wordSize;
      f.add(words.store(zero, to + offset, words.load(zero, from + offset)));
    }
  };
  copyState(PLAN, STATE);
  f.add(pointer.set(i32.const(INPUT)));
  f.repeatBelow(block, blocks.get, () => {
    f.add(call(GATHER, i32.const(MIDDLE), pointer.get));
    f.add(call(COMPRESS, block.get, isLast.get));
    f.add(pointer.advance(blockSize));
    f.add(block.advance(1));
  });
  copyState(STATE, PLAN);
  return f;
}
