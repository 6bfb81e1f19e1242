import fc from "fast-check";
import { expect, test } from "vitest";
import { openSsl, scale } from "./cases.ts";
import { naiveBlake2b } from "./naive-blake2b.ts";
import { naiveKeccak256 } from "./naive-keccak.ts";

// The oracles are judged by OpenSSL where it has the same function, so that a shared misreading cannot hide.

const message = fc.uint8Array({ maxLength: 300 });

test("the naive BLAKE2b at 64 bytes is OpenSSL's BLAKE2b-512", () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(naiveBlake2b(m, 64)).toEqual(openSsl("blake2b512", m));
    }),
    { numRuns: 200 * scale },
  );
});

test("the naive sponge with SHA-3 padding is OpenSSL's SHA3-256", () => {
  fc.assert(
    fc.property(message, (m) => {
      expect(naiveKeccak256(m, 0x06)).toEqual(openSsl("sha3-256", m));
    }),
    { numRuns: 200 * scale },
  );
});
