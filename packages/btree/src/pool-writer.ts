import { type BatchOptions, type Operation, type Store } from "@x/store";
import { sameBytes } from "@x/store/adapter";

import { BTreeError } from "./errors.ts";
import { type PoolState } from "./pool-state.ts";
import { type Reader } from "./reader.ts";
import { Stage, type StageRequest } from "./stage.ts";
import {
  type StagedWrite,
  type StopSignal,
  type WriteOptions,
  type WriteStatistics,
} from "./types.ts";

/** Codes of a store with which nothing was written and everything can go on. */
const REFUSALS: ReadonlySet<string> = new Set([
  "STORE_CONFLICT",
  "STORE_POISONED",
  "STORE_CLOSED",
  "STORE_FULL",
]);

/** Writes staged batches, one after another. After a failure with an unknown outcome it writes nothing more. */
export class PoolWriter {
  readonly #store: Store;
  readonly #reader: Reader;
  readonly #state: PoolState;
  #last: Promise<unknown> = Promise.resolve();
  #isStaged = false;
  #failure: unknown;

  constructor(store: Store, reader: Reader, state: PoolState) {
    this.#store = store;
    this.#reader = reader;
    this.#state = state;
  }

  get isPoisoned(): boolean {
    return this.#failure !== undefined;
  }

  /** Resolves when every write that was called before has ended. */
  async idle(): Promise<void> {
    await this.#last;
  }

  /** Waits for its turn, so requests are worked out one after another, each on what the one before left. */
  write(request: () => StageRequest & WriteOptions): Promise<WriteStatistics> {
    return this.alone(() => this.#write(request()));
  }

  /** Runs a call when every write before it has ended, and lets none begin until it has. */
  alone<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#last.then(call);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** A staged write, which is decided by `accept` or `reject`; only one at a time. */
  async stage(request: StageRequest, signal?: StopSignal): Promise<StagedWrite> {
    this.assertWritable();
    if (this.#isStaged) throw new TypeError("another write is staged and not yet decided");
    this.#isStaged = true;
    try {
      const staged = await this.#reader.run(new Stage(this.#state).run(request), signal);
      return {
        ...staged,
        accept: () => this.#decide(() => staged.accept()),
        reject: () => this.#decide(() => staged.reject()),
      };
    } catch (error) {
      this.#isStaged = false;
      throw error;
    }
  }

  /** Writes what changes neither the pool's record nor any tree. Errors as `NodePool.write`. */
  mend(operations: readonly Operation[]): Promise<void> {
    const { source, record } = this.#state;
    return this.#batch(operations, { expect: [{ key: source.keys.pool(), value: record }] });
  }

  assertWritable(): void {
    this.#reader.assertOpen();
    if (this.#failure !== undefined)
      throw new BTreeError("BTREE_POISONED", "an earlier write failed; open the pool again", {
        cause: this.#failure,
      });
  }

  async #write(request: StageRequest & WriteOptions): Promise<WriteStatistics> {
    const { operations = [], expect = [], sync = true } = request;
    const staged = await this.stage(request);
    try {
      await this.#batch([...staged.operations, ...operations], {
        sync,
        expect: [...staged.expect, ...expect],
      });
    } catch (error) {
      staged.reject();
      throw error;
    }
    staged.accept();
    return staged.statistics;
  }

  /** @param options - the expectation of the pool's own record stands first */
  async #batch(operations: readonly Operation[], options: BatchOptions): Promise<void> {
    try {
      await this.#store.batch(operations, options);
    } catch (error) {
      throw this.#judged(error, (options.expect?.length ?? 0) > 1);
    }
  }

  #decide(outcome: () => void): void {
    if (!this.#isStaged) throw new TypeError("this write was decided already");
    this.#isStaged = false;
    outcome();
  }

  /** What a failed batch means for the pool, and the error to throw. */
  #judged(error: unknown, hasExpectations: boolean): unknown {
    const code = fieldOf(error, "code");
    if (code === "STORE_CONFLICT") {
      const key = fieldOf(error, "key");
      const isOurs =
        key instanceof Uint8Array
          ? sameBytes(key, this.#state.source.keys.pool())
          : !hasExpectations;
      if (!isOurs) return error;
      this.#failure = error;
      return new BTreeError(
        "BTREE_CONFLICT",
        "another writer has changed the pool; open it again",
        {
          cause: error,
        },
      );
    }
    if (!(error instanceof TypeError) && !REFUSALS.has(String(code))) this.#failure = error;
    return error;
  }
}

function fieldOf(error: unknown, name: "code" | "key"): unknown {
  return typeof error === "object" && error !== null
    ? (error as { code?: unknown; key?: unknown })[name]
    : undefined;
}
