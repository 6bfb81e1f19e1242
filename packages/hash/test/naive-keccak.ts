/**
 * The Keccak sponge with a 32-byte digest, as FIPS 202 writes it down, over bigints: slow, plain, and sharing nothing
 * with the engines. The padding is free: `0x06` gives SHA3-256, which OpenSSL can judge, and `0x01` gives Keccak-256,
 * which then differs in that byte alone.
 */
export function naiveKeccak256(message: Uint8Array, padding: 0x01 | 0x06): Uint8Array {
  const padded = new Uint8Array((Math.floor(message.length / RATE) + 1) * RATE);
  padded.set(message);
  padded[message.length] = padding;
  padded[padded.length - 1] = (padded[padded.length - 1] ?? 0) | 0x80;
  const view = new DataView(padded.buffer);
  const lanes = Array.from({ length: 25 }, () => 0n);
  for (let offset = 0; offset < padded.length; offset += RATE) {
    for (let i = 0; i < RATE / 8; i++) {
      lanes[i] = at(lanes, i) ^ view.getBigUint64(offset + 8 * i, true);
    }
    permute(lanes);
  }
  const digest = new Uint8Array(32);
  const digestView = new DataView(digest.buffer);
  for (let i = 0; i < 4; i++) digestView.setBigUint64(8 * i, at(lanes, i), true);
  return digest;
}

/** Bytes absorbed per permutation: 200 less twice the digest. */
const RATE = 136;

/** FIPS 202, 3.2 and 3.3. Lane (x, y) is at index x + 5y. */
function permute(lanes: bigint[]): void {
  let register = 1;
  for (let round = 0; round < 24; round++) {
    // Theta: each lane takes in the parity of two columns.
    const parity = [0, 1, 2, 3, 4].map((x) =>
      [0, 5, 10, 15, 20].reduce((sum, y) => sum ^ at(lanes, x + y), 0n),
    );
    for (let i = 0; i < 25; i++) {
      lanes[i] = at(lanes, i) ^ at(parity, (i + 4) % 5) ^ rotateLeft(at(parity, (i + 1) % 5), 1);
    }
    // Rho and pi: lanes turn by triangular numbers and move.
    let [x, y] = [1, 0];
    let moving = at(lanes, 1);
    for (let t = 0; t < 24; t++) {
      [x, y] = [y, (2 * x + 3 * y) % 5];
      const next = at(lanes, x + 5 * y);
      lanes[x + 5 * y] = rotateLeft(moving, (((t + 1) * (t + 2)) / 2) % 64);
      moving = next;
    }
    // Chi: the one non-linear step, row by row.
    for (let row = 0; row < 25; row += 5) {
      const old = lanes.slice(row, row + 5);
      for (let i = 0; i < 5; i++) {
        lanes[row + i] =
          at(old, i) ^ (BigInt.asUintN(64, ~at(old, (i + 1) % 5)) & at(old, (i + 2) % 5));
      }
    }
    // Iota: a constant per round from a shift register.
    let constant = 0n;
    for (let j = 0; j < 7; j++) {
      if ((register & 1) === 1) constant |= 1n << (2n ** BigInt(j) - 1n);
      register = (register << 1) ^ ((register >> 7) * 0x171);
    }
    lanes[0] = at(lanes, 0) ^ constant;
  }
}

function rotateLeft(word: bigint, count: number): bigint {
  return BigInt.asUintN(64, (word << BigInt(count)) | (word >> BigInt(64 - count)));
}

function at(words: readonly bigint[], index: number): bigint {
  const word = words[index];
  if (word === undefined) throw new RangeError(`no lane ${index}`);
  return word;
}
