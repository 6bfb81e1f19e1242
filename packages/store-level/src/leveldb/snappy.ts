/** Snappy's block format. Source: format_description.txt of Snappy. */
import { Cursor } from "./cursor.ts";
import { Damage } from "./damage.ts";

/** Most bytes a block of a table may become: LevelDB's are some kilobytes, and a single value at most 4 GiB. */
const SIZE_MAX = 2 ** 31;

/**
 * Decompresses a block. Memory is taken for what the block announces, which a valid one reaches with at most 64 bytes per
 * compressed byte.
 *
 * @param base - offset of `bytes` in its file, for messages
 * @throws Damage
 */
export function snappyDecompress(bytes: Uint8Array, base: number): Uint8Array {
  const cursor = new Cursor(bytes, base);
  const size = cursor.varint();
  if (size > SIZE_MAX || size > 64 * bytes.length)
    throw new Damage(base, `${bytes.length} bytes cannot hold ${size}`);
  const output = new Uint8Array(size);
  let filled = 0;
  while (!cursor.isAtEnd) {
    const tag = cursor.byte();
    const kind = tag & 3;
    if (kind === 0) {
      const literal = cursor.take(literalSize(cursor, tag >>> 2));
      if (literal.length > size - filled) throw new Damage(cursor.offset, "too many bytes");
      output.set(literal, filled);
      filled += literal.length;
    } else {
      const { count, distance } = copyOf(cursor, tag, kind);
      if (distance === 0 || distance > filled || count > size - filled)
        throw new Damage(
          cursor.offset,
          `a copy of ${count} bytes from ${distance} before ${filled}`,
        );
      // Byte by byte: a copy may run into what it writes.
      for (let i = 0; i < count; i++, filled++)
        output[filled] = output[filled - distance] as number;
    }
  }
  if (filled !== size)
    throw new Damage(cursor.offset, `${filled} bytes where ${size} are announced`);
  return output;
}

/** Bytes of a literal: 1…60 in the tag, or in one to four bytes behind it. */
function literalSize(cursor: Cursor, code: number): number {
  return (code < 60 ? code : littleEndian(cursor, code - 59)) + 1;
}

function copyOf(cursor: Cursor, tag: number, kind: number): { count: number; distance: number } {
  if (kind === 1)
    return { count: ((tag >>> 2) & 7) + 4, distance: ((tag >>> 5) << 8) | cursor.byte() };
  return { count: (tag >>> 2) + 1, distance: littleEndian(cursor, kind === 2 ? 2 : 4) };
}

function littleEndian(cursor: Cursor, size: number): number {
  return cursor.take(size).reduceRight((value, byte) => value * 256 + byte, 0);
}
