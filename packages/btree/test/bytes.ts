import { type Bytes, type Change } from "../src/index.ts";

/** A number as four bytes, highest first: numbers and keys have one order. */
export function keyOf(number: number): Bytes {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number);
  return key;
}

/** The number of a key. */
export function numberOf(key: Uint8Array): number {
  return new DataView(key.buffer, key.byteOffset, key.length).getUint32(0);
}

/** Text as bytes. */
export function bytesOf(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Hexadecimal text, for comparing. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sets the key of a number to that of another. */
export function put(number: number, value: number = number): Change {
  return { type: "put", key: keyOf(number), value: keyOf(value) };
}

/** Removes the key of a number. */
export function del(number: number): Change {
  return { type: "del", key: keyOf(number) };
}

/** Changes that set ascending numbers. */
export function puts(from: number, count: number): Change[] {
  return Array.from({ length: count }, (_, i) => put(from + i));
}

/**
 * Entries with ascending numbers.
 *
 * @yields keys and values
 */
export function* entriesFrom(from: number, count: number): Generator<[Bytes, Bytes]> {
  for (let i = from; i < from + count; i++) yield [keyOf(i), keyOf(i)];
}

/** Everything that an iterator gives. */
export async function collect<T>(iterator: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterator) items.push(item);
  return items;
}
