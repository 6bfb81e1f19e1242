import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmmrError, type PmmrErrorCode } from "../src/errors.ts";
import { ByteReader, ByteWriter } from "../src/wire.ts";

function codeOf(action: () => unknown): PmmrErrorCode | "none" {
  try {
    action();
  } catch (error) {
    if (error instanceof PmmrError) return error.code;
    throw error;
  }
  return "none";
}

/** Reader over a u64 count and `rest` zero bytes. */
function withCount(count: bigint, rest: number): ByteReader {
  const writer = new ByteWriter();
  writer.u64big(count);
  writer.bytes(new Uint8Array(rest));
  return new ByteReader(writer.finish(), "test");
}

type Field =
  | { readonly kind: "u8" | "u16" | "u32" | "u64"; readonly value: number }
  | { readonly kind: "u64big" | "i64big"; readonly value: bigint }
  | { readonly kind: "bytes"; readonly value: Uint8Array };

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.record({ kind: fc.constant("u8" as const), value: fc.integer({ min: 0, max: 0xff }) }),
  fc.record({ kind: fc.constant("u16" as const), value: fc.integer({ min: 0, max: 0xffff }) }),
  fc.record({ kind: fc.constant("u32" as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constant("u64" as const), value: fc.maxSafeNat() }),
  fc.record({
    kind: fc.constant("u64big" as const),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
  fc.record({
    kind: fc.constant("i64big" as const),
    value: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  }),
  fc.record({ kind: fc.constant("bytes" as const), value: fc.uint8Array({ maxLength: 40 }) }),
);

function write(writer: ByteWriter, item: Field): void {
  switch (item.kind) {
    case "u64big":
    case "i64big":
      return writer[item.kind](item.value);
    case "bytes":
      return writer.bytes(item.value);
    case "u8":
    case "u16":
    case "u32":
    case "u64":
      return writer[item.kind](item.value);
  }
}

function read(reader: ByteReader, item: Field): unknown {
  return item.kind === "bytes" ? reader.bytes(item.value.length) : reader[item.kind]();
}

describe("fields", () => {
  test("what was written is read back, from any place in a larger buffer, and nothing is left", () => {
    fc.assert(
      fc.property(
        fc.array(field, { maxLength: 60 }),
        fc.nat(20),
        fc.nat(30),
        (items, before, hint) => {
          const writer = new ByteWriter(hint);
          for (const item of items) write(writer, item);
          const written = writer.finish();
          expect(written.length).toBe(writer.length);
          const larger = new Uint8Array(before + written.length + 9).fill(0xee);
          larger.set(written, before);
          const reader = new ByteReader(larger.subarray(before, before + written.length), "test");
          for (const item of items) expect(read(reader, item)).toEqual(item.value);
          expect(reader.offset).toBe(written.length);
          expect(reader.remaining).toBe(0);
          reader.finish();
        },
      ),
    );
  });

  test("integers are most significant byte first", () => {
    const writer = new ByteWriter();
    writer.u8(1);
    writer.u16(0x0203);
    writer.u32(0x04050607);
    writer.u64(0x08090a0b0c0d);
    writer.i64big(-2n);
    expect([...writer.finish()]).toEqual([
      1, 2, 3, 4, 5, 6, 7, 0, 0, 8, 9, 10, 11, 12, 13, 255, 255, 255, 255, 255, 255, 255, 254,
    ]);
  });

  test("64-bit integers are exact around 2^31, 2^32 and 2^53 - 1, and refused above", () => {
    const edges = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER];
    for (const value of edges) {
      const writer = new ByteWriter();
      writer.u64(value);
      expect(new DataView(writer.finish().buffer).getBigUint64(0)).toBe(BigInt(value));
      expect(new ByteReader(writer.finish(), "test").u64()).toBe(value);
    }
    for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      const writer = new ByteWriter();
      writer.u64big(value);
      expect(codeOf(() => new ByteReader(writer.finish(), "test").u64())).toBe("PMMR_OUT_OF_RANGE");
    }
  });

  test("what is returned does not alias the input", () => {
    /** Behaves as Node's Buffer does: its `slice` is a view. */
    class Aliasing extends Uint8Array<ArrayBuffer> {
      override slice(begin?: number, end?: number): Uint8Array<ArrayBuffer> {
        return this.subarray(begin, end);
      }
    }
    for (const input of [new Uint8Array(64).fill(7), new Aliasing(new ArrayBuffer(64)).fill(7)]) {
      const reader = new ByteReader(input, "test");
      const hash = reader.hash();
      const packed = reader.hashes(1);
      input.fill(9);
      expect(hash).toEqual(new Uint8Array(32).fill(7));
      expect(packed).toEqual(new Uint8Array(32).fill(7));
    }
  });

  test("a view aliases the input and is bounded like a copy", () => {
    const input = new Uint8Array(4);
    const reader = new ByteReader(input.subarray(1), "test");
    const view = reader.view(2);
    input[1] = 5;
    expect([...view]).toEqual([5, 0]);
    expect(codeOf(() => reader.view(2))).toBe("PMMR_TRUNCATED");
  });
});

describe("hostile input", () => {
  test("a field cut short is refused wherever the cut is, and the reader does not move", () => {
    const reads: ((reader: ByteReader) => unknown)[] = [
      (reader) => reader.u8(),
      (reader) => reader.u16(),
      (reader) => reader.u32(),
      (reader) => reader.u64(),
      (reader) => reader.u64big(),
      (reader) => reader.i64big(),
      (reader) => reader.hash(),
    ];
    const widths = [1, 2, 4, 8, 8, 8, 32];
    reads.forEach((action, i) => {
      for (let length = 0; length < (widths[i] ?? 0); length++) {
        const reader = new ByteReader(new Uint8Array(length), "test");
        expect(codeOf(() => action(reader))).toBe("PMMR_TRUNCATED");
        expect(reader.offset).toBe(0);
      }
      expect(codeOf(() => action(new ByteReader(new Uint8Array(widths[i] ?? 0), "test")))).toBe(
        "none",
      );
    });
  });

  test("a count is believed only if its items can be there", () => {
    expect(withCount(3n, 96).count(32)).toBe(3);
    expect(codeOf(() => withCount(3n, 95).count(32))).toBe("PMMR_TRUNCATED");
    expect(codeOf(() => withCount(2n ** 53n - 1n, 95).count(1))).toBe("PMMR_TRUNCATED");
    expect(codeOf(() => withCount(2n ** 53n, 95).count(1))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => withCount(4n, 400).count(32, 3))).toBe("PMMR_TOO_LARGE");
    expect(codeOf(() => withCount(2n, 55).hashes(2))).toBe("PMMR_TRUNCATED");
  });

  test("bytes after the end are refused", () => {
    const reader = new ByteReader(new Uint8Array(3), "test");
    reader.u16();
    expect(codeOf(() => reader.finish())).toBe("PMMR_NON_CANONICAL");
  });
});

describe("the caller's mistakes", () => {
  test("values that do not fit their field are refused and nothing is written", () => {
    const writer = new ByteWriter();
    for (const value of [-1, 0.5, Number.NaN, 2 ** 53]) {
      expect(() => writer.u8(value)).toThrow(RangeError);
      expect(() => writer.u64(value)).toThrow(RangeError);
    }
    expect(() => writer.u8(256)).toThrow(RangeError);
    expect(() => writer.u16(65_536)).toThrow(RangeError);
    expect(() => writer.u32(2 ** 32)).toThrow(RangeError);
    expect(() => writer.u64big(2n ** 64n)).toThrow(RangeError);
    expect(() => writer.u64big(-1n)).toThrow(RangeError);
    expect(() => writer.i64big(2n ** 63n)).toThrow(RangeError);
    expect(() => writer.hash(new Uint8Array(31))).toThrow(RangeError);
    expect(writer.length).toBe(0);
  });

  test("only a Uint8Array can be read", () => {
    expect(() => new ByteReader([1, 2] as unknown as Uint8Array, "test")).toThrow(TypeError);
  });
});
