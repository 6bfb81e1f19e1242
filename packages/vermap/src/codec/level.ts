import { VerMapError } from "../errors.ts";
import { type Codec } from "./codec.ts";
import { decodeText, encodeText } from "./text.ts";

/** What {@link fromLevel} needs of an encoding of the Level family; `level-transcoder`'s and custom ones are such. */
export interface LevelEncoding<T> {
  readonly name: string;
  /** What `encode` gives and `decode` takes: `view` a Uint8Array, `buffer` a Node Buffer, `utf8` a string. */
  readonly format: "buffer" | "view" | "utf8";
  // Methods, so that encodings with wider parameters and Node's Buffer fit.
  encode(value: T): Uint8Array | string;
  decode(encoded: never): T;
}

/** Node's Buffer, where there is one. */
interface BufferClass {
  from(memory: ArrayBufferLike, byteOffset: number, length: number): Uint8Array;
}

/**
 * An encoding of the Level family as a codec, named `level:` and its name. It is as strict as the encoding itself: bytes
 * that are not canonical are refused only where the encoding does so.
 *
 * @throws TypeError if it is no encoding, or its format is `buffer` where the platform has no Buffer
 */
export function fromLevel<T>(encoding: LevelEncoding<T>): Codec<T> {
  const name = `level:${encoding.name}`;
  const take = decoderOf(encoding);
  return {
    name,
    encode(value) {
      const encoded = encoding.encode(value);
      if (encoding.format === "utf8" && typeof encoded === "string") return encodeText(encoded);
      if (encoded instanceof Uint8Array) return new Uint8Array(encoded);
      throw new TypeError(`${name} gave ${typeof encoded} in format ${encoding.format}`);
    },
    decode(bytes) {
      try {
        return take(new Uint8Array(bytes));
      } catch (cause) {
        if (cause instanceof VerMapError) throw cause;
        const message = `${name} refuses ${bytes.length} bytes`;
        throw new VerMapError("VERMAP_UNDECODABLE", message, { cause });
      }
    },
  };
}

function decoderOf<T>(encoding: LevelEncoding<T>): (bytes: Uint8Array<ArrayBuffer>) => T {
  const decode = encoding.decode.bind(encoding) as (encoded: Uint8Array | string) => T;
  switch (encoding.format) {
    case "view":
      return decode;
    case "utf8":
      return (bytes) => decode(decodeText(bytes));
    case "buffer": {
      const { Buffer: buffers } = globalThis as { readonly Buffer?: BufferClass };
      if (buffers === undefined) throw new TypeError("this platform has no Buffer");
      return (bytes) => decode(buffers.from(bytes.buffer, 0, bytes.length));
    }
    default:
      throw new TypeError("a Level encoding has the format buffer, view or utf8");
  }
}
