import { createHash, hash as oneShot } from "node:crypto";
import * as hashtree from "@chainsafe/hashtree";
import { blake2b } from "@noble/hashes/blake2.js";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { keccak_256, sha3_256 as nobleSha3 } from "@noble/hashes/sha3.js";
import {
  blake2b256,
  type Hasher,
  type HasherOptions,
  keccak256,
  sha256,
  sha3_256,
  taggedSha256,
} from "@x/hash";
import { hashtreeEngine } from "@x/hash/hashtree";
import { nodeEngine } from "@x/hash/node";
import { createWasmEngine } from "@x/hash/wasm";
import type { Benchmark, Contender } from "./harness.ts";
import type { SuiteOptions } from "./main.ts";

/** Messages per run of a small size; larger sizes are hashed fewer times. */
const MESSAGE_COUNT = 2000;

interface Subject {
  readonly operation: string;
  readonly create: (options?: HasherOptions) => Hasher;
  /** The same function as @noble/hashes offers it. */
  readonly noble?: (message: Uint8Array) => Uint8Array;
  /** OpenSSL's name of the same function. BLAKE2b-256 and Keccak-256 have none in the OpenSSL of Node. */
  readonly openSsl?: string;
  /** Bytes per message. */
  readonly sizes: readonly number[];
}

// What trees hash: an inner node of two digests is 64 bytes, 72 with its position; leaves of 34 and 683 bytes with their
// position are 42 and 691.
const SUBJECTS: readonly Subject[] = [
  {
    operation: "blake2b-256",
    create: blake2b256,
    noble: (message) => blake2b(message, { dkLen: 32 }),
    sizes: [42, 72, 691],
  },
  {
    operation: "sha-256",
    create: sha256,
    noble: nobleSha256,
    openSsl: "sha256",
    sizes: [64, 72, 691],
  },
  {
    operation: "sha3-256",
    create: sha3_256,
    noble: nobleSha3,
    openSsl: "sha3-256",
    sizes: [64, 72],
  },
  { operation: "keccak-256", create: keccak256, noble: keccak_256, sizes: [64, 72] },
  {
    operation: "tagged-sha-256",
    create: (options) => taggedSha256("SMTNode", options),
    sizes: [64],
  },
];

const VECTORS = createWasmEngine({ simd: true });
const SCALAR = createWasmEngine({ simd: false });

/** Every algorithm on every engine, one message at a time and packed, beside noble and node:crypto where it has the function. */
export function benchmarks({ full }: SuiteOptions): Benchmark[] {
  return SUBJECTS.flatMap((subject) =>
    [...subject.sizes, ...(full ? [4096, 65536] : [])].map((size) => compare(subject, size)),
  );
}

function compare({ operation, create, noble, openSsl }: Subject, size: number): Benchmark {
  const operations = Math.max(1, Math.min(MESSAGE_COUNT, Math.floor(2e6 / size)));
  const messages = fill(size * operations);
  const output = new Uint8Array(32 * operations);
  const packed = (subject: string, hasher: Hasher): Contender => ({
    subject: `${subject}, packed`,
    run: () => hasher.hashMany(messages, size, operations, output),
  });
  const oneByOne = (subject: string, hash: (message: Uint8Array) => Uint8Array): Contender => ({
    subject,
    run: () => {
      for (let i = 0; i < operations; i++) {
        output.set(hash(messages.subarray(i * size, i * size + size)), 32 * i);
      }
    },
  });
  const ours = (subject: string, hasher: Hasher): Contender =>
    oneByOne(`${subject}, one by one`, (message) => hasher.hash(message));
  const vectors = create({ engine: VECTORS });
  const portable = create();
  const contenders: Contender[] = [
    packed("wasm-simd", vectors),
    packed("wasm", create({ engine: SCALAR })),
    packed("portable", portable),
    ours("wasm-simd", vectors),
    ours("portable", portable),
  ];
  if (operation === "sha-256" && size === 64) {
    contenders.push(packed("hashtree", create({ engine: hashtreeEngine(hashtree) })));
  }
  if (noble !== undefined) contenders.push(oneByOne("@noble/hashes", noble));
  if (openSsl !== undefined) {
    const node = create({ engine: nodeEngine });
    contenders.push(
      packed("node", node),
      ours("node", node),
      oneByOne("node:crypto, one-shot", (message) => oneShot(openSsl, message, "buffer")),
      oneByOne("node:crypto", (message) => createHash(openSsl).update(message).digest()),
    );
  }
  return {
    name: `hash/${operation}/size=${size}`,
    operations,
    unit: "hash",
    contenders,
    rounds: 15,
  };
}

/** The same bytes in every run. */
function fill(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 1;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}
