import { copyBytes } from "@x/store/adapter";

// The encoders of the web, which every runtime has; types for the two calls made of them.
declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
declare const TextDecoder: new (
  label: string,
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

/** How a caller's keys or values become the bytes a tree keeps, and back; the shape of abstract-level's encodings. */
export interface Codec<T> {
  /** The bytes of a value: fresh, or never changed afterwards. What it throws goes through to the caller. */
  encode(value: T): Uint8Array;
  /** The value back. The bytes are its own: fresh, and nobody else's. */
  decode(bytes: Uint8Array<ArrayBuffer>): T;
}

/** Bytes as they are, copied. The default. */
export const bytesCodec: Codec<Uint8Array> = {
  encode(value) {
    if (!(value instanceof Uint8Array)) throw new TypeError("a key or value is not bytes");
    return copyBytes(value);
  },
  decode: (bytes) => bytes,
};

/** Text as UTF-8. Text with lone surrogates has no UTF-8 and is refused, as are bytes that are not UTF-8. */
export const utf8Codec: Codec<string> = {
  encode(value) {
    if (typeof value !== "string") throw new TypeError("a key or value is not a text");
    if (hasLoneSurrogate(value)) throw new TypeError("a text has a lone surrogate");
    return new TextEncoder().encode(value);
  },
  decode: (bytes) => new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
};

/**
 * Whatever `JSON.stringify` writes, as UTF-8. The order of an object's members is part of the bytes: two objects that
 * differ only in it are two values, and have two roots.
 */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode(value) {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError("a key or value has no JSON");
      return utf8Codec.encode(text);
    },
    decode: (bytes) => JSON.parse(utf8Codec.decode(bytes)) as T,
  };
}

function hasLoneSurrogate(text: string): boolean {
  return /[\uD800-\uDFFF]/u.test(text);
}
