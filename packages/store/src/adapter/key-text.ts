import { type Bytes } from "../store.ts";

/** Arguments per call: far below what engines take. */
const CHUNK_SIZE = 4096;

/**
 * A key as a string of characters 0…255, one per byte: what a `Map` finds and `<` orders, in the order of the bytes.
 * Strings hash with the engine's random seed, so chosen keys do not make a map slow.
 */
export function keyText(key: Uint8Array): string {
  if (key.length <= CHUNK_SIZE) return Reflect.apply(String.fromCharCode, undefined, key);
  let text = "";
  for (let offset = 0; offset < key.length; offset += CHUNK_SIZE)
    text += keyText(key.subarray(offset, offset + CHUNK_SIZE));
  return text;
}

/** The key back; fresh bytes. */
export function textKey(text: string): Bytes {
  const key = new Uint8Array(text.length);
  for (let i = 0; i < key.length; i++) key[i] = text.charCodeAt(i);
  return key;
}
