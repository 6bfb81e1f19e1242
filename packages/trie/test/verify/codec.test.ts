import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TrieError } from "../../src/index.ts";
import * as verify from "../../src/verify/index.ts";
import { anyKey, history } from "../histories.ts";
import { subjectsOf } from "./subjects.ts";

const recoders: Record<string, (bytes: Uint8Array) => Uint8Array> = {
  MptProof: (bytes) => verify.encodeMptProof(verify.decodeMptProof(bytes)),
  SmtProof: (bytes) => verify.encodeSmtProof(verify.decodeSmtProof(bytes)),
  MptBatchProof: (bytes) => verify.encodeMptBatchProof(verify.decodeMptBatchProof(bytes)),
  SmtBatchProof: (bytes) => verify.encodeSmtBatchProof(verify.decodeSmtBatchProof(bytes)),
  MptRangeProof: (bytes) => verify.encodeMptRangeProof(verify.decodeMptRangeProof(bytes)),
};
const readers = {
  MptProof: verify.mptProofFromJson,
  SmtProof: verify.smtProofFromJson,
  MptBatchProof: verify.mptBatchProofFromJson,
  SmtBatchProof: verify.smtBatchProofFromJson,
  MptRangeProof: verify.mptRangeProofFromJson,
} as const;

const edit = fc.record({
  at: fc.nat(),
  size: fc.nat({ max: 8 }),
  bytes: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc.constantFrom(0x7f, 0x80, 0xff).map((byte) => new Uint8Array(10).fill(byte)),
  ),
});

test("changed bytes decode into what encodes to them, or are refused", () => {
  fc.assert(
    fc.property(
      history,
      anyKey,
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      (changes, key, edits) => {
        for (const { bytes, recode } of subjectsOf(changes, [key], { gte: key })) {
          let mutated = Array.from(bytes);
          for (const { at, size, bytes: put } of edits)
            mutated = mutated.toSpliced(at % (mutated.length + 1), size, ...put);
          const input = Uint8Array.from(mutated);
          expect(recoded(recode, input) ?? input).toEqual(input);
        }
      },
    ),
    { numRuns: scaled(1000) },
  );
});

describe.each(Object.entries(recoders))("%s", (_, recode) => {
  test("random bytes decode into what encodes to them, or are refused", () => {
    fc.assert(
      fc.property(fc.nat({ max: 6 }), fc.uint8Array({ maxLength: 400 }), (kind, tail) => {
        const input = Uint8Array.of(1, kind, ...tail);
        expect(recoded(recode, input) ?? input).toEqual(input);
      }),
      { numRuns: scaled(3000) },
    );
  });

  test("a count of 2^53 allocates nothing, and more bytes than the limit are refused unread", () => {
    const count = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
    for (let kind = 0; kind < 7; kind++)
      expect(recoded(recode, Uint8Array.of(1, kind, ...count))).toBeUndefined();
    expect(() => recode(new Uint8Array(2 ** 20 + 1))).toThrow(
      expect.objectContaining({ code: "TRIE_PROOF_TOO_LARGE" }),
    );
    expect(() => recode("bytes" as never)).toThrow(TypeError);
  });
});

test.each(Object.entries(readers))("%s as JSON: anything else is refused", (_, read) => {
  fc.assert(
    fc.property(fc.jsonValue(), (json) => {
      expect(() => read(json)).toThrow(expect.objectContaining({ code: "TRIE_PROOF_FORMAT" }));
    }),
    { numRuns: scaled(300) },
  );
  const hostile = JSON.parse('{"__proto__":{"nodes":[]},"parts":[],"nodes":[]}') as unknown;
  expect(() => read(hostile)).toThrow(expect.objectContaining({ code: "TRIE_PROOF_FORMAT" }));
});

function recoded(
  recode: (bytes: Uint8Array) => Uint8Array,
  input: Uint8Array,
): Uint8Array | undefined {
  try {
    return recode(input);
  } catch (error) {
    if (error instanceof TrieError) return undefined;
    throw error;
  }
}
