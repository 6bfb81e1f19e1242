import { describe, expect, test } from "vitest";

import { bytesCodec, jsonCodec, UpdateSet, utf8Codec } from "../../src/index.ts";

describe("codecs", () => {
  test("give back what they were given, and refuse what is not theirs", () => {
    for (const text of ["", "a", "ü€😀", "\ufeffx"])
      expect(utf8Codec.decode(utf8Codec.encode(text) as Uint8Array<ArrayBuffer>)).toBe(text);
    expect(() => utf8Codec.decode(Uint8Array.of(0xff))).toThrow(TypeError);
    const own = Uint8Array.of(1, 2);
    expect(bytesCodec.encode(own)).toEqual(own);
    expect(bytesCodec.encode(own)).not.toBe(own);
    expect(() => bytesCodec.encode("a" as never)).toThrow(TypeError);
    expect(() => utf8Codec.encode(1 as never)).toThrow(TypeError);
    expect(() => jsonCodec<unknown>().encode(undefined)).toThrow(TypeError);
  });
});

describe("update sets", () => {
  test("the last change of a key wins, and a removal reads as nothing", () => {
    const set = new UpdateSet<string, number>([
      ["a", 1],
      ["b", 2],
    ])
      .put("a", 3)
      .remove("b")
      .puts([["c", 4]]);
    expect([set.size, set.get("a"), set.get("b"), set.get("c"), set.get("d")]).toEqual([
      3,
      3,
      undefined,
      4,
      undefined,
    ]);
    expect([...set]).toEqual([
      { type: "put", key: "a", value: 3 },
      { type: "del", key: "b" },
      { type: "put", key: "c", value: 4 },
    ]);
    set.clear();
    expect(set.size).toBe(0);
  });
});
