import { createHash } from "node:crypto";
import type { Hasher } from "@x/hash";
import { grinHashing, type MmrHashing } from "../../../src/hashing.ts";

/** SHA-256 of the runtime: campaigns that crash a store a hundred thousand times are about files, not about hashing. */
const hasher: Hasher = {
  name: "sha-256/native",
  outputSize: 32,
  hash: (message) => new Uint8Array(createHash("sha256").update(message).digest()),
  hashMany: (messages, messageSize, count, output, outputOffset = 0) => {
    for (let i = 0; i < count; i++) {
      const message = messages.subarray(i * messageSize, (i + 1) * messageSize);
      output.set(createHash("sha256").update(message).digest(), outputOffset + i * 32);
    }
  },
};

export const fastHashing: MmrHashing = grinHashing(hasher);
