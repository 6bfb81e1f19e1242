import { isDeepStrictEqual } from "node:util";
import { equalBytes } from "@x/hash";
import { Random } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesCodec,
  decodeMerkleProof,
  encodeMerkleProof,
  familyBranch,
  leafPosition,
  MemoryBackend,
  type MerkleProof,
  merkleProofFromJson,
  merkleProofToJson,
  Pmmr,
  proofLength,
  ReadonlyPmmr,
  verifyMerkleProof,
} from "../src/index.ts";
import { hexOf } from "./range-model.ts";
import { CAMPAIGN_TIMEOUT, codeOf, report, SCALE, verdictOf, word } from "./support.ts";
import { fromHex, vectors } from "./vectors.ts";

function rangeOf(elements: readonly Uint8Array[]): Pmmr<Uint8Array, Uint8Array> {
  const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(), prunable: true }));
  pmmr.pushMany(elements);
  return pmmr;
}

function rangeOfLeaves(leaves: number): Pmmr<Uint8Array, Uint8Array> {
  return rangeOf(Array.from({ length: leaves }, (_, i) => word(i)));
}

/** Numbers as 64-bit big-endian integers, then bytes. */
function raw(numbers: readonly bigint[], rest = 0): Uint8Array {
  const bytes = new Uint8Array(8 * numbers.length + rest).fill(5, 8 * numbers.length);
  const view = new DataView(bytes.buffer);
  for (const [i, number] of numbers.entries()) view.setBigUint64(8 * i, number, false);
  return bytes;
}

describe("the original's proofs", () => {
  const elements = vectors.hash16.elements.map((element) => fromHex(element));

  test("are made, written, read and verified, for every leaf of 1 to 9 leaves", () => {
    expect(vectors.merkleProofs.length).toBe(45);
    for (const row of vectors.merkleProofs) {
      const pmmr = rangeOf(elements.slice(0, row.leaves));
      expect(leafPosition(row.leafIndex)).toBe(row.pos);
      const proof = pmmr.merkleProof(row.pos, { recheck: true });
      expect(proof.size).toBe(row.mmrSize);
      expect(proof.path.map(hexOf)).toEqual(row.path);
      expect(hexOf(encodeMerkleProof(proof))).toBe(row.serialized);
      expect(decodeMerkleProof(fromHex(row.serialized))).toEqual(proof);
      const claim = {
        root: fromHex(row.root),
        size: row.mmrSize,
        pos0: row.pos,
        hashForm: elements[row.leafIndex] ?? new Uint8Array(0),
        proof,
      };
      expect(verifyMerkleProof(claim)).toBe(true);
    }
  });
});

describe("proofLength", () => {
  test("is what the prover makes, for every leaf of up to 70 leaves", () => {
    for (let leaves = 1; leaves <= 70; leaves++) {
      const pmmr = rangeOfLeaves(leaves);
      for (let index = 0; index < leaves; index++) {
        const pos0 = leafPosition(index);
        expect(pmmr.merkleProof(pos0).path.length).toBe(proofLength(pos0, pmmr.size));
      }
    }
  });

  test("stays small for the largest ranges", () => {
    const size = leafPosition(2 ** 52 - 1);
    expect(proofLength(0, size)).toBe(52);
    expect(proofLength(size - 1, size)).toBe(51);
    expect(proofLength(0, leafPosition(2 ** 52))).toBe(52);
    expect(familyBranch(0, size).length).toBe(51);
  });

  test("is refused where there is no such leaf", () => {
    expect(codeOf(() => proofLength(0, 2))).toBe("PMMR_INVALID_SIZE");
    expect(codeOf(() => proofLength(0, 0))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => proofLength(2, 3))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => proofLength(3, 3))).toBe("PMMR_OUT_OF_RANGE");
    expect(() => proofLength(-1, 3)).toThrow(RangeError);
    expect(() => proofLength(0, 2 ** 53)).toThrow(RangeError);
  });
});

describe("making a proof", () => {
  test("of a spent leaf is refused, and spending others does not hurt", () => {
    const pmmr = rangeOfLeaves(11);
    const proof = pmmr.merkleProof(3);
    for (const pos0 of [0, 1, 4, 7, 8, 10, 11, 15]) pmmr.prune(pos0);
    expect(codeOf(() => pmmr.merkleProof(0))).toBe("PMMR_PRUNED");
    expect(pmmr.merkleProof(3)).toEqual(proof);
  });

  test("survives the compaction of everything else", () => {
    for (let leaves = 1; leaves <= 20; leaves++) {
      for (let index = 0; index < leaves; index++) {
        const backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
        const pmmr = new Pmmr(backend);
        pmmr.pushMany(Array.from({ length: leaves }, (_, i) => word(i)));
        const pos0 = leafPosition(index);
        const proof = pmmr.merkleProof(pos0);
        for (let i = 0; i < leaves; i++) if (i !== index) pmmr.prune(leafPosition(i));
        backend.compact();
        expect(pmmr.merkleProof(pos0, { recheck: true })).toEqual(proof);
      }
    }
  });

  test("from an older view proves the older root, however the range went on", () => {
    const backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
    const pmmr = new Pmmr(backend);
    pmmr.pushMany(Array.from({ length: 20 }, (_, i) => word(i)));
    for (let leaves = 1; leaves <= 20; leaves++) {
      const view = new ReadonlyPmmr(backend, { size: leafPosition(leaves) });
      pmmr.push(word(100 + leaves));
      for (let index = 0; index < leaves; index++) {
        const pos0 = leafPosition(index);
        const proof = view.merkleProof(pos0, { recheck: true });
        expect(proof).toEqual(rangeOfLeaves(leaves).merkleProof(pos0));
        const claim = { root: view.root(), size: view.size, pos0, hashForm: word(index), proof };
        expect(verifyMerkleProof(claim)).toBe(true);
        const newer = { ...claim, root: pmmr.root(), size: pmmr.size };
        expect(verdictOf(() => verifyMerkleProof(newer))).not.toBe(true);
      }
    }
  });

  test("of what is no leaf is the caller's mistake", () => {
    const pmmr = rangeOfLeaves(3);
    for (const pos0 of [2, 4, 5, -1]) expect(() => pmmr.merkleProof(pos0)).toThrow(RangeError);
  });

  test("rechecks itself against a damaged store, if asked", () => {
    const backend = new MemoryBackend({ codec: bytesCodec(4) });
    new Pmmr(backend).pushMany(Array.from({ length: 7 }, (_, i) => word(i)));
    for (let damaged = 0; damaged < 11; damaged++) {
      const broken = Object.create(backend, {
        size: { get: () => backend.size },
        epoch: { get: () => backend.epoch },
        codec: { value: backend.codec },
        prunable: { value: false },
        isUnspent: { value: () => true },
        hashAt: {
          value: (pos0: number) => (pos0 === damaged ? new Uint8Array(32) : backend.hashAt(pos0)),
        },
      }) as typeof backend;
      const pmmr = new Pmmr(broken);
      // The root bags the peaks; a proof of leaf 0 uses its siblings and the hash of the leaf.
      const touched = [0, 1, 5, 6].includes(damaged);
      expect(codeOf(() => pmmr.merkleProof(0, { recheck: true }))).toBe(
        touched ? "PMMR_DAMAGED" : "none",
      );
      expect(codeOf(() => pmmr.merkleProof(0))).toBe("none");
    }
  });
});

describe("proofs as bytes", () => {
  test("the proof of nothing is size 0 without hashes", () => {
    expect(hexOf(encodeMerkleProof({ size: 0, path: [] }))).toBe("0".repeat(32));
    expect(decodeMerkleProof(new Uint8Array(16))).toEqual({ size: 0, path: [] });
  });

  test("what no prover writes is refused, each with its code", () => {
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ["PMMR_TRUNCATED", new Uint8Array(0)],
      ["PMMR_TRUNCATED", raw([3n])],
      ["PMMR_TRUNCATED", raw([3n, 1n], 31)],
      ["PMMR_TRUNCATED", raw([3n, 128n])],
      ["PMMR_NON_CANONICAL", raw([3n, 1n], 33)],
      ["PMMR_NON_CANONICAL", raw([1n, 0n], 1)],
      ["PMMR_TOO_LARGE", raw([3n, 129n], 129 * 32)],
      ["PMMR_TOO_LARGE", raw([3n, 2n ** 53n - 1n])],
      ["PMMR_OUT_OF_RANGE", raw([3n, 2n ** 53n])],
      ["PMMR_OUT_OF_RANGE", raw([3n, 2n ** 64n - 1n])],
      ["PMMR_OUT_OF_RANGE", raw([2n ** 53n, 0n])],
      ["PMMR_OUT_OF_RANGE", raw([2n ** 64n - 1n, 0n])],
      ["PMMR_INVALID_SIZE", raw([2n, 1n], 32)],
      ["PMMR_INVALID_SIZE", raw([2n ** 53n - 2n, 1n], 32)],
      ["PMMR_PROOF_SHAPE", raw([0n, 1n], 32)],
      ["PMMR_PROOF_SHAPE", raw([1n, 1n], 32)],
      ["PMMR_PROOF_SHAPE", raw([3n, 0n])],
      ["PMMR_PROOF_SHAPE", raw([7n, 1n], 32)],
      ["PMMR_PROOF_SHAPE", raw([7n, 3n], 96)],
    ];
    for (const [code, bytes] of cases) expect(codeOf(() => decodeMerkleProof(bytes))).toBe(code);
    expect(() => decodeMerkleProof("00" as never)).toThrow(TypeError);
  });

  test("the result does not alias the input", () => {
    const bytes = encodeMerkleProof(rangeOfLeaves(5).merkleProof(3));
    const proof = decodeMerkleProof(bytes);
    const before = hexOf(encodeMerkleProof(proof));
    bytes.fill(0);
    expect(hexOf(encodeMerkleProof(proof))).toBe(before);
  });

  test("what cannot be written is the caller's mistake", () => {
    expect(() => encodeMerkleProof({ size: -1, path: [] })).toThrow(RangeError);
    expect(() => encodeMerkleProof({ size: 2 ** 53, path: [] })).toThrow(RangeError);
    expect(() => encodeMerkleProof({ size: 3, path: [new Uint8Array(31)] })).toThrow(RangeError);
  });
});

describe("proofs as JSON", () => {
  test("what cannot be written is the caller's mistake", () => {
    expect(() => merkleProofToJson({ size: Number.NaN, path: [] })).toThrow(RangeError);
    expect(() => merkleProofToJson({ size: 2 ** 53, path: [] })).toThrow(RangeError);
    expect(() => merkleProofToJson({ size: 3, path: [new Uint8Array(31)] })).toThrow(RangeError);
  });

  test("come back as they were", () => {
    for (let leaves = 1; leaves <= 12; leaves++) {
      const proof = rangeOfLeaves(leaves).merkleProof(leafPosition(leaves - 1));
      const text = JSON.stringify(merkleProofToJson(proof));
      expect(merkleProofFromJson(JSON.parse(text))).toEqual(proof);
    }
  });

  test("what no prover writes is refused, each with its code", () => {
    const hash = "0a".repeat(32);
    const cases: readonly (readonly [string, unknown])[] = [
      ["PMMR_MALFORMED", undefined],
      ["PMMR_MALFORMED", null],
      ["PMMR_MALFORMED", "proof"],
      ["PMMR_MALFORMED", []],
      ["PMMR_MALFORMED", {}],
      ["PMMR_MALFORMED", { size: 1 }],
      ["PMMR_MALFORMED", { path: [] }],
      ["PMMR_MALFORMED", { size: "1", path: [] }],
      ["PMMR_MALFORMED", { size: 1, path: {} }],
      ["PMMR_MALFORMED", { size: 1, path: [], extra: 1 }],
      ["PMMR_MALFORMED", JSON.parse('{"size":1,"path":[],"__proto__":{}}')],
      ["PMMR_MALFORMED", JSON.parse('{"size":1,"path":[],"constructor":{}}')],
      ["PMMR_MALFORMED", { size: -0, path: [] }],
      ["PMMR_MALFORMED", { size: 3, path: [hash.toUpperCase()] }],
      ["PMMR_MALFORMED", { size: 3, path: [hash.slice(2)] }],
      ["PMMR_MALFORMED", { size: 3, path: [`${hash}00`] }],
      ["PMMR_MALFORMED", { size: 3, path: [`${hash}\n`] }],
      ["PMMR_MALFORMED", { size: 3, path: [[hash]] }],
      ["PMMR_MALFORMED", { size: 3, path: Array.from({ length: 1 }) }],
      // oxlint-disable-next-line unicorn/no-new-array -- only so an array has places that hold nothing at all
      ["PMMR_MALFORMED", { size: 3, path: new Array(1) }],
      ["PMMR_OUT_OF_RANGE", { size: 1.5, path: [] }],
      ["PMMR_OUT_OF_RANGE", { size: -1, path: [] }],
      ["PMMR_OUT_OF_RANGE", { size: 2 ** 53, path: [] }],
      ["PMMR_TOO_LARGE", { size: 3, path: Array.from({ length: 129 }, () => hash) }],
      ["PMMR_INVALID_SIZE", { size: 2, path: [] }],
      ["PMMR_PROOF_SHAPE", { size: 3, path: [] }],
      ["PMMR_PROOF_SHAPE", { size: 3, path: [hash, hash] }],
    ];
    for (const [code, value] of cases) expect(codeOf(() => merkleProofFromJson(value))).toBe(code);
  });
});

describe("hostile input", { timeout: CAMPAIGN_TIMEOUT }, () => {
  /** Box of time per decoder, in milliseconds. */
  const TIME_LIMIT = 3000 * SCALE;
  const RUNS = 20_000 * SCALE;
  const proofs = Array.from({ length: 40 }, (_, i) => rangeOfLeaves(i + 1).merkleProof(0));
  const edges = [
    0n,
    1n,
    2n,
    127n,
    128n,
    129n,
    2n ** 31n,
    2n ** 32n,
    2n ** 53n,
    2n ** 53n + 1n,
    2n ** 64n - 1n,
  ];

  interface Change {
    readonly kind: "flip" | "set" | "truncate" | "insert" | "delete" | "repeat" | "u64";
    readonly at: number;
    readonly value: number;
  }
  const change: fc.Arbitrary<Change> = fc.record({
    kind: fc.constantFrom("flip", "set", "truncate", "insert", "delete", "repeat", "u64"),
    at: fc.nat(400),
    value: fc.nat(255),
  });

  function mutated(bytes: Uint8Array, { kind, at: place, value }: Change): Uint8Array {
    const at = place % (bytes.length + 1);
    const copy = new Uint8Array(bytes);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (kind) {
      case "flip":
        if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << (value % 8));
        return copy;
      case "set":
        if (at < copy.length) copy[at] = value;
        return copy;
      case "truncate":
        return head;
      case "insert":
        return Uint8Array.of(...head, value, ...tail);
      case "delete":
        return Uint8Array.of(...head, ...tail.subarray(1 + (value % 40)));
      case "repeat":
        return Uint8Array.of(...head, ...tail.subarray(0, 32), ...tail);
      case "u64":
        if (at + 8 <= copy.length) {
          new DataView(copy.buffer).setBigUint64(at, edges[value % edges.length] ?? 0n, false);
        }
        return copy;
    }
  }

  const hostileBytes = fc.oneof(
    fc.tuple(fc.nat(4096), fc.integer()).map(([length, seed]) => new Random(seed).bytes(length)),
    fc
      .tuple(fc.constantFrom(...proofs), fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([proof, changes]) => changes.reduce(mutated, encodeMerkleProof(proof))),
  );

  /** Codes that a decoder may give. */
  const CODES = new Set([
    "PMMR_TRUNCATED",
    "PMMR_NON_CANONICAL",
    "PMMR_OUT_OF_RANGE",
    "PMMR_TOO_LARGE",
    "PMMR_INVALID_SIZE",
    "PMMR_PROOF_SHAPE",
    "PMMR_MALFORMED",
  ]);

  test("bytes are read to what was written, or refused with a code", () => {
    let accepted = 0;
    let runs = 0;
    fc.assert(
      fc.property(hostileBytes, (bytes) => {
        runs++;
        const result = verdictOf(() => decodeMerkleProof(bytes));
        if (typeof result !== "string") accepted++;
        return typeof result === "string"
          ? CODES.has(result)
          : equalBytes(encodeMerkleProof(result), bytes);
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT, markInterruptAsFailure: false },
    );
    report(`proof bytes: ${runs} inputs, ${accepted} accepted`);
    expect(runs).toBeGreaterThan(1000);
    expect(accepted).toBeGreaterThan(0);
  });

  const hostileJson = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        size: fc.oneof(fc.nat(40), fc.jsonValue()),
        path: fc.oneof(
          fc.array(fc.oneof(fc.constant("0b".repeat(32)), fc.string(), fc.jsonValue())),
          fc.jsonValue(),
        ),
        ["__proto__"]: fc.jsonValue(),
        extra: fc.jsonValue(),
      },
      { requiredKeys: ["size", "path"] },
    ),
    fc
      .tuple(fc.constantFrom(...proofs), fc.nat(70), fc.string({ maxLength: 2 }))
      .map(([proof, at, text]) => {
        const json = JSON.stringify(merkleProofToJson(proof));
        const place = at % json.length;
        try {
          return JSON.parse(
            json.slice(0, place) + text + json.slice(place + text.length),
          ) as unknown;
        } catch {
          return text;
        }
      }),
  );

  test("JSON is read to what was written, or refused with a code", () => {
    let accepted = 0;
    let runs = 0;
    fc.assert(
      fc.property(hostileJson, (value) => {
        runs++;
        const result = verdictOf(() => merkleProofFromJson(value));
        if (typeof result !== "string") accepted++;
        return typeof result === "string"
          ? CODES.has(result)
          : isDeepStrictEqual(merkleProofToJson(result), { ...(value as object) });
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: TIME_LIMIT, markInterruptAsFailure: false },
    );
    report(`proof JSON: ${runs} inputs, ${accepted} accepted`);
    expect(runs).toBeGreaterThan(1000);
    expect(accepted).toBeGreaterThan(0);
  });

  test("a proof that was read can be given to the verifier", () => {
    const pmmr = rangeOfLeaves(13);
    const claim = { root: pmmr.root(), size: pmmr.size, pos0: 0, hashForm: word(0) };
    const honest = hexOf(encodeMerkleProof(pmmr.merkleProof(0)));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), (changes) => {
        const bytes = changes.reduce(mutated, fromHex(honest ?? ""));
        const verdict = verdictOf(() =>
          verifyMerkleProof({ ...claim, proof: decodeMerkleProof(bytes) }),
        );
        expect(verdict === true).toBe(hexOf(bytes) === honest);
      }),
      { numRuns: 3000 * SCALE },
    );
  });
});

test("a proof is plain data", () => {
  const proof: MerkleProof = { size: 1, path: [] };
  expect(
    verifyMerkleProof({
      root: rangeOfLeaves(1).root(),
      size: 1,
      pos0: 0,
      hashForm: word(0),
      proof,
    }),
  ).toBe(true);
});
