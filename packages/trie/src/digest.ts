import type { Hasher } from "@x/hash";

/**
 * Hashes many messages, those of one size in one pack.
 *
 * @returns their digests, in their order; fresh
 */
export function digestMany(
  hasher: Hasher,
  messages: readonly Uint8Array[],
): Uint8Array<ArrayBuffer>[] {
  if (messages.length === 1) return [hasher.hash(messages[0] as Uint8Array)];
  const digests: Uint8Array<ArrayBuffer>[] = [];
  for (const [size, places] of placesBySize(messages)) {
    const pack = new Uint8Array(size * places.length);
    for (const [index, place] of places.entries())
      pack.set(messages[place] as Uint8Array, index * size);
    const output = new Uint8Array(hasher.outputSize * places.length);
    hasher.hashMany(pack, size, places.length, output);
    for (const [index, place] of places.entries()) {
      const offset = index * hasher.outputSize;
      // A copy, so that one digest that is kept does not keep the whole pack.
      digests[place] = output.slice(offset, offset + hasher.outputSize);
    }
  }
  return digests;
}

function placesBySize(messages: readonly Uint8Array[]): Map<number, number[]> {
  const places = new Map<number, number[]>();
  for (const [place, { length }] of messages.entries()) {
    const known = places.get(length);
    if (known === undefined) places.set(length, [place]);
    else known.push(place);
  }
  return places;
}
