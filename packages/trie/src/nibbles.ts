import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

/** Half bytes, one in each place, below 16: the path of a key. */
export type Nibbles = Uint8Array;

/** The path of a key: of each byte the high half, then the low one. Fresh. */
export function toNibbles(key: Uint8Array): Nibbles {
  const path = new Uint8Array(2 * key.length);
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] as number;
    path[2 * i] = byte >>> 4;
    path[2 * i + 1] = byte & 15;
  }
  return path;
}

/** The key of a path of even length, fresh; an odd last nibble becomes the high half of a byte. */
export function fromNibbles(path: Nibbles): Uint8Array<ArrayBuffer> {
  const key = new Uint8Array(Math.ceil(path.length / 2));
  for (let i = 0; i < path.length; i++) {
    const shift = i % 2 === 0 ? 4 : 0;
    key[i >>> 1] = (key[i >>> 1] as number) | ((path[i] as number) << shift);
  }
  return key;
}

/** How many nibbles `path`, from `at` on, has in common with `other`. */
export function commonNibbles(path: Nibbles, at: number, other: Nibbles): number {
  const size = Math.min(path.length - at, other.length);
  let count = 0;
  while (count < size && path[at + count] === other[count]) count++;
  return count;
}

/** Fresh: one path after another. */
export function joinNibbles(...parts: readonly ArrayLike<number>[]): Nibbles {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Writes a path as a node has it: a varint, then two nibbles a byte, the first in the high half. */
export function writePath(writer: ByteWriter, path: Nibbles): void {
  writer.varint(path.length);
  writer.bytes(fromNibbles(path));
}

/** Reads a path back. `lenient`: the unused half of an odd last byte may hold anything. */
export function readPath(reader: ByteReader, lenient: boolean): Nibbles {
  const count = reader.varint();
  const packed = reader.view(Math.ceil(count / 2));
  const path = toNibbles(packed);
  if (path.length === count) return path;
  if (!lenient && path[count] !== 0) throw reader.refusal("has an unused nibble that is not zero");
  return path.slice(0, count);
}
