import { VerMapError } from "../errors.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type Codec, type OrderedCodec } from "./codec.ts";

/** The values of a list of codecs. */
export type TupleOf<C extends readonly Codec<unknown>[]> = {
  readonly [I in keyof C]: C[I] extends Codec<infer T> ? T : never;
};

/**
 * Elements of one fixed-width codec, one after another, without a length: in the order of their elements, a shorter list
 * before its extensions.
 *
 * @param count - elements in every list; default: any number
 * @throws RangeError if `item` has no fixed width above 0, or `count` is no count
 */
export function list<T>(item: OrderedCodec<T>, count?: number): OrderedCodec<readonly T[]> {
  const width = item.byteCount;
  if (width === undefined || width === 0) throw new RangeError("a list wants items of one width");
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 0)) {
    throw new RangeError(`a list of ${count} items`);
  }
  const name = `${item.name}[${count ?? ""}]`;
  return {
    name,
    byteCount: count === undefined ? undefined : count * width,
    encode(values) {
      if (!Array.isArray(values)) throw new TypeError(`${name} wants an array`);
      if (count !== undefined && values.length !== count) {
        throw new RangeError(`${name} wants ${count} items, got ${values.length}`);
      }
      const encoded = new Uint8Array(values.length * width);
      for (const [index, value] of values.entries()) {
        encoded.set(item.encode(value as T), index * width);
      }
      return encoded;
    },
    decode(encoded) {
      const isWhole = encoded.length % width === 0;
      if (!isWhole || (count !== undefined && encoded.length !== count * width)) {
        throw undecodable(name, `${encoded.length} bytes`, encoded.length);
      }
      const values: T[] = [];
      for (let offset = 0; offset < encoded.length; offset += width) {
        values.push(item.decode(encoded.subarray(offset, offset + width)));
      }
      return values;
    },
  };
}

/**
 * Several ordered parts as one key, in the order of the first part, then of the second, and so on.
 *
 * Parts of a fixed width and the last part stand as they are. Any other part has each 00 written as 00 01 and ends with
 * 00 00, which comes before everything that could follow in a longer one.
 *
 * @throws RangeError if there are no parts
 */
export function tuple<const C extends readonly OrderedCodec<unknown>[]>(
  ...parts: C
): OrderedCodec<TupleOf<C>> {
  if (parts.length === 0) throw new RangeError("a tuple wants parts");
  const name = `(${parts.map((part) => part.name).join(",")})`;
  return {
    name,
    byteCount: parts.reduce<number | undefined>(
      (sum, { byteCount }) =>
        sum === undefined || byteCount === undefined ? undefined : sum + byteCount,
      0,
    ),
    encode(values) {
      if (!Array.isArray(values) || values.length !== parts.length) {
        throw new TypeError(`${name} wants an array of ${parts.length}`);
      }
      const writer = new ByteWriter();
      for (const [index, part] of parts.entries()) {
        const encoded = part.encode(values[index]);
        if (standsAsItIs(parts, index)) writer.put(encoded);
        else putEscaped(writer, encoded);
      }
      return writer.finish();
    },
    decode(encoded) {
      let offset = 0;
      const values = parts.map((part, index) => {
        if (!standsAsItIs(parts, index)) {
          const { content, end } = takeEscaped(name, encoded, offset);
          offset = end;
          return part.decode(content);
        }
        const end = index === parts.length - 1 ? encoded.length : offset + (part.byteCount ?? 0);
        if (end > encoded.length) throw undecodable(name, "too few bytes", offset);
        const content = encoded.subarray(offset, end);
        offset = end;
        return part.decode(content);
      });
      return values as readonly unknown[] as TupleOf<C>;
    },
  };
}

function standsAsItIs(parts: readonly OrderedCodec<unknown>[], index: number): boolean {
  return index === parts.length - 1 || parts[index]?.byteCount !== undefined;
}

function putEscaped(writer: ByteWriter, content: Uint8Array): void {
  for (const byte of content) {
    writer.u8(byte);
    if (byte === 0) writer.u8(1);
  }
  writer.u8(0);
  writer.u8(0);
}

/** The content of the escaped part that begins at `offset`, and where the next part begins. */
function takeEscaped(
  name: string,
  encoded: Uint8Array,
  offset: number,
): { readonly content: Uint8Array; readonly end: number } {
  const content = new Uint8Array(encoded.length - offset);
  let length = 0;
  for (let index = offset; index < encoded.length; index++) {
    const byte = encoded[index] as number;
    if (byte !== 0) {
      content[length++] = byte;
      continue;
    }
    index++;
    if (encoded[index] === 0) return { content: content.subarray(0, length), end: index + 1 };
    if (encoded[index] !== 1) throw undecodable(name, "a false escape", index);
    content[length++] = 0;
  }
  throw undecodable(name, "a part without an end", encoded.length);
}

function undecodable(name: string, found: string, offset: number): VerMapError {
  return new VerMapError("VERMAP_UNDECODABLE", `${name} holds ${found} at byte ${offset}`, {
    offset,
  });
}
