import { PmmrError } from "./errors.ts";

/** Most bytes in a record: its length is stored in 16 bits. */
export const RECORD_SIZE_MAX = 65_535;

/**
 * How elements become bytes. The stored form (the record in the data file) and the hash form (what follows the position
 * in the leaf hash) are separate, because real chains store one and hash another.
 *
 * What a codec throws reaches the caller of the write that used it, and nothing has been written then.
 *
 * `E` is what is pushed, `S` what is read back; they differ where the record holds less than what was hashed.
 */
export interface ElementCodec<E, S = E> {
  /** Bytes per record (1…65535) where every record has the same size; absent for variable sizes (1…65535 each). */
  readonly recordSize?: number;
  /** Record in the data file. Fresh bytes, or bytes the caller may keep but not change. */
  store(element: E): Uint8Array;
  /** What is hashed after the position. As for `store`: fresh, or not changed any more. */
  hashForm(element: E): Uint8Array;
  /** Reads a record back; refuses (throws) anything `store` would not have written. Must not alias `record`. */
  load(record: Uint8Array): S;
  /**
   * Bytes of the record that begins at `offset` of `bytes`, where records of variable size delimit themselves; `undefined`
   * when `bytes` ends before that can be told, so that more of them may help. May answer more than `bytes` holds. Throws when
   * no record can begin so. A codec without it (and without `recordSize`) cannot be read from a sequence of records: neither
   * from a segment, nor from a data file whose size file was lost.
   */
  recordSizeAt?(bytes: Uint8Array, offset: number): number | undefined;
  /** The hash form recomputed from a stored element, or `undefined` where the record does not determine it. */
  storedHashForm(element: S): Uint8Array | undefined;
}

/**
 * Elements that are bytes already: stored and hashed as they are.
 *
 * @param recordSize - bytes in every element, 1…65535; default: variable, 1…65535 each
 * @throws RangeError if `recordSize` is out of range
 */
export function bytesCodec(recordSize?: number): ElementCodec<Uint8Array, Uint8Array<ArrayBuffer>> {
  if (recordSize !== undefined) checkRecordSize(recordSize);
  const codec = {
    store: copyBytes,
    hashForm: copyBytes,
    load: copyBytes,
    storedHashForm: copyBytes,
  };
  return recordSize === undefined ? codec : { ...codec, recordSize };
}

function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("element must be a Uint8Array");
  return new Uint8Array(bytes);
}

/** @throws RangeError if no record can have this many bytes */
export function checkRecordSize(recordSize: number): void {
  if (!Number.isSafeInteger(recordSize) || recordSize < 1 || RECORD_SIZE_MAX < recordSize) {
    throw new RangeError(`record size must be 1 to ${RECORD_SIZE_MAX} bytes, got ${recordSize}`);
  }
}

/**
 * Refuses a record that the format cannot hold.
 *
 * @param recordSize - of the codec
 * @throws PmmrError PMMR_CAPACITY if the record is empty, above 65,535 bytes, or not of the codec's fixed size
 * @throws TypeError if it is not a Uint8Array
 */
export function checkRecord(record: Uint8Array, recordSize: number | undefined): void {
  if (!(record instanceof Uint8Array)) throw new TypeError("record must be a Uint8Array");
  const { length } = record;
  const fits = 1 <= length && length <= RECORD_SIZE_MAX;
  if (fits && (recordSize === undefined || length === recordSize)) return;
  const want = recordSize ?? `1 to ${RECORD_SIZE_MAX}`;
  throw new PmmrError("PMMR_CAPACITY", `record is ${length} bytes, want ${want}`);
}
