import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytes, json, u16, utf8 } from "../../src/codec/index.ts";
import { decodePatch, encodePatch, invertPatch, type Patch } from "../../src/patch/patch.ts";
import { type MapDifference } from "../../src/reads/map-difference.ts";
import { fuzz } from "../codec/fuzz.ts";
import { bytesOf, codeOf, errorOf, hexOf } from "../codec/support.ts";

const codecs = { key: u16, value: utf8 };
const text = fc.string({ maxLength: 5 });

const change = (key: number): fc.Arbitrary<MapDifference<number, string>> =>
  fc.oneof(
    fc.record({ type: fc.constant("added" as const), key: fc.constant(key), value: text }),
    fc.record({ type: fc.constant("removed" as const), key: fc.constant(key), oldValue: text }),
    fc
      .tuple(text, text)
      .filter(([oldValue, value]) => oldValue !== value)
      .map(([oldValue, value]) => ({ type: "modified" as const, key, oldValue, value })),
  );

const patches: fc.Arbitrary<Patch<number, string>> = fc
  .uniqueArray(fc.nat(0xffff), { maxLength: 8 })
  .chain((keys) => fc.tuple(...keys.map(change)));

const byKey = (patch: Patch<number, string>): Patch<number, string> =>
  patch.toSorted((a, b) => a.key - b.key);

/** What stands before the changes: magic, version and the names of the codecs. */
const HEADER = "766d701a0103753136 0475746638".replace(" ", "");

describe("patch", () => {
  test("what was encoded is decoded, in the order of keys", () => {
    fc.assert(
      fc.property(patches, (patch) => {
        const encoded = encodePatch(codecs, patch);
        expect(decodePatch(codecs, encoded)).toEqual(byKey(patch));
        expect(hexOf(encodePatch(codecs, patch.toReversed()))).toBe(hexOf(encoded));
      }),
    );
  });

  test("taken back twice it is what it was", () => {
    fc.assert(
      fc.property(patches, (patch) => {
        expect(invertPatch(invertPatch(patch))).toEqual(patch);
      }),
    );
  });

  test("its bytes are those of the format", () => {
    const patch: Patch<number, string> = [
      { type: "modified", key: 2, oldValue: "a", value: "bc" },
      { type: "added", key: 1, value: "x" },
      { type: "removed", key: 300, oldValue: "" },
    ];
    expect(hexOf(encodePatch(codecs, patch))).toBe(
      `${HEADER}03${["000200010178", "020200020161026263", "0102012c00"].join("")}`,
    );
    expect(hexOf(encodePatch(codecs, []))).toBe(`${HEADER}00`);
  });

  test.each([
    ["nothing", "", 0],
    ["another magic", "766d701b", 0],
    ["another version", "766d701a02", 4],
    ["a name that is no UTF-8", "766d701a0101ff", 5],
    ["a count that cannot be", `${HEADER}ffffffff0f`, 14],
    ["an unknown kind", `${HEADER}01030200010161`, 15],
    ["keys out of order", `${HEADER}02000200020161000200010161`, 21],
    ["a key twice", `${HEADER}02000200010161000200010161`, 21],
    ["a change that changes nothing", `${HEADER}010202000101610161`, 15],
    ["a key that its codec refuses", `${HEADER}010001010161`, 15],
    ["a value that its codec refuses", `${HEADER}0100020001 01ff`.replace(" ", ""), 15],
    ["bytes after the end", `${HEADER}0000`, 15],
    ["a value cut short", `${HEADER}0100020001 0561`.replace(" ", ""), 19],
  ])("%s is refused, with the place", (_, hex, offset) => {
    const error = errorOf(() => decodePatch(codecs, bytesOf(hex)));
    expect([error.code, error.offset]).toEqual(["VERMAP_PATCH_CORRUPT", offset]);
  });

  test("a patch of other codecs is not read", () => {
    const encoded = encodePatch(codecs, []);
    const others = [
      { key: utf8, value: utf8 },
      { key: u16, value: bytes },
    ];
    for (const other of others) {
      expect(codeOf(() => decodePatch<never, never>(other as never, encoded))).toBe(
        "VERMAP_FORMAT",
      );
    }
  });

  test("a codec that takes several forms of a value does not give a patch several forms", () => {
    const loose = {
      key: u16,
      value: {
        name: "json",
        encode: (value: unknown) => json<unknown>().encode(value),
        decode: (encoded: Uint8Array) => JSON.parse(utf8.decode(encoded)) as unknown,
      },
    };
    const value = utf8.encode(`{"a": 1}`);
    const spaced = encodePatch({ key: u16, value: { ...bytes, name: "json" } }, [
      { type: "added", key: 1, value },
    ]);
    expect(codeOf(() => decodePatch(loose, spaced))).toBe("VERMAP_PATCH_CORRUPT");
  });

  test("a key twice, a change of nothing and an unknown type are the caller's mistake", () => {
    const added = { type: "added", key: 1, value: "" } as const;
    const none = { type: "modified", key: 1, oldValue: "a", value: "a" } as const;
    expect(() => encodePatch(codecs, [added, added])).toThrow(RangeError);
    expect(() => encodePatch(codecs, [none])).toThrow(RangeError);
    expect(() => encodePatch(codecs, [{ ...added, type: "put" as "added" }])).toThrow(TypeError);
  });

  test("fuzzed bytes are refused or encode to themselves", () => {
    const valid = fc.sample(patches, { numRuns: 40, seed: 9 });
    const target = {
      name: "patch",
      encode: (patch: unknown) => encodePatch(codecs, patch as Patch<number, string>),
      decode: (encoded: Uint8Array) => decodePatch(codecs, encoded),
    };
    const inputs = valid.map((patch) => encodePatch(codecs, patch));
    expect(fuzz(target, inputs, 17)).toBeGreaterThan(0);
  });
});
