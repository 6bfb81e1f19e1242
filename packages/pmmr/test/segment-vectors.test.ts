import { readFileSync } from "node:fs";
import { fromHex, toHex } from "@x/hash";
import { describe, expect, test } from "vitest";
import { decodeSegment, encodeSegment } from "../src/segment-codec.ts";
import { makeSegment } from "../src/segment-make.ts";
import {
  type SegmentMode,
  firstUnprunedParent,
  segmentRoot,
  validateSegment,
} from "../src/segment-validate.ts";
import { NaiveRange, bytesCodec, vectorElement } from "./segment-model.ts";

interface SegmentVector {
  readonly height: number;
  readonly idx: number;
  readonly serialized: string;
}
interface StageVector {
  readonly spentLeafIndexes: readonly number[];
  readonly compacted: boolean;
  readonly mmrSize: number;
  readonly root: string;
  readonly unspentLeafIndexes: readonly number[];
  readonly segments: readonly (SegmentVector & {
    readonly hashPos0: readonly number[];
    readonly leafPos0: readonly number[];
    readonly proofHashes: number;
    readonly segmentRoot: string | null;
    readonly firstUnprunedParent: { readonly hash: string; readonly pos1: number };
  })[];
}
const vectors: {
  readonly segments: readonly {
    readonly name: string;
    readonly leaves: number;
    readonly stages: readonly StageVector[];
  }[];
  readonly segmentsNonPrunable: {
    readonly leaves: number;
    readonly mmrSize: number;
    readonly root: string;
    readonly segments: readonly SegmentVector[];
  };
} = JSON.parse(readFileSync(new URL("vectors/pmmr.json", import.meta.url), "utf8"));

const MODES: readonly SegmentMode[] = ["strict", "compatible"];
const codec = bytesCodec(16);
const elements = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => vectorElement(i));

describe("segments of a prunable range", () => {
  test("the vectors are the five known histories", () => {
    expect(vectors.segments.map(({ stages }) => stages.length)).toEqual([7, 3, 1, 3]);
  });

  test.each(vectors.segments)("$name: bytes, roots and verdicts of the original", (history) => {
    const range = new NaiveRange(elements(history.leaves), { prunable: true });
    for (const stage of history.stages) {
      range.spend(...stage.spentLeafIndexes);
      if (stage.compacted) range.compact();
      expect(range.size).toBe(stage.mmrSize);
      expect(toHex(range.root)).toBe(stage.root);
      expect(range.unspentIndexes).toEqual(stage.unspentLeafIndexes);
      for (const vector of stage.segments) {
        const id = { height: vector.height, index: vector.idx };
        const segment = makeSegment(range, id);
        expect(toHex(encodeSegment(segment))).toBe(vector.serialized);
        expect(segment.hashes.map(({ pos0 }) => pos0)).toEqual(vector.hashPos0);
        expect(segment.leaves.map(({ pos0 }) => pos0)).toEqual(vector.leafPos0);
        expect(segment.proof.length).toBe(vector.proofHashes);

        const decoded = decodeSegment(fromHex(vector.serialized), codec);
        expect(decoded).toEqual(segment);
        const target = { size: range.size, root: range.root, codec, unspent: range.unspent };
        const root = segmentRoot(decoded, target);
        expect(root === undefined ? null : toHex(root)).toBe(vector.segmentRoot);
        const known = firstUnprunedParent(decoded, target);
        expect(toHex(known.hash)).toBe(vector.firstUnprunedParent.hash);
        expect(known.pos0 + 1).toBe(vector.firstUnprunedParent.pos1);
        for (const mode of MODES) validateSegment(decoded, target, mode);
      }
    }
  });
});

describe("segments of a range that is not prunable", () => {
  test("bytes and verdicts of the original", () => {
    const vector = vectors.segmentsNonPrunable;
    const range = new NaiveRange(elements(vector.leaves), { prunable: false });
    expect(range.size).toBe(vector.mmrSize);
    expect(toHex(range.root)).toBe(vector.root);
    expect(vector.segments.length).toBe(5);
    for (const { height, idx, serialized } of vector.segments) {
      const segment = makeSegment(range, { height, index: idx });
      expect(toHex(encodeSegment(segment))).toBe(serialized);
      const decoded = decodeSegment(fromHex(serialized), codec);
      expect(decoded).toEqual(segment);
      for (const mode of MODES) {
        validateSegment(decoded, { size: range.size, root: range.root, codec }, mode);
      }
    }
  });
});
