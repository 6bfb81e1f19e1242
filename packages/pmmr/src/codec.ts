/**
 * How elements become bytes. The stored form (the record in the data file) and the hash form (what follows the position
 * in the leaf hash) are separate, because real chains store one and hash another.
 *
 * @typeParam E - what is pushed
 * @typeParam S - what is read back; differs from `E` where the record holds less than what was hashed
 */
export interface ElementCodec<E, S = E> {
  /** Bytes per record (1…65535) where every record has the same size; absent for variable sizes (1…65535 each). */
  readonly recordSize?: number;
  /** Record in the data file. Fresh bytes, or bytes the caller may keep but not change. */
  store(element: E): Uint8Array;
  /** What is hashed after the position. */
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
