import { checkBytes } from "../bytes.ts";
import type { Hasher } from "../hasher.ts";
import { checkPack } from "../pack.ts";
import type { Kernel } from "./kernel.ts";
import { DIGEST_SIZE, INPUT_SIZE } from "./layout.ts";
import { createPlan, type Padding, type Plan, type Start } from "./plan.ts";

/** Plans that a hasher keeps, one per size modulo this: a tree hashes messages of two or three sizes in turns. */
const PLAN_COUNT = 8;

/** A hasher over kernels that it shares with others of its engine. */
export class KernelHasher implements Hasher {
  readonly name: string;
  readonly outputSize: number = DIGEST_SIZE;
  readonly #kernel: Kernel;
  readonly #padding: Padding;
  /** After the prefix. */
  readonly #start: Start;
  /** The same for an empty message, where the prefix's last block must not be absorbed as if more would follow. */
  readonly #startOfEmpty: Start;
  readonly #plans: (Plan | undefined)[] = Array.from({ length: PLAN_COUNT }, () => undefined);

  /**
   * @param fresh - before the first byte
   * @param prefix - absorbed once; what does not fill a block is copied
   */
  constructor(name: string, kernel: Kernel, padding: Padding, fresh: Start, prefix: Uint8Array) {
    const { blockSize } = kernel;
    const blockCount = Math.floor(prefix.length / blockSize);
    this.name = name;
    this.#kernel = kernel;
    this.#padding = padding;
    this.#start = kernel.absorb(fresh, prefix, blockCount);
    const needsLastBlock = padding.sizeMin === 0 && blockCount * blockSize === prefix.length;
    this.#startOfEmpty =
      needsLastBlock && blockCount > 0 ? kernel.absorb(fresh, prefix, blockCount - 1) : this.#start;
  }

  hash(message: Uint8Array): Uint8Array<ArrayBuffer> {
    checkBytes(message, "message");
    if (message.length > INPUT_SIZE) return this.#hashLong(message);
    return this.#kernel.hash(this.#plan(message.length), message);
  }

  hashMany(
    messages: Uint8Array,
    messageSize: number,
    count: number,
    output: Uint8Array,
    outputOffset = 0,
  ): void {
    checkPack(messages, messageSize, count, output, outputOffset, DIGEST_SIZE);
    if (messageSize <= INPUT_SIZE) {
      this.#kernel.hashMany(this.#plan(messageSize), messages, count, output, outputOffset);
      return;
    }
    for (let i = 0; i < count; i++) {
      const message = messages.subarray(i * messageSize, (i + 1) * messageSize);
      output.set(this.#hashLong(message), outputOffset + i * DIGEST_SIZE);
    }
  }

  /** Absorbs all blocks but those that hold the last byte and the padding, which are hashed like a short message. */
  #hashLong(message: Uint8Array): Uint8Array<ArrayBuffer> {
    const { blockSize } = this.#kernel;
    const last = message.length - 1;
    const blockCount = Math.floor((this.#start.leftover.length + last) / blockSize);
    const start = this.#kernel.absorb(this.#start, message.subarray(0, last), blockCount);
    const plan = createPlan(start, 1, blockSize, this.#padding);
    return this.#kernel.hash(plan, message.subarray(last));
  }

  #plan(messageSize: number): Plan {
    const slot = messageSize % PLAN_COUNT;
    const known = this.#plans[slot];
    if (known?.messageSize === messageSize) return known;
    const start = messageSize === 0 ? this.#startOfEmpty : this.#start;
    const plan = createPlan(start, messageSize, this.#kernel.blockSize, this.#padding);
    this.#plans[slot] = plan;
    return plan;
  }
}
