import { Bitmap } from "@x/bitmap";
import { Random, printCounts, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { IndexSet } from "../src/backend.ts";
import { BitmapAccumulator } from "../src/bitmap-accumulator.ts";
import { MemoryBackend } from "../src/memory-backend.ts";
import { Pmmr } from "../src/pmmr.ts";
import { heightOf, leafCount, leafPosition } from "../src/position.ts";
import { decodeSegment, encodeSegment } from "../src/segment-codec.ts";
import { makeSegment } from "../src/segment-make.ts";
import {
  type SegmentMode,
  type SegmentTarget,
  firstUnprunedParent,
  segmentRoot,
  validateSegment,
} from "../src/segment-validate.ts";
import {
  type Segment,
  type SegmentId,
  segmentRange,
  segmentTops,
  segmentsRequired,
} from "../src/segment.ts";
import { ReadonlyPmmr } from "../src/view.ts";
import { fuzzInput } from "./fuzz.ts";
import { NaiveRange, bytesCodec } from "./segment-model.ts";
import { codeOf, verdictOf, word } from "./support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

const codec = bytesCodec(4);
const MODES: readonly SegmentMode[] = ["strict", "compatible"];

function rangeOf(leaves: number, prunable = true): NaiveRange {
  return new NaiveRange(
    Array.from({ length: leaves }, (_, i) => word(i + 1)),
    { prunable },
  );
}

function targetOf(range: NaiveRange): SegmentTarget {
  const known = { size: range.size, root: range.root, codec };
  return range.prunable ? { ...known, unspent: range.unspent } : known;
}

/** Identifiers of all segments of a range up to a height. */
function idsOf(range: NaiveRange, heightMax: number): SegmentId[] {
  const ids: SegmentId[] = [];
  for (let height = 0; height <= heightMax; height++) {
    const required = segmentsRequired(range.size, height);
    for (let index = 0; index < required; index++) ids.push({ height, index });
  }
  return ids;
}

function verdict(segment: Segment, target: SegmentTarget, mode?: SegmentMode): string {
  return codeOf(() => validateSegment(segment, target, mode));
}

/**
 * What the original says of an honest segment: it refuses one of height 0 whose leaf and its sibling are both spent, because
 * it then looks for a hash where senders ship the record.
 */
function originalVerdict(range: NaiveRange, { height, index }: SegmentId): string {
  const pos0 = leafPosition(index);
  const pair = [2 * Math.floor(index / 2), 2 * Math.floor(index / 2) + 1];
  const unneeded = pair.every((one) => range.spent.has(one)) && pos0 !== range.size - 1;
  return height === 0 && unneeded && range.recordAt(pos0) !== undefined
    ? "PMMR_SEGMENT_MISSING"
    : "none";
}

/** @yields all subsets of `items` */
function* subsets<T>(items: readonly T[]): Generator<T[], void, undefined> {
  for (let mask = 0; mask < 2 ** items.length; mask++) {
    yield items.filter((_, i) => Math.floor(mask / 2 ** i) % 2 === 1);
  }
}

describe("honest segments", () => {
  test("every segment of every small range is accepted, spent and compacted in every way", () => {
    let count = 0;
    for (let leaves = 1; leaves <= 6; leaves++) {
      const indexes = Array.from({ length: leaves }, (_, i) => i);
      for (const spent of subsets(indexes)) {
        for (const compacted of subsets(spent)) {
          const range = rangeOf(leaves);
          range.spend(...compacted);
          range.compact();
          range.spend(...spent);
          const target = targetOf(range);
          for (const id of idsOf(range, 3)) {
            const segment = makeSegment(range, id);
            expect(verdict(segment, target)).toBe("none");
            expect(verdict(segment, target, "compatible")).toBe(originalVerdict(range, id));
            count++;
          }
        }
      }
    }
    printCounts("honest segments", { accepted: count });
  });

  test("random ranges, horizons and heights, through bytes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 150 }),
        fc.array(fc.nat(149), { maxLength: 200 }),
        fc.nat(150),
        fc.array(fc.nat(149), { maxLength: 60 }),
        fc.nat(8),
        (leaves, first, horizon, second, height) => {
          const range = rangeOf(leaves);
          range.spend(...first.filter((index) => index < leaves));
          range.compact(horizon, new Set(first.slice(0, 3)));
          range.spend(...second.filter((index) => index < leaves));
          const target = targetOf(range);
          for (let index = 0; index < segmentsRequired(range.size, height); index++) {
            const id = { height, index };
            const bytes = encodeSegment(makeSegment(range, id));
            const segment = decodeSegment(bytes, codec);
            expect(verdict(segment, { ...target, id })).toBe("none");
            expect(verdict(segment, target, "compatible")).toBe(originalVerdict(range, id));
          }
        },
      ),
      { numRuns: scaled(100) },
    );
  });

  test("ranges that are not prunable, through bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 150 }), fc.nat(8), (leaves, height) => {
        const range = rangeOf(leaves, false);
        for (let index = 0; index < segmentsRequired(range.size, height); index++) {
          const segment = makeSegment(range, { height, index });
          expect(segment.hashes).toEqual([]);
          const decoded = decodeSegment(encodeSegment(segment), codec);
          for (const mode of MODES) expect(verdict(decoded, targetOf(range), mode)).toBe("none");
        }
      }),
      { numRuns: scaled(60) },
    );
  });

  test("a prunable range with every leaf unspent needs no set, only the word that it is prunable", () => {
    const range = rangeOf(7);
    const { size, root } = range;
    const segment = makeSegment(range, { height: 2, index: 0 });
    expect(verdict(segment, { size, root, codec, prunable: true })).toBe("none");
    expect(verdict(segment, { size, root, codec })).toBe("PMMR_SEGMENT_SURPLUS");
    range.spend(0, 1);
    range.compact();
    const pruned = makeSegment(range, { height: 2, index: 0 });
    expect(verdict(pruned, { size, root, codec, prunable: true })).toBe("PMMR_SEGMENT_MISSING");
  });

  test("any set of indexes will do for the unspent leaves: a bitmap, an accumulator, three members", () => {
    const range = rangeOf(40);
    range.spend(0, 1, 2, 3, 9, 20, 21, 39);
    range.compact();
    const sets: IndexSet[] = [
      range.unspent,
      Bitmap.from(range.unspentIndexes),
      BitmapAccumulator.from(range.unspentIndexes),
      {
        size: range.unspent.size,
        has: (index) => range.unspent.has(index),
        rank: (index) => range.unspent.rank(index),
      },
    ];
    for (const unspent of sets) {
      for (const id of idsOf(range, 4)) {
        const target = { ...targetOf(range), id, unspent };
        expect(verdict(makeSegment(range, id), target)).toBe("none");
      }
    }
  });

  test("a segment of height 0 is made although the sibling leaf is spent", () => {
    // The original asks the leaf set for the sibling's hash and fails.
    const range = rangeOf(4);
    range.spend(1);
    const segment = makeSegment(range, { height: 0, index: 0 });
    for (const mode of MODES) expect(verdict(segment, targetOf(range), mode)).toBe("none");
  });

  test("a root that is paired with another one is checked through the pair, on either side", () => {
    const range = rangeOf(5);
    range.spend(0);
    const other = new Uint8Array(32).fill(7);
    const segment = makeSegment(range, { height: 1, index: 1 });
    const target = targetOf(range);
    const { hashing, root } = range;
    const right = hashing.bag(99, root, other);
    const left = hashing.bag(99, other, root);
    const pairs = [
      { root: right, paired: { size: 99, root: other, side: "right" as const } },
      { root: left, paired: { size: 99, root: other, side: "left" as const } },
    ];
    for (const pair of pairs) {
      for (const mode of MODES) {
        expect(verdict(segment, { ...target, ...pair }, mode)).toBe("none");
        for (const paired of [
          { ...pair.paired, size: 98 },
          { ...pair.paired, root: new Uint8Array(32) },
          {
            ...pair.paired,
            side: pair.paired.side === "left" ? ("right" as const) : ("left" as const),
          },
        ]) {
          expect(verdict(segment, { ...target, root: pair.root, paired }, mode)).toBe(
            "PMMR_ROOT_MISMATCH",
          );
        }
      }
    }
  });
});

describe("what strict validation accepts", () => {
  test("of all subsets of the true nodes exactly those that some honest sender makes", () => {
    // A segment of four leaves inside a range of six, and one that is partial with two tops.
    let accepted = 0;
    let refused = 0;
    for (const [leaves, id] of [
      [6, { height: 2, index: 0 }],
      [7, { height: 2, index: 1 }],
    ] as const) {
      const whole = rangeOf(leaves);
      const range = segmentRange(id, whole.size);
      if (range === undefined) throw new Error("no such segment");
      const indexes = Array.from({ length: range.leaves }, (_, i) => range.leafBegin + i);
      const positions = Array.from(
        { length: range.last - range.first + 1 },
        (_, i) => range.first + i,
      );
      for (const spent of subsets(indexes)) {
        const honest = new Map<string, Segment>();
        for (const compacted of subsets(spent)) {
          const sender = rangeOf(leaves);
          sender.spend(...compacted);
          sender.compact();
          const segment = makeSegment(sender, id);
          honest.set(contentKey(segment), segment);
        }
        whole.spent.clear();
        whole.spend(...spent);
        const target = targetOf(whole);
        const { proof } = makeSegment(whole, id);
        for (const present of subsets(positions)) {
          const segment: Segment = {
            id,
            proof,
            hashes: present
              .filter((pos0) => heightOf(pos0) !== 0)
              .map((pos0) => ({ pos0, hash: whole.trueHashAt(pos0) })),
            leaves: present
              .filter((pos0) => heightOf(pos0) === 0)
              .map((pos0) => ({ pos0, record: word(leafCount(pos0) + 1) })),
          };
          const expected = honest.has(contentKey(segment));
          expect(verdict(segment, target) === "none").toBe(expected);
          if (expected) accepted++;
          else refused++;
        }
      }
    }
    printCounts("subsets of the true nodes", { accepted, refused });
    expect(accepted).toBe(35);
  });

  test("the hash of a leaf is never taken for its record", () => {
    const range = rangeOf(4);
    range.spend(0, 1);
    const segment = makeSegment(range, { height: 2, index: 0 });
    const swapped = {
      ...segment,
      leaves: segment.leaves.slice(1),
      hashes: [{ pos0: 0, hash: range.trueHashAt(0) }, ...segment.hashes],
    };
    expect(verdict(swapped, targetOf(range))).toBe("PMMR_SEGMENT_SURPLUS");
  });
});

describe("T-MALLEABLE: every change of a segment is refused", () => {
  test("any other value of any byte of one segment, and any bit of any byte of three others", () => {
    const small = rangeOf(3);
    small.spend(0);
    const partly = rangeOf(5);
    partly.spend(0, 1);
    partly.compact();
    const covered = rangeOf(9);
    covered.spend(0, 1, 2, 3);
    covered.compact();
    const cases: readonly (readonly [NaiveRange, SegmentId])[] = [
      [small, { height: 1, index: 0 }],
      [partly, { height: 2, index: 0 }],
      [covered, { height: 1, index: 1 }],
      [rangeOf(3, false), { height: 1, index: 0 }],
    ];
    let tried = 0;
    for (const [range, id] of cases) {
      const bytes = encodeSegment(makeSegment(range, id));
      const result = countAccepted(
        bytes,
        { ...targetOf(range), id },
        range === small ? otherValues : otherBits,
      );
      expect(result.accepted).toBe(0);
      tried += result.tried;
    }
    printCounts("T-MALLEABLE segments, bytes and bits", { tried, accepted: 0 });
  });

  test("one bit of every byte, in every segment of every small range", () => {
    let tried = 0;
    let segments = 0;
    for (let leaves = 1; leaves <= 4; leaves++) {
      for (const spent of subsets(Array.from({ length: leaves }, (_, i) => i))) {
        for (const compacts of [false, true]) {
          const range = rangeOf(leaves);
          range.spend(...spent);
          if (compacts) range.compact();
          for (const id of idsOf(range, 2)) {
            const bytes = encodeSegment(makeSegment(range, id));
            segments++;
            const target = { ...targetOf(range), id };
            const result = countAccepted(bytes, target, (value, i) => [
              value ^ (1 << ((i + segments) % 8)),
            ]);
            expect(result.accepted).toBe(0);
            tried += result.tried;
          }
        }
      }
    }
    printCounts("T-MALLEABLE segments, one bit of every byte", { segments, tried, accepted: 0 });
  });

  test("each node dropped, doubled, moved, exchanged with another, and added", () => {
    let tried = 0;
    const range = rangeOf(13);
    range.spend(0, 1, 2, 4, 5, 6, 7, 9);
    range.compact(7);
    const target = targetOf(range);
    for (const id of idsOf(range, 4)) {
      const segment = makeSegment(range, id);
      for (const changed of structuralChanges(segment, range.size)) {
        tried++;
        expect(verdict(changed, { ...target, id })).not.toBe("none");
      }
    }
    printCounts("T-MALLEABLE segments, node by node", { tried, accepted: 0 });
  });
});

describe("T-FORGE", () => {
  test("row 2: an inner node passed off as a leaf, and a leaf as an inner node", () => {
    // Elements as long as a preimage of an inner node, so that lengths do not give it away.
    const long = bytesCodec(64);
    const range = new NaiveRange(
      Array.from({ length: 8 }, (_, i) => new Uint8Array(64).fill(i)),
      { prunable: true },
    );
    range.spend(0, 1, 2, 3);
    const target = { size: range.size, root: range.root, codec: long, unspent: range.unspent };
    for (const id of idsOf(range, 3)) {
      const segment = makeSegment(range, id);
      for (let pos0 = 0; pos0 < range.size; pos0++) {
        if (heightOf(pos0) === 0) continue;
        const children = new Uint8Array(64);
        children.set(range.trueHashAt(pos0 - 2 ** heightOf(pos0)), 0);
        children.set(range.trueHashAt(pos0 - 1), 32);
        // As a leaf at its own place, and in place of each true leaf.
        for (const at of [pos0, ...segment.leaves.map((leaf) => leaf.pos0)]) {
          const leaves = segment.leaves
            .filter((leaf) => leaf.pos0 !== at)
            .concat({ pos0: at, record: children })
            .toSorted((a, b) => a.pos0 - b.pos0);
          for (const hashes of [segment.hashes, segment.hashes.filter((h) => h.pos0 !== at)]) {
            expect(verdict({ ...segment, leaves, hashes }, target)).not.toBe("none");
          }
        }
      }
    }
  });

  test("row 3: an empty proof against every range of 2 to 40 leaves", () => {
    for (let leaves = 2; leaves <= 40; leaves++) {
      const range = rangeOf(leaves, false);
      const target = targetOf(range);
      for (const id of idsOf(range, 2)) {
        const segment = makeSegment(range, id);
        const honest = segment.proof.length === 0;
        expect(verdict({ ...segment, proof: [] }, target) === "none").toBe(honest);
        // The root itself offered as a leaf.
        const forged = { ...segment, leaves: [{ pos0: 0, record: range.root }], proof: [] };
        expect(verdict(forged, { ...target, codec: bytesCodec(32) })).not.toBe("none");
      }
    }
  });

  test("row 10: zero hashes as node, proof and root", () => {
    const zero = new Uint8Array(32);
    const range = rangeOf(6);
    range.spend(0, 1, 2, 3);
    range.compact();
    const target = targetOf(range);
    for (const id of idsOf(range, 3)) {
      const segment = makeSegment(range, id);
      segment.proof.forEach((_, i) => {
        expect(verdict({ ...segment, proof: segment.proof.with(i, zero) }, target)).toBe(
          "PMMR_ROOT_MISMATCH",
        );
      });
      segment.hashes.forEach(({ pos0 }, i) => {
        const hashes = segment.hashes.with(i, { pos0, hash: zero });
        expect(verdict({ ...segment, hashes }, target)).toBe("PMMR_ROOT_MISMATCH");
      });
      expect(verdict(segment, { ...target, root: zero })).toBe("PMMR_ROOT_MISMATCH");
    }
  });

  test("row 11: doubled, unsorted and foreign positions", () => {
    const range = rangeOf(8);
    const target = targetOf(range);
    const segment = makeSegment(range, { height: 2, index: 0 });
    const [first, second, ...rest] = segment.leaves as [
      Segment["leaves"][0],
      Segment["leaves"][0],
      ...Segment["leaves"],
    ];
    const forgeries: readonly (readonly [Segment["leaves"], string])[] = [
      [[first, first, ...rest], "PMMR_MALFORMED"],
      [[second, first, ...rest], "PMMR_MALFORMED"],
      [[{ ...first, pos0: -1 }, second, ...rest], "PMMR_MALFORMED"],
      [[{ ...first, pos0: 0.5 }, second, ...rest], "PMMR_MALFORMED"],
      [[...segment.leaves, { pos0: 7, record: word(5) }], "PMMR_SEGMENT_SURPLUS"],
      [[...segment.leaves, { pos0: 2 ** 52, record: word(5) }], "PMMR_SEGMENT_SURPLUS"],
    ];
    for (const [leaves, code] of forgeries) {
      expect(verdict({ ...segment, leaves }, target)).toBe(code);
    }
  });

  test("row 12: identifiers beyond the end and counts that overflow are refused, not computed with", () => {
    const range = rangeOf(8);
    const target = targetOf(range);
    const segment = makeSegment(range, { height: 1, index: 3 });
    for (const index of [4, 2 ** 31, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
      for (const mode of MODES) {
        expect(verdict({ ...segment, id: { height: 1, index } }, target, mode)).toBe(
          "PMMR_OUT_OF_RANGE",
        );
      }
    }
    for (const height of [3, 13, 52]) {
      expect(verdict({ ...segment, id: { height, index: 0 } }, target)).not.toBe("none");
    }
    expect(() => validateSegment({ ...segment, id: { height: 64, index: 0 } }, target)).toThrow(
      RangeError,
    );
    expect(verdict(segment, { ...target, size: leafPosition(2 ** 31) })).not.toBe("none");
  });

  test("row 13: no other size is accepted with the root, one tree aside, where the root commits to none", () => {
    for (let leaves = 1; leaves <= 20; leaves++) {
      const range = rangeOf(leaves, false);
      for (let other = 1; other <= 40; other++) {
        if (other === leaves) continue;
        for (const id of idsOf(range, 1)) {
          const segment = makeSegment(range, id);
          const target = { ...targetOf(range), size: leafPosition(other) };
          expect(verdict(segment, target)).not.toBe("none");
        }
      }
    }
  });

  test("row 14: no segment passes under the identifier of another, unless both are inside one pruned part", () => {
    const range = rangeOf(16);
    range.spend(0, 1, 2, 3, 9, 10, 11);
    range.compact();
    const target = targetOf(range);
    const ids = idsOf(range, 4);
    let same = 0;
    for (const id of ids) {
      const segment = makeSegment(range, id);
      for (const other of ids) {
        if (other === id) continue;
        const relabelled = { ...segment, id: other };
        const honest = makeSegment(range, other);
        const equal =
          JSON.stringify(relabelled) === JSON.stringify(honest) && segment.leaves.length === 0;
        expect(verdict(relabelled, target) === "none").toBe(equal);
        expect(verdict(relabelled, { ...target, id })).toBe("PMMR_OUT_OF_RANGE");
        if (equal) same++;
      }
    }
    expect(same).toBeGreaterThan(0);
  });

  test("row 15: a record removed, added or exchanged at either end and inside", () => {
    const range = rangeOf(12, false);
    const target = targetOf(range);
    for (const id of idsOf(range, 3)) {
      const segment = makeSegment(range, id);
      segment.leaves.forEach((leaf, i) => {
        const without = { ...segment, leaves: segment.leaves.toSpliced(i, 1) };
        expect(verdict(without, target)).toBe("PMMR_SEGMENT_MISSING");
        const other = { ...leaf, record: word(99) };
        const exchanged = { ...segment, leaves: segment.leaves.with(i, other) };
        expect(verdict(exchanged, target)).toBe("PMMR_ROOT_MISMATCH");
      });
      const last = segment.leaves.at(-1) as Segment["leaves"][0];
      const next = { pos0: leafPosition(leafCount(last.pos0) + 1), record: word(99) };
      expect(verdict({ ...segment, leaves: [...segment.leaves, next] }, target)).toBe(
        "PMMR_SEGMENT_SURPLUS",
      );
    }
  });

  test("a segment of another range with as many nodes is refused", () => {
    const range = rangeOf(9);
    const other = new NaiveRange(
      Array.from({ length: 9 }, (_, i) => word(i === 4 ? 99 : i + 1)),
      { prunable: true },
    );
    for (const id of idsOf(range, 4)) {
      for (const mode of MODES) {
        expect(verdict(makeSegment(other, id), targetOf(range), mode)).toBe("PMMR_ROOT_MISMATCH");
      }
    }
  });

  test("unspent leaves inside a part that is said to be pruned", () => {
    const range = rangeOf(8);
    range.spend(0, 1, 2, 3);
    range.compact();
    const covered = makeSegment(range, { height: 1, index: 0 });
    const inside = makeSegment(range, { height: 3, index: 0 });
    range.spent.delete(2);
    const target = targetOf(range);
    expect(verdict(covered, target)).toBe("PMMR_SEGMENT_MISSING");
    expect(verdict(inside, target)).toBe("PMMR_SEGMENT_MISSING");
  });

  test("what a codec cannot load, or whose hash it does not know, is refused", () => {
    const range = rangeOf(2);
    const segment = makeSegment(range, { height: 1, index: 0 });
    const target = targetOf(range);
    const short = segment.leaves.with(0, { pos0: 0, record: word(1).slice(1) });
    expect(verdict({ ...segment, leaves: short }, target)).toBe("PMMR_MALFORMED");
    const blind = { ...codec, storedHashForm: () => undefined };
    expect(() => validateSegment(segment, { ...target, codec: blind })).toThrow(TypeError);
  });

  test("what is no hash is refused in every place and in both modes", () => {
    const range = rangeOf(12);
    range.spend(0, 1, 2, 3);
    range.compact();
    const segment = makeSegment(range, { height: 1, index: 0 });
    const [cover] = segment.hashes;
    const first = segment.proof.at(0);
    if (cover === undefined || first === undefined) throw new Error("no cover");
    for (const wrong of [
      cover.hash.subarray(1),
      new Uint8Array(33),
      [...cover.hash],
      "0".repeat(32),
    ]) {
      const hash = wrong as Uint8Array;
      const hashes = [{ pos0: cover.pos0, hash }];
      const target = targetOf(range);
      for (const bad of [
        { ...segment, hashes },
        { ...segment, proof: segment.proof.with(0, hash) },
      ]) {
        for (const mode of MODES) expect(verdict(bad, target, mode)).toBe("PMMR_MALFORMED");
        expect(codeOf(() => segmentRoot(bad, target))).toBe("PMMR_MALFORMED");
        expect(codeOf(() => firstUnprunedParent(bad, target))).toBe("PMMR_MALFORMED");
      }
    }
  });

  test("a target that is none is the caller's mistake", () => {
    const range = rangeOf(4);
    const segment = makeSegment(range, { height: 1, index: 0 });
    const target = targetOf(range);
    const paired = { size: 1, root: new Uint8Array(3), side: "left" as const };
    for (const wrong of [{ size: 5 }, { size: -1 }, { root: new Uint8Array(31) }, { paired }]) {
      expect(() => validateSegment(segment, { ...target, ...wrong })).toThrow(RangeError);
    }
    for (const root of [undefined, "0".repeat(32), Array.from(target.root)]) {
      const wrong = { ...target, root: root as unknown as Uint8Array };
      expect(() => validateSegment(segment, wrong)).toThrow(TypeError);
    }
  });
});

describe("compatible validation", () => {
  test("with nodes left out at random, the root or what is missing is as the rule says", () => {
    const counts = { known: 0, spent: 0, missing: 0 };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 24 }),
        fc.uniqueArray(fc.nat(23), { maxLength: 24 }),
        fc.boolean(),
        fc.nat(3),
        fc.array(fc.integer({ min: 0, max: 60 }), { maxLength: 4 }),
        (leaves, spent, compacts, height, dropped) => {
          const range = rangeOf(leaves);
          range.spend(...spent.filter((index) => index < leaves));
          if (compacts) range.compact();
          const target = targetOf(range);
          for (let index = 0; index < segmentsRequired(range.size, height); index++) {
            const id = { height, index };
            const whole = makeSegment(range, id);
            const segment = {
              ...whole,
              hashes: whole.hashes.filter(({ pos0 }) => !dropped.includes(pos0)),
              leaves: whole.leaves.filter(({ pos0 }) => !dropped.includes(pos0)),
            };
            const at = segmentRange(id, range.size);
            if (at?.full !== true) continue;
            let expected: Uint8Array | string | undefined;
            try {
              expected = naiveRoot(segment, target, segmentTops(at, range.size)[0] as number);
              counts[expected === undefined ? "spent" : "known"]++;
            } catch {
              expected = "PMMR_SEGMENT_MISSING";
              counts.missing++;
            }
            let actual: Uint8Array | string | undefined;
            const code = codeOf(() => {
              actual = segmentRoot(segment, target);
            });
            expect(code === "none" ? actual : code).toEqual(expected);
          }
        },
      ),
      { numRuns: scaled(300) },
    );
    printCounts("compatible roots", counts);
    expect(Math.min(counts.known, counts.spent, counts.missing)).toBeGreaterThan(10);
  });

  test("it does not look at records and hashes that the reconstruction can do without; strict does", () => {
    const range = rangeOf(8);
    range.spend(0, 1);
    const target = targetOf(range);
    const segment = makeSegment(range, { height: 2, index: 0 });
    const forgedLeaf = { ...segment, leaves: segment.leaves.with(0, { pos0: 0, record: word(7) }) };
    const at5 = segment.hashes.findIndex(({ pos0 }) => pos0 === 5);
    const forgedHash = {
      ...segment,
      hashes: segment.hashes.with(at5, { pos0: 5, hash: new Uint8Array(32) }),
    };
    const surplusProof = { ...segment, proof: [...segment.proof, new Uint8Array(32)] };
    const unneeded = { ...segment, leaves: segment.leaves.slice(1) };
    const outside = { ...segment, leaves: [...segment.leaves, { pos0: 11, record: word(1) }] };
    const verdicts: readonly (readonly [Segment, string])[] = [
      [forgedLeaf, "PMMR_ROOT_MISMATCH"],
      [forgedHash, "PMMR_ROOT_MISMATCH"],
      [surplusProof, "PMMR_SEGMENT_SURPLUS"],
      [unneeded, "PMMR_SEGMENT_MISSING"],
      [outside, "PMMR_SEGMENT_SURPLUS"],
    ];
    for (const [forged, code] of verdicts) {
      expect(verdict(forged, target, "compatible")).toBe("none");
      expect(verdict(forged, target, "strict")).toBe(code);
      expect(verdict(forged, target)).toBe(code);
    }
  });

  test("it refuses what the original refuses", () => {
    const range = rangeOf(8);
    range.spend(0, 1, 2, 3);
    const target = targetOf(range);
    const upper = makeSegment(range, { height: 2, index: 1 });
    const without = { ...upper, leaves: upper.leaves.slice(1) };
    expect(verdict(without, target, "compatible")).toBe("PMMR_SEGMENT_MISSING");
    const forged = { ...upper, leaves: upper.leaves.with(0, { pos0: 7, record: word(0) }) };
    expect(verdict(forged, target, "compatible")).toBe("PMMR_ROOT_MISMATCH");
    const short = { ...upper, proof: upper.proof.slice(1) };
    expect(verdict(short, target, "compatible")).toBe("PMMR_SEGMENT_MISSING");
    // All spent, and no hash that could stand for it: the next node above has an unspent leaf below.
    const lower = makeSegment(range, { height: 1, index: 1 });
    const bare = { ...lower, hashes: [], leaves: [] };
    expect(verdict(bare, target, "compatible")).toBe("PMMR_SEGMENT_MISSING");
    const higher = { ...bare, hashes: [{ pos0: 14, hash: range.trueHashAt(14) }] };
    expect(verdict(higher, target, "compatible")).toBe("PMMR_SEGMENT_MISSING");
    const covering = { ...bare, hashes: [{ pos0: 6, hash: range.trueHashAt(6) }] };
    expect(firstUnprunedParent(covering, target).pos0).toBe(6);
    expect(verdict({ ...covering, proof: lower.proof.slice(1) }, target, "compatible")).toBe(
      "none",
    );
    expect(codeOf(() => segmentRoot({ ...bare, id: { height: 1, index: 4 } }, target))).toBe(
      "PMMR_OUT_OF_RANGE",
    );
  });
});

describe("making", () => {
  test("a segment beyond the end does not exist", () => {
    const range = rangeOf(4);
    expect(codeOf(() => makeSegment(range, { height: 1, index: 2 }))).toBe("PMMR_OUT_OF_RANGE");
    expect(codeOf(() => makeSegment(rangeOf(0), { height: 1, index: 0 }))).toBe(
      "PMMR_OUT_OF_RANGE",
    );
  });

  test("a view that ends inside a compacted subtree has no segments with holes", () => {
    let refused = 0;
    for (let spentEnd = 1; spentEnd <= 16; spentEnd++) {
      const backend = new MemoryBackend({ codec, prunable: true });
      const pmmr = new Pmmr(backend);
      pmmr.pushMany(Array.from({ length: 24 }, (_, i) => word(i)));
      for (let i = 0; i < spentEnd; i++) pmmr.prune(leafPosition(i));
      backend.compact();
      for (let leaves = 1; leaves <= 24; leaves++) {
        const view = new ReadonlyPmmr(backend, { size: leafPosition(leaves) });
        const root = verdictOf(() => view.root());
        const unspent = BitmapAccumulator.from(view.unspentIndexes());
        for (const height of [0, 1, 2, 3, 5]) {
          for (let index = 0; index < segmentsRequired(view.size, height); index++) {
            const segment = verdictOf(() => makeSegment(view, { height, index }));
            // Where there is no root there is nothing to belong to either, and that is said.
            const outcome =
              typeof root === "string" || typeof segment === "string"
                ? [root, segment]
                : verdict(segment, { size: view.size, root, codec, unspent });
            const gone = ["PMMR_COMPACTED", "PMMR_COMPACTED"];
            expect(outcome).toEqual(typeof root === "string" ? gone : "none");
            if (typeof root === "string") refused++;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(0);
  });

  test("a store that lacks what it must have is reported", () => {
    const range = rangeOf(6);
    const { size, hashing } = range;
    const without = (...gone: number[]): Parameters<typeof makeSegment>[0] => ({
      size,
      hashing,
      prunable: true,
      hashAt: (pos0) => (gone.includes(pos0) ? undefined : range.hashAt(pos0)),
      recordAt: (pos0) => (gone.includes(pos0) ? undefined : range.recordAt(pos0)),
    });
    const id = { height: 1, index: 0 };
    expect(codeOf(() => makeSegment(without(5), id))).toBe("PMMR_MISSING_HASH");
    expect(codeOf(() => makeSegment(without(9), id))).toBe("PMMR_MISSING_HASH");
    expect(codeOf(() => makeSegment(without(0, 1, 2, 6), id))).toBe("PMMR_MISSING_HASH");
    const source = { ...without(1), prunable: false };
    expect(codeOf(() => makeSegment(source, id))).toBe("PMMR_DAMAGED");
  });

  test("the reads do not grow with what was pruned", () => {
    const leaves = 1024;
    const range = rangeOf(leaves);
    range.spend(...Array.from({ length: leaves - 2 }, (_, i) => i));
    range.compact();
    let reads = 0;
    const segment = makeSegment(
      {
        size: range.size,
        hashing: range.hashing,
        prunable: true,
        hashAt: (pos0) => {
          reads++;
          return range.hashAt(pos0);
        },
        recordAt: (pos0) => range.recordAt(pos0),
      },
      { height: 10, index: 0 },
    );
    expect(segment.leaves.length).toBe(2);
    expect(segment.hashes.length).toBe(19);
    // The stored hashes, and two children that are not there for each of the nine pruned roots.
    expect(reads).toBe(19 + 2 * 8 + 2 * 1);
    validateSegment(segment, targetOf(range));
  });
});

describe("T-FUZZ", () => {
  test("mutated segments: accepted only if nothing but a true segment is left", () => {
    const range = rangeOf(11);
    range.spend(0, 1, 2, 3, 6, 8);
    range.compact(8);
    const target = targetOf(range);
    const ids = idsOf(range, 4);
    const honest = ids.map((id) => encodeSegment(makeSegment(range, id)));
    const known = new Set(honest.map(String));
    const random = new Random(seedOf("segment", "validate"));
    const counts = { inputs: scaled(20_000), decoded: 0, accepted: 0 };
    for (let i = 0; i < counts.inputs; i++) {
      const input = fuzzInput(random, honest);
      const code = codeOf(() => {
        const segment = decodeSegment(input, codec);
        counts.decoded++;
        validateSegment(segment, target);
      });
      if (code !== "none") continue;
      counts.accepted++;
      expect(known.has(String(input))).toBe(true);
    }
    printCounts("T-FUZZ segment validation", counts);
    expect(counts.decoded).toBeGreaterThan(counts.accepted);
  });
});

function contentKey({ hashes, leaves }: Segment): string {
  return JSON.stringify([hashes.map(({ pos0 }) => pos0), leaves.map(({ pos0 }) => pos0)]);
}

const otherValues = (value: number): number[] =>
  Array.from({ length: 255 }, (_, i) => (value + i + 1) % 256);

const otherBits = (value: number): number[] =>
  Array.from({ length: 8 }, (_, i) => value ^ (1 << i));

/** Changes each byte in turn; `variants` of each. */
function countAccepted(
  bytes: Uint8Array,
  target: SegmentTarget,
  variants: (value: number, i: number) => number[],
): { readonly tried: number; readonly accepted: number } {
  let tried = 0;
  let accepted = 0;
  for (let i = 0; i < bytes.length; i++) {
    const original = bytes[i] as number;
    for (const value of variants(original, i)) {
      bytes[i] = value;
      tried++;
      if (codeOf(() => validateSegment(decodeSegment(bytes, codec), target)) === "none") {
        accepted++;
      }
    }
    bytes[i] = original;
  }
  return { tried, accepted };
}

/** @yields segments that differ in one place */
function* structuralChanges(segment: Segment, size: number): Generator<Segment, void, undefined> {
  const { hashes, leaves, proof } = segment;
  const extraHash = new Uint8Array(32).fill(5);
  for (const list of ["hashes", "leaves", "proof"] as const) {
    const items: readonly unknown[] = segment[list];
    for (let i = 0; i < items.length; i++) {
      yield { ...segment, [list]: items.toSpliced(i, 1) };
      yield { ...segment, [list]: items.toSpliced(i, 0, items[i]) };
      if (i + 1 < items.length) {
        yield { ...segment, [list]: items.toSpliced(i, 2, items[i + 1], items[i]) };
      }
    }
  }
  for (let i = 0; i + 1 < hashes.length; i++) {
    const [a, b] = hashes.slice(i) as [(typeof hashes)[0], (typeof hashes)[0]];
    const exchanged = [
      { ...a, hash: b.hash },
      { ...b, hash: a.hash },
    ];
    yield { ...segment, hashes: hashes.toSpliced(i, 2, ...exchanged) };
  }
  for (let i = 0; i + 1 < leaves.length; i++) {
    const [a, b] = leaves.slice(i) as [(typeof leaves)[0], (typeof leaves)[0]];
    const exchanged = [
      { ...a, record: b.record },
      { ...b, record: a.record },
    ];
    yield { ...segment, leaves: leaves.toSpliced(i, 2, ...exchanged) };
  }
  for (let pos0 = 0; pos0 < size + 3; pos0++) {
    const before = hashes.filter((item) => item.pos0 < pos0).length;
    if (hashes[before]?.pos0 !== pos0) {
      yield { ...segment, hashes: hashes.toSpliced(before, 0, { pos0, hash: extraHash }) };
    }
    const leavesBefore = leaves.filter((item) => item.pos0 < pos0).length;
    if (leaves[leavesBefore]?.pos0 !== pos0) {
      const added = leaves.toSpliced(leavesBefore, 0, { pos0, record: word(9) });
      yield { ...segment, leaves: added };
    }
  }
  yield { ...segment, proof: [...proof, extraHash] };
  yield { ...segment, hashes: [], leaves: [] };
}

/** The original's rule by recursion from above, for comparison with the walk from below. */
function naiveRoot(segment: Segment, target: SegmentTarget, pos0: number): Uint8Array | undefined {
  const { size, unspent } = target;
  const { hashing } = new NaiveRange([], { prunable: true });
  const height = heightOf(pos0);
  if (height === 0) {
    const index = leafCount(pos0);
    const pair = [2 * Math.floor(index / 2), 2 * Math.floor(index / 2) + 1];
    const needed =
      unspent === undefined || pos0 === size - 1 || pair.some((one) => unspent.has(one));
    if (!needed) return undefined;
    const leaf = segment.leaves.find((one) => one.pos0 === pos0);
    if (leaf === undefined) throw new RangeError("missing");
    return hashing.hashLeaf(pos0, leaf.record);
  }
  const children = [pos0 - 2 ** height, pos0 - 1];
  const known = children.map((child) => naiveRoot(segment, target, child));
  if (unspent !== undefined && known.every((one) => one === undefined)) return undefined;
  const [left, right] = known.map((one, i) => one ?? naiveHash(segment, children[i] as number));
  return hashing.hashInner(pos0, left as Uint8Array, right as Uint8Array);
}

function naiveHash(segment: Segment, pos0: number): Uint8Array {
  const found = segment.hashes.find((one) => one.pos0 === pos0);
  if (found === undefined) throw new RangeError("missing");
  return found.hash;
}
