import { fromHex } from "@x/hash";
import { Random, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { decodeSegment, encodeSegment } from "../src/segment-codec.ts";
import { makeSegment } from "../src/segment-make.ts";
import { SEGMENT_HEIGHT_MAX, type Segment } from "../src/segment.ts";
import { ByteWriter } from "../src/wire.ts";
import { fuzz } from "./fuzz.ts";
import { NaiveRange, bytesCodec, variableCodec, vectorElement } from "./segment-model.ts";
import { bytesCodec as codecOfBytes } from "../src/codec.ts";
import { codeOf, word } from "./support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

const codec = bytesCodec(4);
/** Records of any length, with nothing that says where one ends. */
const blindCodec = codecOfBytes();

/** Anything that the format can hold, whether or not it is a segment of some range. */
function anySegment(record: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Segment> {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const positions = fc
    .uniqueArray(fc.nat(Number.MAX_SAFE_INTEGER - 1), { maxLength: 12 })
    .map((list) => list.toSorted((a, b) => a - b));
  return fc
    .record({
      id: fc.record({ height: fc.nat(13), index: fc.maxSafeNat() }),
      hashPositions: positions,
      leafPositions: positions,
      hashes: fc.array(hash, { minLength: 12, maxLength: 12 }),
      records: fc.array(record, { minLength: 12, maxLength: 12 }),
      proof: fc.array(hash, { maxLength: 10 }),
    })
    .map(({ id, hashPositions, leafPositions, hashes, records, proof }) => ({
      id,
      hashes: hashPositions.map((pos0, i) => ({ pos0, hash: hashes[i] as Uint8Array })),
      leaves: leafPositions.map((pos0, i) => ({ pos0, record: records[i] as Uint8Array })),
      proof,
    }));
}

const fixedSegment = anySegment(fc.uint8Array({ minLength: 4, maxLength: 4 }));
const variableSegment = anySegment(
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => variableCodec.store(bytes)),
);

/** Valid encodings of real segments, small ones. */
function realSegments(): Uint8Array[] {
  const range = new NaiveRange(
    Array.from({ length: 11 }, (_, i) => word(i)),
    { prunable: true },
  );
  range.spend(0, 1, 2, 3, 6);
  range.compact();
  range.spend(7, 9);
  const ids = [0, 1, 2, 3, 4].map((height) => ({ height, index: 0 }));
  ids.push({ height: 0, index: 2 }, { height: 1, index: 2 }, { height: 2, index: 2 });
  return ids.map((id) => encodeSegment(makeSegment(range, id)));
}

/** Fields of a segment as they come, each a number of 64 bits, bytes, or the height. */
function built(...fields: readonly (bigint | Uint8Array)[]): Uint8Array {
  const writer = new ByteWriter();
  for (const field of fields) {
    if (typeof field === "bigint") writer.u64big(field);
    else writer.bytes(field);
  }
  return writer.finish();
}
const height = (value: number): Uint8Array => Uint8Array.of(value);

describe("encoding", () => {
  test("a segment comes back as it was, with records of fixed and of variable size", () => {
    fc.assert(
      fc.property(fixedSegment, (segment) => {
        expect(decodeSegment(encodeSegment(segment), codec)).toEqual(segment);
      }),
    );
    fc.assert(
      fc.property(variableSegment, (segment) => {
        expect(decodeSegment(encodeSegment(segment), variableCodec)).toEqual(segment);
      }),
    );
  });

  test("the layout is identifier, positions from 1 and hashes, positions and records, proof", () => {
    const segment: Segment = {
      id: { height: 1, index: 2 },
      hashes: [{ pos0: 9, hash: new Uint8Array(32).fill(0xaa) }],
      leaves: [{ pos0: 7, record: Uint8Array.of(1, 2, 3, 4) }],
      proof: [new Uint8Array(32).fill(0xbb)],
    };
    const bytes = fromHex(
      `01 0000000000000002
       0000000000000001 000000000000000a ${"aa".repeat(32)}
       0000000000000001 0000000000000008 01020304
       0000000000000001 ${"bb".repeat(32)}`.replaceAll(/\s/g, ""),
    );
    expect(encodeSegment(segment)).toEqual(bytes);
    expect(decodeSegment(bytes, codec)).toEqual(segment);
  });

  test("what is decoded does not change with the input", () => {
    const [bytes] = realSegments() as [Uint8Array];
    const before = decodeSegment(bytes, codec);
    const after = decodeSegment(bytes, codec);
    bytes.fill(0);
    expect(after).toEqual(before);
  });

  test("what cannot be written is the caller's mistake", () => {
    const segment: Segment = { id: { height: 0, index: 0 }, hashes: [], leaves: [], proof: [] };
    const hash = new Uint8Array(32);
    const wrong: Segment[] = [
      { ...segment, id: { height: -1, index: 0 } },
      { ...segment, id: { height: 0, index: -1 } },
      { ...segment, proof: [new Uint8Array(31)] },
      { ...segment, hashes: [{ pos0: 1, hash: new Uint8Array(33) }] },
      {
        ...segment,
        hashes: [
          { pos0: 1, hash },
          { pos0: 1, hash },
        ],
      },
      {
        ...segment,
        leaves: [
          { pos0: 2, record: hash },
          { pos0: 1, record: hash },
        ],
      },
      { ...segment, leaves: [{ pos0: -1, record: hash }] },
    ];
    for (const one of wrong) expect(() => encodeSegment(one)).toThrow(RangeError);
  });

  test("holds what its reader takes, to the last item, and no more", () => {
    const hash = new Uint8Array(32);
    const record = new Uint8Array(4);
    const hashes = Array.from({ length: 1_000_001 }, (_, pos0) => ({ pos0, hash }));
    const leaves = hashes.map(({ pos0 }) => ({ pos0, record }));
    const proof = Array.from({ length: 129 }, () => hash);
    const id = { height: SEGMENT_HEIGHT_MAX, index: 0 };
    const empty: Segment = { id, hashes: [], leaves: [], proof: [] };
    const largest = {
      id,
      hashes: hashes.slice(1),
      leaves: leaves.slice(1),
      proof: proof.slice(1),
    };
    const limits = { heightMax: SEGMENT_HEIGHT_MAX };
    const read = decodeSegment(encodeSegment(largest), codec, limits);
    expect([read.hashes.length, read.leaves.length, read.proof.length]).toEqual([1e6, 1e6, 128]);
    const tooLarge: Segment[] = [
      { ...empty, hashes },
      { ...empty, leaves },
      { ...empty, proof },
      { ...empty, id: { height: SEGMENT_HEIGHT_MAX + 1, index: 0 } },
    ];
    for (const one of tooLarge) expect(codeOf(() => encodeSegment(one))).toBe("PMMR_TOO_LARGE");
  });
});

describe("hostile bytes", () => {
  const hash = new Uint8Array(32);

  test("every prefix of a segment is refused as cut short", () => {
    for (const bytes of realSegments()) {
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(() => decodeSegment(bytes.subarray(0, length), codec))).toBe(
          "PMMR_TRUNCATED",
        );
      }
    }
  });

  test("counts that the input cannot hold are refused before anything is made", () => {
    expect(codeOf(() => decodeSegment(built(height(1), 0n, 1_000_000n), codec))).toBe(
      "PMMR_TRUNCATED",
    );
    expect(codeOf(() => decodeSegment(built(height(1), 0n, 0n, 0n, 100n), codec))).toBe(
      "PMMR_TRUNCATED",
    );
    expect(codeOf(() => decodeSegment(built(height(1), 0n, 1_000_001n), codec))).toBe(
      "PMMR_TOO_LARGE",
    );
    expect(codeOf(() => decodeSegment(built(height(1), 0n, 0n, 0n, 129n), codec))).toBe(
      "PMMR_TOO_LARGE",
    );
    expect(codeOf(() => decodeSegment(built(height(1), 0n, 2n ** 64n - 1n), codec))).toBe(
      "PMMR_OUT_OF_RANGE",
    );
  });

  test("limits can be lowered, and the height raised", () => {
    const bytes = (value: number): Uint8Array => built(height(value), 0n, 0n, 0n, 0n);
    expect(codeOf(() => decodeSegment(bytes(13), codec))).toBe("none");
    expect(codeOf(() => decodeSegment(bytes(14), codec))).toBe("PMMR_TOO_LARGE");
    expect(codeOf(() => decodeSegment(bytes(15), codec, { heightMax: 15 }))).toBe("none");
    const above = SEGMENT_HEIGHT_MAX + 1;
    expect(codeOf(() => decodeSegment(bytes(above), codec, { heightMax: 255 }))).toBe(
      "PMMR_TOO_LARGE",
    );
    const two = built(height(0), 0n, 2n, 1n, 2n, hash, hash, 0n, 0n);
    expect(codeOf(() => decodeSegment(two, codec))).toBe("none");
    expect(codeOf(() => decodeSegment(two, codec, { countMax: 1 }))).toBe("PMMR_TOO_LARGE");
    for (const none of [Number.NaN, -1, 1.5]) {
      expect(() => decodeSegment(two, codec, { countMax: none })).toThrow(RangeError);
      expect(() => decodeSegment(two, codec, { heightMax: none })).toThrow(RangeError);
    }
  });

  test("positions that do not ascend from 1 are refused", () => {
    for (const [first, second] of [
      [0n, 1n],
      [3n, 3n],
      [4n, 3n],
    ] as const) {
      const hashes = built(height(0), 0n, 2n, first, second, hash, hash, 0n, 0n);
      expect(codeOf(() => decodeSegment(hashes, codec))).toBe("PMMR_NON_CANONICAL");
      const leaves = built(height(0), 0n, 0n, 2n, first, second, word(1), word(2), 0n);
      expect(codeOf(() => decodeSegment(leaves, codec))).toBe("PMMR_NON_CANONICAL");
    }
    const above = built(height(0), 0n, 1n, 2n ** 53n, hash, 0n, 0n);
    expect(codeOf(() => decodeSegment(above, codec))).toBe("PMMR_OUT_OF_RANGE");
  });

  test("a byte after the end is refused", () => {
    for (const bytes of realSegments()) {
      const longer = new Uint8Array(bytes.length + 1);
      longer.set(bytes);
      expect(codeOf(() => decodeSegment(longer, codec))).toBe("PMMR_NON_CANONICAL");
    }
  });

  test("a record that is no element is refused, with the codec's reason", () => {
    const empty = built(height(0), 0n, 0n, 1n, 1n, Uint8Array.of(0, 0, 0), 0n);
    expect(codeOf(() => decodeSegment(empty, variableCodec))).toBe("PMMR_MALFORMED");
    const refusing = { ...codec, load: () => expect.fail("no element") };
    const one = built(height(0), 0n, 0n, 1n, 1n, word(1), 0n);
    expect(() => decodeSegment(one, refusing)).toThrow(
      expect.objectContaining({
        code: "PMMR_MALFORMED",
        cause: expect.objectContaining({ message: "no element" }),
      }),
    );
    const cut = built(height(0), 0n, 0n, 1n, 1n, Uint8Array.of(9, 1));
    expect(codeOf(() => decodeSegment(cut, variableCodec))).toBe("PMMR_TRUNCATED");
    const unknown = { ...variableCodec, recordSizeAt: () => undefined };
    expect(codeOf(() => decodeSegment(cut, unknown))).toBe("PMMR_TRUNCATED");
  });

  test("a codec that cannot tell records apart, and an input that is no bytes, are the caller's mistakes", () => {
    const one = built(height(0), 0n, 0n, 1n, 1n, word(1), 0n);
    expect(() => decodeSegment(one, blindCodec)).toThrow(TypeError);
    expect(() => decodeSegment(one, { ...variableCodec, recordSizeAt: () => 0 })).toThrow(
      RangeError,
    );
    expect(() => decodeSegment("00" as unknown as Uint8Array, codec)).toThrow(TypeError);
  });

  test("T-FUZZ: the package's error, or a value that encodes to the input", () => {
    const fixed = fuzz(
      {
        name: "segment of fixed records",
        valid: realSegments(),
        run: (input) => encodeSegment(decodeSegment(input, codec)),
      },
      new Random(seedOf("segment")),
      scaled(20_000),
    );
    expect(fixed.refused).toBeGreaterThan(0);
    const range = new NaiveRange(
      Array.from({ length: 9 }, (_, i) => vectorElement(i).subarray(0, i + 1)),
      { prunable: false },
    );
    const records = range.records.map((element) => variableCodec.store(element));
    const variable = fuzz(
      {
        name: "segment of variable records",
        valid: [0, 1, 2].map((index) =>
          encodeSegment(
            makeSegment(
              {
                size: range.size,
                prunable: false,
                hashing: range.hashing,
                hashAt: (pos0) => range.hashAt(pos0),
                recordAt: (pos0) => records[range.leafIndexAt(pos0)],
              },
              { height: 2, index },
            ),
          ),
        ),
        run: (input) => encodeSegment(decodeSegment(input, variableCodec)),
      },
      new Random(seedOf("segment", "variable")),
      scaled(20_000),
    );
    expect(variable.refused).toBeGreaterThan(0);
  });

  test("memory stays a small multiple of the input", () => {
    const inputs = [
      built(height(1), 0n, 1_000_000n),
      built(height(1), 0n, 0n, 1_000_000n),
      ...realSegments(),
    ];
    const before = process.memoryUsage();
    const kept: unknown[] = [];
    for (let i = 0; i < 2000; i++) {
      for (const input of inputs) {
        codeOf(() => kept.push(decodeSegment(input, codec)));
      }
    }
    const after = process.memoryUsage();
    const used = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    const bytes = 2000 * inputs.reduce((sum, input) => sum + input.length, 0);
    expect(kept.length).toBe(2000 * realSegments().length);
    // What is kept of all inputs together, and what was not yet collected: far below 16 times, 64 KiB each aside.
    expect(used).toBeLessThan(16 * bytes);
  });
});
