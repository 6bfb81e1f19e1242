import fc from "fast-check";

/** One way to spoil an encoding. Numbers are taken modulo what fits. */
export type Mutation =
  | { readonly kind: "flip"; readonly at: number; readonly bit: number }
  | { readonly kind: "set"; readonly at: number; readonly value: number }
  | { readonly kind: "truncate"; readonly at: number }
  | { readonly kind: "insert"; readonly at: number; readonly value: number }
  | { readonly kind: "delete"; readonly at: number }
  | { readonly kind: "repeat"; readonly at: number; readonly count: number }
  | {
      readonly kind: "number";
      readonly at: number;
      readonly width: 2 | 4 | 8;
      readonly value: bigint;
    };

const at = fc.nat(4096);
const extremes = fc.constantFrom(
  0n,
  1n,
  0xffffn,
  0xffff_ffffn,
  0xffff_fffen,
  1n << 31n,
  1n << 32n,
  1n << 53n,
  (1n << 53n) + 1n,
  (1n << 53n) - 1n,
  (1n << 64n) - 1n,
);

export const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant("flip" as const), at, bit: fc.nat(7) }),
    fc.record({ kind: fc.constant("set" as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constant("truncate" as const), at }),
    fc.record({ kind: fc.constant("insert" as const), at, value: fc.nat(255) }),
    fc.record({ kind: fc.constant("delete" as const), at }),
    fc.record({ kind: fc.constant("repeat" as const), at, count: fc.nat(40) }),
    fc.record({
      kind: fc.constant("number" as const),
      at,
      width: fc.constantFrom<2 | 4 | 8>(2, 4, 8),
      value: extremes,
    }),
  ),
  { minLength: 1, maxLength: 4 },
);

/** A fresh, spoilt copy. */
export function mutated(bytes: Uint8Array, all: readonly Mutation[]): Uint8Array {
  let result = bytes.slice();
  for (const mutation of all) result = apply(result, mutation);
  return result;
}

function apply(bytes: Uint8Array, mutation: Mutation): Uint8Array<ArrayBuffer> {
  const place = bytes.length === 0 ? 0 : mutation.at % bytes.length;
  switch (mutation.kind) {
    case "flip":
      return withByte(bytes, place, (bytes[place] ?? 0) ^ (1 << mutation.bit));
    case "set":
      return withByte(bytes, place, mutation.value);
    case "truncate":
      return bytes.slice(0, place);
    case "insert":
      return Uint8Array.from([...bytes.slice(0, place), mutation.value, ...bytes.slice(place)]);
    case "delete":
      return Uint8Array.from([...bytes.slice(0, place), ...bytes.slice(place + 1)]);
    case "repeat": {
      const part = bytes.slice(place, place + mutation.count);
      return Uint8Array.from([...bytes.slice(0, place), ...part, ...bytes.slice(place)]);
    }
    case "number": {
      const copy = bytes.slice();
      const view = new DataView(copy.buffer);
      if (place + mutation.width > copy.length) return copy;
      if (mutation.width === 2) view.setUint16(place, Number(mutation.value & 0xffffn));
      else if (mutation.width === 4) view.setUint32(place, Number(mutation.value & 0xffff_ffffn));
      else view.setBigUint64(place, mutation.value);
      return copy;
    }
  }
}

function withByte(bytes: Uint8Array, place: number, value: number): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(bytes);
  if (place < copy.length) copy[place] = value;
  return copy;
}
