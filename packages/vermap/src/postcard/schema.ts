import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { type Codec } from "../codec/codec.ts";

/**
 * How one type is written in postcard. Schemas are put together from schemas, so their depth is that of the program and
 * not of the input.
 */
export interface Schema<T> extends Codec<T> {
  /** The type in words, such as `option<u32>`; the codec's name is `postcard:` and this. */
  readonly shape: string;
  /** Bytes of the shortest encoding. */
  readonly byteCountMin: number;
  /** Whether values have an order, as keys of a {@link map} need. */
  readonly isOrdered: boolean;
  /** Order of values as Rust derives it: negative, zero or positive. */
  compare(a: T, b: T): number;
  /**
   * Appends a value.
   *
   * @throws TypeError if it is not of the type
   * @throws RangeError if it is, but cannot be encoded
   */
  write(value: T, writer: ByteWriter): void;
  /** Takes a value; throws VERMAP_UNDECODABLE. What it gives does not alias the reader's bytes. */
  read(reader: ByteReader): T;
}

/** A schema of any type, as an argument. */
export type AnySchema = Schema<unknown>;

/** The values of a schema. */
export type ValueOf<S> = S extends Schema<infer T> ? T : never;

/** What a schema is made of. */
export interface SchemaParts<T> {
  readonly shape: string;
  readonly byteCountMin: number;
  readonly write: (value: T, writer: ByteWriter) => void;
  readonly read: (reader: ByteReader) => T;
  /** Default: values have no order. */
  readonly compare?: ((a: T, b: T) => number) | undefined;
}

/** A schema with the codec that it makes. */
export function schemaOf<T>(parts: SchemaParts<T>): Schema<T> {
  const { shape, byteCountMin, write, read, compare } = parts;
  const name = `postcard:${shape}`;
  return {
    name,
    shape,
    byteCountMin,
    isOrdered: compare !== undefined,
    compare: compare ?? refuseToCompare,
    write,
    read,
    encode(value) {
      const writer = new ByteWriter();
      write(value, writer);
      return writer.finish();
    },
    decode(bytes) {
      const reader = new ByteReader(bytes, "VERMAP_UNDECODABLE", name);
      const value = read(reader);
      reader.end();
      return value;
    },
  };

  function refuseToCompare(): never {
    throw new TypeError(`${shape} has no order`);
  }
}
