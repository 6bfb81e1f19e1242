import type { Family } from "./family.ts";
import { generateKernel } from "./kernel-code.ts";
import {
  BYTES_BEFORE,
  COUNT_MAX,
  DIGEST_SIZE,
  INPUT,
  INPUT_SIZE,
  MIDDLE,
  OUTPUT,
  PAGES,
  PLAN,
  TABLE,
} from "./layout.ts";
import { type Plan, type Start, writeUint64 } from "./plan.ts";
import { concatBytes } from "../bytes.ts";
import { createMemory, instantiate } from "./web-assembly.ts";

/** What the modules of {@link generateKernel} export. */
interface ScalarExports {
  run(messages: number, size: number, count: number, blocks: number, digests: number): void;
  absorb(blocks: number): void;
}
type VectorExports = Pick<ScalarExports, "run">;

/**
 * The compiled kernels of one family with their memory, shared by all hashers that an engine makes of it. Between two calls
 * only the constants and the plan in memory mean something; calls are synchronous, so none meets another half-way.
 */
export class Kernel {
  readonly blockSize: number;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  readonly #scalar: ScalarExports;
  readonly #vector: VectorExports | undefined;
  readonly #lanes: number;
  /** The plan that lies in memory. */
  #loaded: Plan | undefined;

  /** @throws HashError HASH_WASM_UNAVAILABLE if the runtime refuses to compile */
  constructor({ compression, scalar, vector, table }: Family, simd: boolean) {
    const memory = createMemory(PAGES);
    this.blockSize = compression.blockSize;
    this.#bytes = new Uint8Array(memory.buffer);
    this.#view = new DataView(memory.buffer);
    this.#bytes.set(table(), TABLE);
    this.#bytes.fill(0xff, MIDDLE, MIDDLE + this.blockSize);
    this.#scalar = instantiate(generateKernel(compression, scalar), memory) as ScalarExports;
    this.#vector = simd
      ? (instantiate(generateKernel(compression, vector), memory) as VectorExports)
      : undefined;
    this.#lanes = vector.lanes;
  }

  /** Hashes one message of the plan's size. */
  hash(plan: Plan, message: Uint8Array): Uint8Array<ArrayBuffer> {
    this.#load(plan);
    this.#bytes.set(message, INPUT);
    this.#scalar.run(INPUT - plan.leftover, 0, 1, plan.blockCount, OUTPUT);
    return this.#bytes.slice(OUTPUT, OUTPUT + DIGEST_SIZE);
  }

  /** Hashes a checked pack of messages of the plan's size, which is at most INPUT_SIZE. */
  hashMany(
    plan: Plan,
    messages: Uint8Array,
    count: number,
    output: Uint8Array,
    outputOffset: number,
  ): void {
    const size = plan.messageSize;
    const countMax = size === 0 ? COUNT_MAX : Math.min(COUNT_MAX, Math.floor(INPUT_SIZE / size));
    this.#load(plan);
    for (let first = 0; first < count; first += countMax) {
      const some = Math.min(countMax, count - first);
      this.#bytes.set(messages.subarray(first * size, (first + some) * size), INPUT);
      this.#run(plan, some);
      const digests = this.#bytes.subarray(OUTPUT, OUTPUT + some * DIGEST_SIZE);
      output.set(digests, outputOffset + first * DIGEST_SIZE);
    }
  }

  /**
   * Absorbs bytes as far as they fill blocks.
   *
   * @param bytes - read, not kept
   * @param blockCount - blocks to absorb; `start.leftover` and `bytes` fill them
   */
  absorb(start: Start, bytes: Uint8Array, blockCount: number): Start {
    const { blockSize } = this;
    if (blockCount === 0) return { ...start, leftover: concatBytes([start.leftover, bytes]) };
    const blocksMax = Math.floor(INPUT_SIZE / blockSize);
    this.#loaded = undefined;
    this.#bytes.set(start.state, PLAN);
    // Positions in what is left over from before with `bytes` behind it.
    const { leftover } = start;
    for (let block = 0; block < blockCount; block += blocksMax) {
      const some = Math.min(blocksMax, blockCount - block);
      const begin = block * blockSize - leftover.length;
      const end = begin + some * blockSize;
      if (begin < 0) this.#bytes.set(leftover, INPUT);
      this.#bytes.set(bytes.subarray(Math.max(0, begin), end), INPUT + Math.max(0, -begin));
      writeUint64(this.#view, BYTES_BEFORE, start.byteCount + block * blockSize);
      this.#scalar.absorb(some);
    }
    return {
      state: this.#bytes.slice(PLAN, PLAN + start.state.length),
      byteCount: start.byteCount + blockCount * blockSize,
      leftover: bytes.slice(blockCount * blockSize - leftover.length),
    };
  }

  /** Hashes the `count` messages at INPUT into the digests at OUTPUT. */
  #run({ leftover, messageSize, blockCount }: Plan, count: number): void {
    // A vector takes as long for one message as for all its lanes, and two scalar hashes as long as a vector.
    const rest = count % this.#lanes;
    const single = this.#vector === undefined ? count : rest <= this.#lanes / 2 ? rest : 0;
    const wide = count - single;
    const messages = INPUT - leftover;
    if (wide > 0) this.#vector?.run(messages, messageSize, wide, blockCount, OUTPUT);
    if (single === 0) return;
    const begin = messages + wide * messageSize;
    this.#scalar.run(begin, messageSize, single, blockCount, OUTPUT + wide * DIGEST_SIZE);
  }

  #load(plan: Plan): void {
    if (this.#loaded === plan) return;
    this.#bytes.set(plan.bytes, PLAN);
    this.#loaded = plan;
  }
}
