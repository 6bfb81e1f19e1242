import { concatBytes, keccak256, toHex } from "@x/hash";

/** Roots by their recursive definitions, without a trie: the plain truth that the calculators are compared with. */

const keccak = keccak256();
const ZEROS = new Uint8Array(32);

/** Entries by hex keys. */
export type Model = ReadonlyMap<string, string>;

/** The root of a Patricia trie. FORMAT.md, "Patricia nodes". */
export function naiveMptRoot(model: Model): string {
  if (model.size === 0) return toHex(ZEROS);
  return toHex(hashEntries([...model].map(([key, value]) => ({ path: key, value }))));
}

interface Entry {
  /** Hex digits. */
  readonly path: string;
  readonly value: string;
}

function hashEntries(entries: readonly Entry[]): Uint8Array {
  return keccak.hash(nodeOf(entries));
}

function nodeOf(entries: readonly Entry[]): Uint8Array {
  const [first] = entries as [Entry];
  if (entries.length === 1)
    return concatBytes([[1], path(first.path), sized(first.value)].map(bytes));
  let common = 0;
  while (
    entries.every(
      (entry) => common < entry.path.length && entry.path[common] === first.path[common],
    )
  )
    common++;
  if (common > 0) {
    const rest = shorten(entries, common);
    return concatBytes([[2], path(first.path.slice(0, common)), hashEntries(rest)].map(bytes));
  }
  const own = entries.find((entry) => entry.path === "");
  let bitmap = 0;
  const children: Uint8Array[] = [];
  for (let nibble = 0; nibble < 16; nibble++) {
    const below = entries.filter((entry) => entry.path.startsWith(nibble.toString(16)));
    if (below.length === 0) continue;
    bitmap |= 1 << nibble;
    children.push(hashEntries(shorten(below, 1)));
  }
  const value = own === undefined ? [0] : [1, ...sized(own.value)];
  return concatBytes([bytes([3, bitmap & 255, bitmap >>> 8, ...value]), ...children]);
}

function shorten(entries: readonly Entry[], count: number): Entry[] {
  return entries.map(({ path: digits, value }) => ({ path: digits.slice(count), value }));
}

/** The root of a sparse trie. FORMAT.md, "Sparse nodes". */
export function naiveSmtRoot(model: Model): string {
  const entries = [...model].map(([key, value]) => {
    const hash = keccak.hash(Uint8Array.from(hexBytes(key)));
    const bits = Array.from(hash, (byte) => byte.toString(2).padStart(8, "0")).join("");
    return { hash, bits, value: Uint8Array.from(hexBytes(value)) };
  });
  return toHex(hashPlaces(entries, 0));
}

function hashPlaces(
  entries: readonly { hash: Uint8Array; bits: string; value: Uint8Array }[],
  depth: number,
): Uint8Array {
  const [first] = entries;
  if (first === undefined) return ZEROS;
  if (entries.length === 1) return keccak.hash(concatBytes([bytes([1]), first.hash, first.value]));
  const sides = ["0", "1"].map((bit) =>
    hashPlaces(
      entries.filter(({ bits }) => bits[depth] === bit),
      depth + 1,
    ),
  );
  return keccak.hash(concatBytes([bytes([0]), ...sides]));
}

function path(digits: string): number[] {
  return [...varint(digits.length), ...hexBytes(digits.length % 2 === 0 ? digits : `${digits}0`)];
}

function sized(hex: string): number[] {
  return [...varint(hex.length / 2), ...hexBytes(hex)];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}

function hexBytes(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((digits) => Number.parseInt(digits, 16));
}

function bytes(list: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(list);
}
