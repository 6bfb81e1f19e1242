import type { Hash } from "@noble/hashes/utils.js";
import type { Hasher } from "../hasher.ts";
import { checkPack } from "../pack.ts";

/**
 * A hasher over one of noble's hash objects.
 *
 * `#initial` is the state after the prefix and never changes. Each message starts by copying it into `#work`, which is
 * overwritten from end to end, so a message that was refused half-way leaves no trace. One object per hasher instead of
 * one per message: small messages take from a fourteenth (SHA3) to a third (SHA-256) less time than through noble's own
 * functions (`npm run bench -- hash`, "@noble/hashes").
 */
export class PortableHasher<State extends Hash<State>> implements Hasher {
  readonly name: string;
  readonly outputSize: number;
  readonly #initial: State;
  readonly #work: State;
  /** Digests of a pack pass through here: BLAKE2 writes only to offsets that are multiples of four. */
  readonly #digest: Uint8Array<ArrayBuffer>;

  /**
   * @param name - the algorithm's name
   * @param state - a fresh state; taken over
   * @param prefix - absorbed once, not kept
   */
  constructor(name: string, state: State, prefix: Uint8Array) {
    this.name = name;
    this.outputSize = state.outputLen;
    this.#initial = state.update(prefix);
    this.#work = state.clone();
    this.#digest = new Uint8Array(state.outputLen);
  }

  hash(message: Uint8Array): Uint8Array<ArrayBuffer> {
    const digest = new Uint8Array(this.outputSize);
    restart(this.#initial, this.#work).update(message).digestInto(digest);
    return digest;
  }

  hashMany(
    messages: Uint8Array,
    messageSize: number,
    count: number,
    output: Uint8Array,
    outputOffset = 0,
  ): void {
    const size = this.outputSize;
    checkPack(messages, messageSize, count, output, outputOffset, size);
    const initial = this.#initial;
    const work = this.#work;
    const digest = this.#digest;
    for (let i = 0; i < count; i++) {
      const offset = i * messageSize;
      restart(initial, work).update(messages.subarray(offset, offset + messageSize));
      work.digestInto(digest);
      output.set(digest, outputOffset + i * size);
    }
  }
}

/** Makes `work` equal to `initial` without allocating another state. */
function restart<State extends Hash<State>>(initial: State, work: State): State {
  // oxlint-disable-next-line no-underscore-dangle -- the one documented way to reuse a state of @noble/hashes
  return initial._cloneInto(work);
}
