/**
 * What lies under a database, as far as the store takes care of it besides the database itself. Every call happens in
 * the queue of writes: one at a time. What it throws poisons the store.
 */
export interface Medium {
  /** Makes everything written so far durable. */
  barrier(): Promise<void>;
  /**
   * After a write, before it is acknowledged.
   *
   * @param byteCount - bytes of its keys and values
   * @param entryCount - operations
   * @param sync - whether it was to be durable
   */
  written(byteCount: number, entryCount: number, sync: boolean): Promise<void>;
  /** Before the database is closed; all is durable. Not called where the store is poisoned. */
  closing(sequence: number): Promise<void>;
}

/** Nothing is known of what lies under a database that was wrapped. */
export const unknownMedium: Medium = {
  barrier: () => Promise.resolve(),
  written: () => Promise.resolve(),
  closing: () => Promise.resolve(),
};
