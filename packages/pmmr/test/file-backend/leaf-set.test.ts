import { Bitmap, BitmapError } from "@x/bitmap";
import { scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PmmrError } from "../../src/errors.ts";
import { decodeSetDelta, encodeSetDelta } from "../../src/file-backend/delta.ts";
import { LeafSet, restoreSet } from "../../src/file-backend/leaf-set.ts";
import { codeOf } from "./support/memory-folder.ts";

type Edit =
  | { readonly do: "add" | "delete"; readonly pos0: number }
  | { readonly do: "rewind"; readonly size: number }
  | { readonly do: "replace"; readonly positions: readonly number[] }
  | { readonly do: "commit" | "discard" | "rebase" };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ do: fc.constantFrom("add" as const, "delete" as const), pos0: fc.nat(40) }),
  fc.record({ do: fc.constant("rewind" as const), size: fc.nat(40) }),
  fc.record({
    do: fc.constant("replace" as const),
    positions: fc.uniqueArray(fc.nat(40), { maxLength: 10 }),
  }),
  fc.record({ do: fc.constantFrom("commit" as const, "discard" as const, "rebase" as const) }),
);

describe("a leaf set", () => {
  test("acts like a set, and its deltas lead from commit to commit", () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 60 }), (edits) => {
        const leaves = new LeafSet();
        let model = new Set<number>();
        let committed = new Set<number>();
        let frozen = leaves.freeze();
        const deltas: Uint8Array[] = [];
        const answers: (readonly [found: boolean, expected: boolean])[] = [];
        for (const one of edits) {
          switch (one.do) {
            case "add":
              answers.push([leaves.add(one.pos0), !model.has(one.pos0)]);
              model.add(one.pos0);
              break;
            case "delete":
              answers.push([leaves.delete(one.pos0), model.delete(one.pos0)]);
              break;
            case "rewind":
              leaves.rewind(one.size);
              model = new Set([...model].filter((pos0) => pos0 < one.size));
              break;
            case "replace":
              leaves.replace(Bitmap.from(one.positions.map((pos0) => pos0 + 1)));
              model = new Set(one.positions);
              break;
            case "commit":
              deltas.push(encodeSetDelta(leaves.takeDelta()));
              frozen = leaves.freeze();
              committed = new Set(model);
              break;
            case "discard":
              leaves.restore(frozen);
              model = new Set(committed);
              break;
            case "rebase":
              leaves.rebase(frozen);
              break;
          }
          const sorted = [...model].toSorted((a, b) => a - b);
          expect([...leaves.freeze()].map((pos1) => pos1 - 1)).toEqual(sorted);
          expect(leaves.size).toBe(sorted.length);
          for (let pos0 = 0; pos0 <= 42; pos0++) {
            expect(leaves.has(pos0)).toBe(model.has(pos0));
            expect(leaves.countBelow(pos0)).toBe(sorted.filter((one_) => one_ < pos0).length);
            expect(leaves.next(pos0)).toBe(sorted.find((one_) => one_ >= pos0));
          }
        }
        expect(answers.every(([found, expected]) => found === expected)).toBe(true);
        const restored = restoreSet(undefined, deltas);
        expect([...restored]).toEqual([...frozen]);
      }),
      { numRuns: scaled(150) },
    );
  });

  test("a frozen set does not follow the one it was taken from", () => {
    const leaves = new LeafSet(Bitmap.from([1, 2]));
    const frozen = leaves.freeze();
    leaves.delete(0);
    leaves.add(3);
    expect([...frozen]).toEqual([1, 2]);
    expect([...leaves.freeze()]).toEqual([2, 4]);
  });

  test("holds positions up to the last that fits into 32 bits", () => {
    const leaves = new LeafSet();
    const last = 2 ** 32 - 2;
    expect(leaves.add(last)).toBe(true);
    expect(leaves.next(2 ** 31)).toBe(last);
    leaves.rewind(last + 1);
    expect(leaves.size).toBe(1);
    leaves.rewind(last);
    expect(leaves.size).toBe(0);
    expect(leaves.takeDelta()).toEqual({ added: [], removed: [] });
  });
});

const bytes = Bitmap.from([1, 4]).serialize();

function restore(...deltas: readonly (readonly [number[], number[]])[]): number[] {
  const encoded = deltas.map(([added, removed]) => encodeSetDelta({ added, removed }));
  return [...restoreSet(bytes, encoded)];
}

describe("restoring a set", () => {
  test("applies deltas to the bytes, and refuses those that do not fit", async () => {
    expect(restore()).toEqual([1, 4]);
    expect(restore([[2], [1]], [[1], [4]])).toEqual([1, 2]);
    expect(await codeOf(() => restore([[4], []]))).toBe("PMMR_DAMAGED");
    expect(await codeOf(() => restore([[], [2]]))).toBe("PMMR_DAMAGED");
    expect(await codeOf(() => restoreSet(new Uint8Array(3), []))).toMatch(/^BITMAP_/);
    expect(await codeOf(() => restoreSet(bytes, [new Uint8Array(7)]))).toBe("PMMR_TRUNCATED");
  });

  test("from any bytes gives a typed error or a set, in memory of a small multiple of them", () => {
    const mutated = fc
      .tuple(
        fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
      )
      .map(([values, edits, cut]) => {
        const written = Bitmap.from(values).serialize();
        for (const [at, byte] of edits) written[at % written.length] = byte;
        return cut % 4 === 0 ? written.subarray(0, cut % (written.length + 1)) : written;
      });
    const outcomes = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 64 }), mutated), (input) => {
        try {
          const set = restoreSet(input, []);
          outcomes.accepted++;
          expect(set.serializedSize()).toBeLessThanOrEqual(16 * input.length + 65_536);
          expect([...restoreSet(set.serialize(), [])]).toEqual([...set]);
        } catch (error) {
          outcomes.refused++;
          if (!(error instanceof BitmapError) && !(error instanceof PmmrError)) throw error;
        }
      }),
      { numRuns: scaled(20_000) },
    );
    expect(outcomes.accepted).toBeGreaterThan(scaled(500));
    expect(outcomes.refused).toBeGreaterThan(scaled(500));
  });

  test("a chain of deltas from any bytes gives a typed error or a set", () => {
    const lists = fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4 }), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(lists, (rows) => {
        const deltas = rows.map((row) => {
          const words = new Uint8Array(4 * row.length);
          for (const [i, word] of row.entries()) words[4 * i + 3] = word;
          return words;
        });
        try {
          const set = restoreSet(undefined, deltas);
          expect(set.size).toBeLessThanOrEqual(7);
          for (const delta of deltas) expect(encodeSetDelta(decodeSetDelta(delta))).toEqual(delta);
        } catch (error) {
          if (!(error instanceof PmmrError)) throw error;
        }
      }),
      { numRuns: scaled(5000) },
    );
  });
});
