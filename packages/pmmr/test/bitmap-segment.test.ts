import { readFileSync } from "node:fs";
import { blake2b256, fromHex, toHex } from "@x/hash";
import { Random, printCounts, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { BitmapAccumulator } from "../src/bitmap-accumulator.ts";
import { CHUNK_SIZE, bitmapChunkCodec } from "../src/bitmap-chunk.ts";
import { decodeBitmapSegment, encodeBitmapSegment } from "../src/bitmap-segment.ts";
import { leafPosition } from "../src/position.ts";
import { type SegmentMode, validateSegment } from "../src/segment-validate.ts";
import { type Segment, type SegmentId, segmentsRequired } from "../src/segment.ts";
import { ByteWriter } from "../src/wire.ts";
import { fuzz } from "./fuzz.ts";
import { parseSet } from "./segment-model.ts";
import { codeOf } from "./support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

interface Vector {
  readonly accumulator: string;
  readonly segment: string;
  readonly accumulatorRoot: string;
  readonly serialized: string;
  readonly length: number;
  readonly blake2b256: string;
}
const { bitmapSegments }: { readonly bitmapSegments: readonly Vector[] } = JSON.parse(
  readFileSync(new URL("vectors/pmmr.json", import.meta.url), "utf8"),
);

const MODES: readonly SegmentMode[] = ["strict", "compatible"];

function accumulatorOf(text: string): BitmapAccumulator {
  const [, set, end] = text.split(":") as [string, string, string];
  return BitmapAccumulator.from(parseSet(set), Number(end));
}

function idOf(text: string): SegmentId {
  const [, height, index] = text.split(":").map(Number) as [number, number, number];
  return { height, index };
}

/** A segment of its own height that holds these chunks, with a proof of no hashes. */
function segmentOf(chunks: readonly Uint8Array[], height = 13): Segment {
  const leaves = chunks.map((record, i) => ({ pos0: leafPosition(i), record }));
  return { id: { height, index: 0 }, hashes: [], leaves, proof: [] };
}

/** A chunk with so many bits set, from its beginning. */
function chunkWith(bits: number): Uint8Array {
  const chunk = new Uint8Array(CHUNK_SIZE);
  for (let bit = 0; bit < bits; bit++) {
    chunk[bit >> 3] = (chunk[bit >> 3] as number) | (0x80 >> (bit % 8));
  }
  return chunk;
}

/** Bytes of a segment: height, index, then blocks and a proof as given. */
function built(height: number, index: bigint, blocks: number, ...rest: number[][]): Uint8Array {
  const writer = new ByteWriter();
  writer.u8(height);
  writer.u64big(index);
  writer.u16(blocks);
  for (const bytes of rest) writer.bytes(Uint8Array.from(bytes));
  return writer.finish();
}
const NO_PROOF = [0, 0, 0, 0, 0, 0, 0, 0];

describe("segments of a bitmap accumulator", () => {
  test("bytes, digests and verdicts of the original, in each of the modes that it wrote", () => {
    expect(bitmapSegments.length).toBe(7);
    const hasher = blake2b256();
    const modes = new Set<number>();
    for (const vector of bitmapSegments) {
      const accumulator = accumulatorOf(vector.accumulator);
      expect(toHex(accumulator.root())).toBe(vector.accumulatorRoot);
      const id = idOf(vector.segment);
      const segment = accumulator.segment(id);
      const bytes = encodeBitmapSegment(segment);
      expect(toHex(bytes)).toBe(vector.serialized);
      expect(bytes.length).toBe(vector.length);
      expect(toHex(hasher.hash(bytes))).toBe(vector.blake2b256);
      modes.add(bytes[12] as number);
      const decoded = decodeBitmapSegment(fromHex(vector.serialized));
      expect(decoded).toEqual(segment);
      const target = {
        id,
        size: accumulator.mmrSize,
        root: accumulator.root(),
        codec: bitmapChunkCodec,
      };
      for (const mode of MODES) validateSegment(decoded, target, mode);
    }
    expect(modes).toEqual(new Set([1, 2]));
  });

  test("a block is written bit by bit below 4096 set or clear bits, else as it is", () => {
    const full = chunkWith(1024);
    const cases: readonly (readonly [chunks: Uint8Array[], mode: number, length: number])[] = [
      [[full, full, full, chunkWith(1023)], 1, 2 + 2 * 4095],
      [[full, full, full, full], 2, 2],
      [[full, full, full, full, chunkWith(0), chunkWith(0), chunkWith(0), chunkWith(1)], 2, 8192],
      [[full, full, full, full, chunkWith(0), chunkWith(0), chunkWith(0), chunkWith(0)], 0, 1024],
    ];
    for (const [chunks, mode, length] of cases) {
      const bytes = encodeBitmapSegment(segmentOf(chunks));
      expect([bytes[11], bytes[12]]).toEqual([chunks.length, mode]);
      expect(bytes.length).toBe(9 + 2 + 2 + length + 8);
      expect(decodeBitmapSegment(bytes)).toEqual(segmentOf(chunks));
    }
  });

  test("any chunks come back as they were", () => {
    const chunk = fc.oneof(
      fc.nat(1024).map(chunkWith),
      fc.uint8Array({ minLength: CHUNK_SIZE, maxLength: CHUNK_SIZE }),
    );
    fc.assert(
      fc.property(fc.array(chunk, { minLength: 1, maxLength: 140 }), (chunks) => {
        const segment = segmentOf(chunks, 8);
        expect(decodeBitmapSegment(encodeBitmapSegment(segment))).toEqual(segment);
      }),
      { numRuns: scaled(40) },
    );
  });

  test("every segment of random sets passes, through bytes", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(40_000), { minLength: 1, maxLength: 60 }),
        fc.nat(7),
        (members, height) => {
          const accumulator = BitmapAccumulator.from(members);
          const { mmrSize: size } = accumulator;
          for (let index = 0; index < segmentsRequired(size, height); index++) {
            const id = { height, index };
            const bytes = encodeBitmapSegment(accumulator.segment(id));
            const target = { id, size, root: accumulator.root(), codec: bitmapChunkCodec };
            for (const mode of MODES) {
              const code = codeOf(() => validateSegment(decodeBitmapSegment(bytes), target, mode));
              expect(code).toBe("none");
            }
          }
        },
      ),
      { numRuns: scaled(25) },
    );
  });

  test("what cannot be written is the caller's mistake", () => {
    const segment = segmentOf([chunkWith(1), chunkWith(2)], 1);
    const [first, second] = segment.leaves as [Segment["leaves"][0], Segment["leaves"][0]];
    const wrong: Segment[] = [
      { ...segment, hashes: [{ pos0: 2, hash: new Uint8Array(32) }] },
      { ...segment, leaves: [] },
      { ...segment, leaves: [second, first] },
      { ...segment, leaves: [second] },
      { ...segment, leaves: [first, second, { pos0: 3, record: chunkWith(0) }] },
      { ...segment, leaves: [{ pos0: 0, record: new Uint8Array(127) }] },
      { ...segment, id: { height: 14, index: 0 } },
      { ...segment, proof: [new Uint8Array(31)] },
    ];
    for (const one of wrong) expect(() => encodeBitmapSegment(one)).toThrow(RangeError);
  });
});

describe("hostile bytes", () => {
  const one = [1, 1, 0, 1, 0, 5];

  test("a well-formed block passes, so that the refusals below are of what they say", () => {
    expect(codeOf(() => decodeBitmapSegment(built(1, 0n, 1, one, NO_PROOF)))).toBe("none");
  });

  test.each([
    ["no block", built(1, 0n, 0, NO_PROOF), "PMMR_MALFORMED"],
    ["an empty block", built(1, 0n, 1, [0, 1, 0, 0], NO_PROOF), "PMMR_MALFORMED"],
    ["a short block that is not the last", built(7, 0n, 2, one, one, NO_PROOF), "PMMR_MALFORMED"],
    ["an unknown mode", built(1, 0n, 1, [1, 3, 0, 0], NO_PROOF), "PMMR_MALFORMED"],
    ["a bit beyond the block", built(1, 0n, 1, [1, 1, 0, 1, 4, 0], NO_PROOF), "PMMR_MALFORMED"],
    ["a block above 64 chunks", built(7, 0n, 1, [65, 1, 0, 0], NO_PROOF), "PMMR_TOO_LARGE"],
    ["more blocks than chunks", built(6, 0n, 2, one, one, NO_PROOF), "PMMR_TOO_LARGE"],
    ["more chunks than the height", built(1, 0n, 1, [3, 1, 0, 0], NO_PROOF), "PMMR_TOO_LARGE"],
    ["a height above 13", built(14, 0n, 1, one, NO_PROOF), "PMMR_TOO_LARGE"],
    ["too many proof hashes", built(1, 0n, 1, one, [0, 0, 0, 0, 0, 0, 0, 129]), "PMMR_TOO_LARGE"],
    ["an index above 2^53", built(1, 2n ** 53n, 1, one, NO_PROOF), "PMMR_OUT_OF_RANGE"],
    ["a segment beyond every range", built(1, 2n ** 51n, 1, one, NO_PROOF), "PMMR_OUT_OF_RANGE"],
    ["bits in disorder", built(1, 0n, 1, [1, 1, 0, 2, 0, 6, 0, 5], NO_PROOF), "PMMR_NON_CANONICAL"],
    ["a bit twice", built(1, 0n, 1, [1, 1, 0, 2, 0, 5, 0, 5], NO_PROOF), "PMMR_NON_CANONICAL"],
    [
      "another mode than the writer's",
      built(1, 0n, 1, [1, 2, 0, 1, 0, 5], NO_PROOF),
      "PMMR_NON_CANONICAL",
    ],
    [
      "raw bits where few are set",
      built(
        1,
        0n,
        1,
        [1, 0],
        Array.from({ length: 128 }, () => 1),
        NO_PROOF,
      ),
      "PMMR_NON_CANONICAL",
    ],
    ["a byte after the end", built(1, 0n, 1, one, NO_PROOF, [0]), "PMMR_NON_CANONICAL"],
    ["a block cut short", built(1, 0n, 1, [1, 1, 0, 9, 0]), "PMMR_TRUNCATED"],
    ["raw bits cut short", built(1, 0n, 1, [1, 0, 9, 9]), "PMMR_TRUNCATED"],
    ["blocks that are not there", built(13, 0n, 128, one), "PMMR_TRUNCATED"],
  ])("%s is refused", (_, bytes, code) => {
    expect(codeOf(() => decodeBitmapSegment(bytes))).toBe(code);
  });

  test("the height can be limited further, and not raised", () => {
    const bytes = built(9, 0n, 1, one, NO_PROOF);
    expect(codeOf(() => decodeBitmapSegment(bytes, { heightMax: 9 }))).toBe("none");
    expect(codeOf(() => decodeBitmapSegment(bytes, { heightMax: 8 }))).toBe("PMMR_TOO_LARGE");
    const above = built(14, 0n, 1, one, NO_PROOF);
    expect(codeOf(() => decodeBitmapSegment(above, { heightMax: 20 }))).toBe("PMMR_TOO_LARGE");
    for (const none of [Number.NaN, -1, 1.5]) {
      expect(() => decodeBitmapSegment(above, { heightMax: none })).toThrow(RangeError);
    }
  });

  test("T-MALLEABLE: no change of one bit passes", () => {
    const accumulator = BitmapAccumulator.from([5, 2000, 3000, 9000]);
    const id = { height: 1, index: 1 };
    const bytes = encodeBitmapSegment(accumulator.segment(id));
    const { mmrSize: size } = accumulator;
    const target = { id, size, root: accumulator.root(), codec: bitmapChunkCodec };
    let tried = 0;
    for (let i = 0; i < bytes.length; i++) {
      const original = bytes[i] as number;
      for (let bit = 0; bit < 8; bit++) {
        bytes[i] = original ^ (1 << bit);
        tried++;
        const code = codeOf(() => validateSegment(decodeBitmapSegment(bytes), target));
        expect(code).not.toBe("none");
      }
      bytes[i] = original;
    }
    expect(codeOf(() => validateSegment(decodeBitmapSegment(bytes), target))).toBe("none");
    printCounts("T-MALLEABLE bitmap segments, any bit", { tried, accepted: 0 });
  });

  test("T-FUZZ: the package's error, or a value that encodes to the input", () => {
    const full = chunkWith(1024);
    const { refused } = fuzz(
      {
        name: "bitmap segment",
        valid: [
          ...bitmapSegments.filter(({ length }) => length < 600).map((v) => fromHex(v.serialized)),
          encodeBitmapSegment(segmentOf([chunkWith(3), chunkWith(0)], 1)),
          encodeBitmapSegment(segmentOf([full, full, full, full, full], 3)),
          encodeBitmapSegment(segmentOf([...Array.from({ length: 64 }, () => full), full], 7)),
        ],
        run: (input) => encodeBitmapSegment(decodeBitmapSegment(input)),
      },
      new Random(seedOf("bitmap segment")),
      scaled(20_000),
    );
    expect(refused).toBeGreaterThan(0);
  });

  test("memory is bounded by the height: a mebibyte at 13", () => {
    const blocks = Array.from({ length: 128 }, () => [64, 1, 0, 0]);
    const bytes = built(13, 0n, 128, ...blocks, NO_PROOF);
    const { leaves } = decodeBitmapSegment(bytes);
    const buffers = new Set(leaves.map(({ record }) => record.buffer));
    const held = [...buffers].reduce((sum, buffer) => sum + buffer.byteLength, 0);
    expect(leaves.length).toBe(8192);
    expect(held).toBe(1_048_576);
  });
});
