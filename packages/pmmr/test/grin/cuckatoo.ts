import { blake2b256 } from "@x/hash";

const MASK = 2n ** 64n - 1n;

/**
 * Whether nonces are a Cuckatoo cycle for a header: a check of header bytes that owes nothing to mountain ranges. Each nonce
 * is an edge between two nodes, which are SipHash-2-4 of it under keys from the header; edges join where nodes differ in
 * nothing but the last bit.
 *
 * @param preimage - what the proof of work was solved for
 */
export function isCuckatooCycle(
  preimage: Uint8Array,
  nonces: readonly number[],
  edgeBits: number,
): boolean {
  const view = new DataView(blake2b256().hash(preimage).buffer);
  const keys = [0, 8, 16, 24].map((offset) => view.getBigUint64(offset, true));
  const ends = nonces.flatMap((nonce) =>
    [0n, 1n].map(
      (side) => sipHash(keys, 2n * BigInt(nonce) + side) & (2n ** BigInt(edgeBits) - 1n),
    ),
  );
  let length = 0;
  let at = 0;
  do {
    // The one other end on the same side that joins this one.
    const joined = ends.flatMap((end, other) =>
      other !== at && other % 2 === at % 2 && end >> 1n === (ends[at] as bigint) >> 1n
        ? [other]
        : [],
    );
    const [other] = joined;
    if (joined.length !== 1 || other === undefined || ends[other] === ends[at]) return false;
    // Cross the joined edge to its other side.
    at = other % 2 === 0 ? other + 1 : other - 1;
    length++;
  } while (at !== 0 && length <= nonces.length);
  return length === nonces.length;
}

function sipHash(keys: readonly bigint[], message: bigint): bigint {
  let [v0, v1, v2, v3] = keys as [bigint, bigint, bigint, bigint];
  v3 ^= message;
  for (let round = 0; round < 6; round++) {
    if (round === 2) {
      v0 ^= message;
      v2 ^= 0xffn;
    }
    v0 = (v0 + v1) & MASK;
    v2 = (v2 + v3) & MASK;
    v1 = rotate(v1, 13n) ^ v0;
    v3 = rotate(v3, 16n) ^ v2;
    v0 = rotate(v0, 32n);
    v2 = (v2 + v1) & MASK;
    v0 = (v0 + v3) & MASK;
    v1 = rotate(v1, 17n) ^ v2;
    v3 = rotate(v3, 21n) ^ v0;
    v2 = rotate(v2, 32n);
  }
  return v0 ^ v1 ^ v2 ^ v3;
}

function rotate(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (64n - bits))) & MASK;
}
