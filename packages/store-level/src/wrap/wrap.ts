import { StoreError } from "@x/store";

import { type Crc32, crc32 } from "@x/store/adapter";
import { readError } from "./database-errors.ts";
import { decodeFormat, encodeFormat, FORMAT_KEY, type FormatRecord } from "./format-record.ts";
import { type LevelDatabase, VIEWS } from "./level-database.ts";
import { LevelStore, SyncLevelStore } from "./level-store.ts";
import { unknownMedium } from "./medium.ts";

/** What every store over a database takes. */
export interface LevelStoreOptions {
  /**
   * Follow every value with a CRC-32 of key and value. Decided when the store is made: an existing one is read as it was
   * made. Default: true.
   */
  readonly checksums?: boolean;
  /**
   * The database belongs to another program: nothing of the store's own is read or written, values carry no checksum,
   * batches are not counted. Default: false.
   */
  readonly foreign?: boolean;
  /** Recorded when the store is made: milliseconds since 1970. Default: 0, for unknown; libraries here read no clock. */
  readonly createdMs?: number;
  /**
   * The store must hold at least so many batches: its owner knows. Finds a disk that lost what it had acknowledged, and
   * an older copy put in its place. Default: 0.
   */
  readonly sequenceMin?: number;
  /** Most iterators open at once. Default: 10,000. */
  readonly iteratorCountMax?: number;
}

/**
 * Makes a store of an abstract-level database (version 3), in any runtime. The database is opened, belongs to the store
 * from then on, and is closed with it. It must be empty, made by this package, or declared foreign.
 *
 * How durable a synced batch is, is the database's own doing: {@link open} of `@x/store-level` adds what LevelDB lacks.
 *
 * @throws StoreError STORE_INCOMPLETE if the database holds entries but is not a store
 * @throws StoreError STORE_FORMAT, STORE_CORRUPT, STORE_ROLLED_BACK, STORE_IO; the database is closed again
 */
export async function wrap(
  database: LevelDatabase,
  options: LevelStoreOptions = {},
): Promise<LevelStore> {
  const checked = checkOptions(options);
  try {
    await database.open();
    const format = checked.foreign
      ? await refuseOwn(database, crc32)
      : ((await readFormat(database, crc32)) ?? (await makeStore(database, checked, crc32)));
    checkSequence(format, checked);
    const parts = {
      database,
      format,
      medium: unknownMedium,
      crc32,
      copiesWrites: false,
      iteratorCountMax: options.iteratorCountMax,
    };
    return database.supports.getSync === true ? new SyncLevelStore(parts) : new LevelStore(parts);
  } catch (error) {
    await closeAfter(database, error);
    throw error instanceof RangeError ? error : readError(error);
  }
}

/** Options with their defaults. */
export type CheckedOptions = Required<Omit<LevelStoreOptions, "iteratorCountMax">>;

/** @throws RangeError if a number is not a count */
export function checkOptions(options: LevelStoreOptions): CheckedOptions {
  const { checksums = true, foreign = false, createdMs = 0, sequenceMin = 0 } = options;
  for (const [name, value] of Object.entries({ createdMs, sequenceMin }))
    if (!(Number.isSafeInteger(value) && value >= 0))
      throw new RangeError(`${name} is ${value}, not a count`);
  return { checksums, foreign, createdMs, sequenceMin };
}

/** What the database says about itself, if it does. */
export async function readFormat(
  database: LevelDatabase,
  crc: Crc32,
): Promise<FormatRecord | undefined> {
  const bytes = await database.get(FORMAT_KEY, VIEWS);
  return bytes === undefined ? undefined : decodeFormat(bytes, crc);
}

/** @throws StoreError STORE_FORMAT if a database that is said to be foreign is a store */
export async function refuseOwn(database: LevelDatabase, crc: Crc32): Promise<undefined> {
  if ((await readFormat(database, crc)) !== undefined)
    throw new StoreError(
      "STORE_FORMAT",
      "the database is a store of this package, not a foreign one",
    );
  return undefined;
}

/**
 * Makes an empty database a store.
 *
 * @throws StoreError STORE_INCOMPLETE if it is not empty
 */
export async function makeStore(
  database: LevelDatabase,
  { checksums, createdMs }: CheckedOptions,
  crc: Crc32,
): Promise<FormatRecord> {
  if (!(await isEmpty(database)))
    throw new StoreError("STORE_INCOMPLETE", "the database holds entries but no format record");
  const format = { checksums, createdMs, sequence: 0, durable: 0 };
  const put = { type: "put", key: FORMAT_KEY, value: encodeFormat(format, crc) } as const;
  await database.batch([put], { ...VIEWS, sync: true });
  return format;
}

/** @throws StoreError STORE_ROLLED_BACK */
export function checkSequence(
  format: FormatRecord | undefined,
  { sequenceMin }: CheckedOptions,
): void {
  const sequence = format?.sequence ?? 0;
  if (sequence < sequenceMin)
    throw new StoreError(
      "STORE_ROLLED_BACK",
      `the store holds ${sequence} batches, at least ${sequenceMin} were written`,
    );
}

/** Closes what was opened in vain; if that fails too, both errors are told. */
export async function closeAfter(database: LevelDatabase, error: unknown): Promise<void> {
  try {
    await database.close();
  } catch (closing) {
    throw new StoreError("STORE_IO", "opening failed, and so did closing again", {
      cause: new AggregateError([error, closing]),
    });
  }
}

async function isEmpty(database: LevelDatabase): Promise<boolean> {
  const iterator = database.iterator({ ...VIEWS, reverse: false, limit: 1 });
  try {
    return (await iterator.nextv(1)).length === 0;
  } finally {
    await iterator.close();
  }
}
