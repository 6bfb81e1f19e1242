import { type OrderedCodec } from "./codec.ts";
import { decodeText, encodeText } from "./text.ts";

/** Byte strings as they are, in the order of unsigned bytes, a shorter one before its extensions. */
export const bytes: OrderedCodec<Uint8Array> = {
  name: "bytes",
  byteCount: undefined,
  encode: copyBytes,
  decode: copyBytes,
};

/** Strings as UTF-8, in the order of code points. A lone surrogate is a RangeError. */
export const utf8: OrderedCodec<string> = {
  name: "utf8",
  byteCount: undefined,
  encode: encodeText,
  decode: decodeText,
};

/** A copy, whatever subclass of `Uint8Array` the argument is. */
function copyBytes(value: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array)) throw new TypeError(`want a Uint8Array, got ${typeof value}`);
  return new Uint8Array(value);
}
