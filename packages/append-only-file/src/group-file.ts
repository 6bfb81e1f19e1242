/** One append file of a group. Offsets and sizes are in bytes; reads see everything appended, committed or not. */
export interface GroupFile {
  readonly name: string;
  /** What the file holds now, pending changes included. */
  readonly size: number;
  /** What it held at the last `commit` call that was not rejected. */
  readonly committedSize: number;
  /**
   * Fresh, exactly `length` bytes.
   *
   * @throws AofError `AOF_OUT_OF_RANGE` beyond `size`; `AOF_TRUNCATED` when the file is shorter than what was committed;
   *   `AOF_IO` when reading failed (nothing is cached, the group stays usable)
   */
  read(at: number, length: number): Uint8Array<ArrayBuffer>;
  /** As {@link GroupFile.read}, into all of `into`. */
  readInto(at: number, into: Uint8Array): void;
  /** Adds bytes at the end, in memory until `commit`; `bytes` is copied. */
  append(bytes: Uint8Array): void;
  /** Goes back to `size` bytes, in memory until `commit`; any number of times, mixed with appends. */
  rewind(size: number): void;
}
