import {
  type AsyncReader,
  hasSyncReads,
  type Reading,
  runAsync,
  runSync,
  type Store,
  type SyncReads,
} from "@x/store";

import { BTreeError } from "./errors.ts";
import { type StopSignal } from "./types.ts";

/** Runs readings over a store, with or without waiting. */
export class Reader {
  readonly #store: AsyncReader;
  readonly #syncStore: SyncReads | undefined;
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
    this.#syncStore = hasSyncReads(store) ? store : undefined;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** @throws BTreeError BTREE_CLOSED */
  assertOpen(): void {
    if (this.#isClosed) throw new BTreeError("BTREE_CLOSED", "the pool is closed");
  }

  async run<T>(reading: Reading<T>, signal?: StopSignal): Promise<T> {
    this.assertOpen();
    return runAsync(reading, this.#store, signal === undefined ? {} : { signal });
  }

  /** @throws TypeError if the store only reads asynchronously */
  runSync<T>(reading: Reading<T>): T {
    this.assertOpen();
    if (this.#syncStore === undefined)
      throw new TypeError("the store does not declare synchronous reads");
    return runSync(reading, this.#syncStore);
  }
}
