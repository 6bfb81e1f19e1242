/**
 * How values of one type become bytes and back. A map has one for its keys and one for its values.
 *
 * A codec is strict: one value has one encoding, and `decode` refuses whatever `encode` would not have written.
 */
export interface Codec<T> {
  /**
   * Says what the bytes mean. It is stored with a map, which can only be opened again by codecs of the same names; two
   * codecs with one name read each other's bytes.
   */
  readonly name: string;
  /**
   * Fresh bytes, or bytes that nobody changes any more.
   *
   * @throws TypeError if the value is not of the codec's type
   * @throws RangeError if it is, but cannot be encoded
   */
  encode(value: T): Uint8Array;
  /**
   * Reads back what `encode` wrote. Does not keep or alias `bytes`.
   *
   * @throws VerMapError VERMAP_UNDECODABLE if `encode` would not have written these bytes
   */
  decode(bytes: Uint8Array): T;
}

/** A codec whose bytes are in the order of its values, as keys want it: a map walks its keys in the order of their bytes. */
export interface OrderedCodec<T> extends Codec<T> {
  /** Bytes of every encoding, where all have the same size. */
  readonly byteCount: number | undefined;
}
