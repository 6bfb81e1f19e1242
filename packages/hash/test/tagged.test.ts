import { readFileSync } from "node:fs";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { expect, test } from "vitest";
import { concatBytes, fromHex, sha256, taggedSha256, toHex } from "../src/index.ts";
import { bytes, openSsl } from "./cases.ts";

interface TaggedVectors {
  readonly tags: readonly {
    readonly tag: string;
    readonly tagDigest: string;
    readonly vectors: readonly { readonly message: string; readonly digest: string }[];
  }[];
}

const { tags } = JSON.parse(
  readFileSync(new URL("vectors/tagged-sha-256.json", import.meta.url), "utf8"),
) as TaggedVectors;

test.each(tags)(
  "messages under $tag have their published digests",
  ({ tag, tagDigest, vectors }) => {
    expect(toHex(sha256().hash(new TextEncoder().encode(tag)))).toBe(tagDigest);
    expect(vectors.length).toBeGreaterThan(0);
    for (const { message, digest } of vectors) {
      expect(toHex(taggedSha256(tag).hash(fromHex(message)))).toBe(digest);
    }
  },
);

test("a tagged digest is SHA-256 of the tag's digest twice, the prefix, and the message", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 200 }),
      (tag, prefix, message) => {
        const tagDigest = openSsl("sha256", tag);
        expect(taggedSha256(tag, { prefix }).hash(message)).toEqual(
          openSsl("sha256", concatBytes([tagDigest, tagDigest, prefix, message])),
        );
      },
    ),
  );
});

test("the example in FORMAT.md is what is computed", () => {
  const format = readFileSync(new URL("../FORMAT.md", import.meta.url), "utf8");
  const tagDigest = sha256().hash(new TextEncoder().encode("SMTNode"));
  const state = nobleSha256.create().update(concatBytes([tagDigest, tagDigest]));
  const words = (state as unknown as { get(): readonly number[] }).get();
  const midstate = words.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  const hasher = taggedSha256("SMTNode");
  expect(format).toMatch(`T                    = ${toHex(tagDigest)}\n`);
  expect(format).toMatch(`midstate             = ${midstate}\n`);
  expect(format).toMatch(`digest of no bytes   = ${toHex(hasher.hash(new Uint8Array(0)))}\n`);
  expect(format).toMatch(`digest of the byte a = ${toHex(hasher.hash(Uint8Array.of(0x61)))}\n`);
});

test("a tag as text is its UTF-8", () => {
  const bytesOfTag = Uint8Array.of(0xc3, 0xa9, 0xf0, 0x9f, 0x8c, 0xb1);
  expect(taggedSha256("é🌱").hash(bytes(9))).toEqual(taggedSha256(bytesOfTag).hash(bytes(9)));
});

test("a pack under a tag gives what one by one gives", () => {
  const hasher = taggedSha256("SMTNode");
  const messages = bytes(64 * 10);
  const output = new Uint8Array(32 * 10);
  hasher.hashMany(messages, 64, 10, output);
  for (let i = 0; i < 10; i++) {
    const digest = hasher.hash(messages.subarray(64 * i, 64 * i + 64));
    expect(output.slice(32 * i, 32 * i + 32)).toEqual(digest);
  }
});

test("tags without a UTF-8 form, and tags and prefixes that are not bytes, are refused", () => {
  for (const tag of ["\ud83c", "a\udf31b", "\udf31\ud83c"]) {
    expect(() => taggedSha256(tag)).toThrow(RangeError);
  }
  expect(() => taggedSha256(7 as unknown as string)).toThrow(TypeError);
  const prefix = "text" as unknown as Uint8Array;
  expect(() => taggedSha256("tag", { prefix })).toThrow(TypeError);
});
