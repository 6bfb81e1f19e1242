/**
 * An algorithm that reads without waiting: it yields the keys it needs next, many at once, and is given their values,
 * `undefined` where there is none. What it is given are views: read, not changed, not handed out.
 *
 * Written once, it runs over synchronous and asynchronous stores, and in a test over nothing at all.
 */
export type Reading<T> = Generator<readonly Uint8Array[], T, readonly (Uint8Array | undefined)[]>;

/** What {@link runSync} needs of a store. */
export interface SyncReader {
  viewManySync(keys: readonly Uint8Array[]): readonly (Uint8Array | undefined)[];
}

/** What {@link runAsync} needs of a store. */
export interface AsyncReader {
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
}

/** What asks a long reading to stop. An `AbortSignal` is one; it is read, never subscribed to. */
export interface StopSignal {
  readonly aborted: boolean;
  readonly reason?: unknown;
}

/** See {@link runAsync}. */
export interface RunOptions {
  /** Looked at before each read; once aborted, its reason is thrown into the reading. Default: never. */
  readonly signal?: StopSignal;
}

/**
 * Runs a reading over synchronous reads, one call per step.
 *
 * What a read throws is thrown into the reading, so that its `finally` blocks run; what the reading throws comes out.
 */
export function runSync<T>(reading: Reading<T>, store: SyncReader): T {
  let step = reading.next([]);
  while (step.done !== true) {
    let values: readonly (Uint8Array | undefined)[] = [];
    try {
      if (step.value.length > 0) values = store.viewManySync(step.value);
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    step = reading.next(values);
  }
  return step.value;
}

/** Runs a reading over asynchronous reads, one `getMany` per step. Errors as {@link runSync}. */
export async function runAsync<T>(
  reading: Reading<T>,
  store: AsyncReader,
  options: RunOptions = {},
): Promise<T> {
  let step = reading.next([]);
  while (step.done !== true) {
    let values: readonly (Uint8Array | undefined)[] = [];
    try {
      if (options.signal?.aborted === true) throw options.signal.reason;
      if (step.value.length > 0) values = await store.getMany(step.value);
    } catch (error) {
      step = reading.throw(error);
      continue;
    }
    step = reading.next(values);
  }
  return step.value;
}

/**
 * Runs many readings in step: the keys all of them need next are one read. N walks down a tree cost as many reads as
 * the deepest of them.
 *
 * @yields the keys of all readings that have not ended, in their order
 * @returns what the readings returned, in their order
 * @throws what one of them throws; the others are ended by `return`
 */
export function* together<T>(readings: readonly Reading<T>[]): Reading<T[]> {
  const results = new Map<number, T>();
  let waiting: Waiting<T>[] = [];
  try {
    for (const [index, reading] of readings.entries()) advance({ index, reading, keys: [] }, []);
    while (waiting.length > 0) {
      const asked = waiting;
      const values = yield asked.flatMap((one) => one.keys);
      waiting = [];
      let offset = 0;
      for (const one of asked) {
        advance(one, values.slice(offset, offset + one.keys.length));
        offset += one.keys.length;
      }
    }
  } finally {
    // Only an error or an early return leaves readings that have not ended.
    if (results.size < readings.length) for (const reading of readings) endReading(reading);
  }
  return readings.map((_, index) => results.get(index) as T);

  function advance(one: Waiting<T>, values: readonly (Uint8Array | undefined)[]): void {
    const step = one.reading.next(values);
    if (step.done === true) results.set(one.index, step.value);
    else waiting.push({ ...one, keys: step.value });
  }
}

interface Waiting<T> {
  readonly index: number;
  readonly reading: Reading<T>;
  readonly keys: readonly Uint8Array[];
}

/** `return` wants a result even from a generator that has ended; its type is of no concern here. */
function endReading(reading: Generator<unknown, unknown, never>): void {
  reading.return(undefined);
}
