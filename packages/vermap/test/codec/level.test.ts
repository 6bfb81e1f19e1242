import { describe, expect, test, vi } from "vitest";
import { fromLevel } from "../../src/codec/index.ts";
import { codeOf, hexOf } from "./support.ts";

describe("encodings of the Level family", () => {
  test("one of format utf8 is written as UTF-8", () => {
    const codec = fromLevel<number>({
      name: "decimal",
      format: "utf8",
      encode: String,
      decode: (text: string) => Number(text),
    });
    expect(codec.name).toBe("level:decimal");
    expect(hexOf(codec.encode(42))).toBe("3432");
    expect(codec.decode(codec.encode(42))).toBe(42);
    expect(codeOf(() => codec.decode(Uint8Array.of(0xff)))).toBe("VERMAP_UNDECODABLE");
  });

  test("one of format view is given bytes of its own", () => {
    const codec = fromLevel<Uint8Array>({
      name: "view",
      format: "view",
      encode: (value: Uint8Array) => value,
      decode: (bytes: Uint8Array) => bytes,
    });
    const stored = Uint8Array.of(1, 2);
    const decoded = codec.decode(stored);
    decoded[0] = 9;
    expect(stored[0]).toBe(1);
    const encoded = codec.encode(stored);
    stored[0] = 9;
    expect(encoded).toEqual(Uint8Array.of(1, 2));
  });

  test("one of format buffer is given a Buffer, and its Buffer becomes plain bytes", () => {
    const codec = fromLevel<string>({
      name: "hex",
      format: "buffer",
      encode: (text: string) => globalThis.Buffer.from(text, "hex"),
      decode: (buffer: { toString(encoding: string): string }) => buffer.toString("hex"),
    });
    expect(Object.getPrototypeOf(codec.encode("00ff"))).toBe(Uint8Array.prototype);
    expect(codec.decode(Uint8Array.of(0, 255))).toBe("00ff");
  });

  test("where there is no Buffer, format buffer is the caller's mistake", () => {
    vi.stubGlobal("Buffer", undefined);
    try {
      const encoding = {
        name: "hex",
        format: "buffer",
        encode: String,
        decode: String as (bytes: never) => string,
      } as const;
      expect(() => fromLevel(encoding)).toThrow(TypeError);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("what the encoding refuses is undecodable, with its reason as the cause", () => {
    const reason = new Error("not today");
    const codec = fromLevel<string>({
      name: "picky",
      format: "view",
      encode: () => new Uint8Array(1),
      decode: () => {
        throw reason;
      },
    });
    expect(codeOf(() => codec.decode(new Uint8Array(1)))).toBe("VERMAP_UNDECODABLE");
    expect(() => codec.decode(new Uint8Array(1))).toThrow(
      expect.objectContaining({ cause: reason }) as Error,
    );
  });

  test("an encoding that does not keep its format is the caller's mistake", () => {
    const encoding = { name: "odd", encode: () => 5 as never, decode: () => 5 } as const;
    expect(() => fromLevel({ ...encoding, format: "view" }).encode(1)).toThrow(TypeError);
    expect(() => fromLevel({ ...encoding, format: "text" as "view" })).toThrow(TypeError);
  });
});
