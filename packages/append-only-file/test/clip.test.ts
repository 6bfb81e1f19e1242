import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { clip, type Step } from "../src/clip.ts";

/** A chain of steps, each starting within what the one before left. */
const chains = fc
  .tuple(
    fc.nat(40),
    fc.array(fc.record({ keep: fc.nat(100), length: fc.nat(20), direct: fc.boolean() }), {
      maxLength: 8,
    }),
  )
  .map(([before, moves]) => {
    let size = before;
    const steps = moves.map(({ keep, length, direct }, i): Step => {
      const base = Math.floor((size * keep) / 100);
      // A commit that goes back is never direct.
      const isDirect = direct && base === size && length > 0;
      size = base + length;
      return { base, length, bytes: isDirect ? undefined : new Uint8Array(length).fill(i + 1) };
    });
    return { before, steps };
  });

describe("clipped steps", () => {
  test("give the same file as all steps one after another", () => {
    fc.assert(
      fc.property(chains, ({ before, steps }) => {
        let naive = new Uint8Array(before);
        // What the medium may hold: everything direct, and nothing else beyond what was there.
        const medium = new Uint8Array(500);
        for (const [i, { base, length, bytes }] of steps.entries()) {
          const next = new Uint8Array(base + length);
          next.set(naive.subarray(0, base));
          next.set(bytes ?? new Uint8Array(length).fill(i + 1), base);
          naive = next;
          if (bytes === undefined) medium.fill(i + 1, base, base + length);
        }
        const { ranges, size, baseMin } = clip(steps, before);
        for (const { at, bytes } of ranges) if (bytes !== undefined) medium.set(bytes, at);
        expect(medium.slice(0, size)).toEqual(naive);
        expect(baseMin).toBe(Math.min(before, ...steps.map((step) => step.base)));
      }),
    );
  });

  test("ascend and do not overlap", () => {
    fc.assert(
      fc.property(chains, ({ before, steps }) => {
        let end = 0;
        for (const range of clip(steps, before).ranges) {
          expect(range.at).toBeGreaterThanOrEqual(end);
          expect(range.length).toBeGreaterThan(0);
          expect(range.bytes?.length ?? range.length).toBe(range.length);
          end = range.at + range.length;
        }
      }),
    );
  });

  test("leave out a direct step that a later one cut away", () => {
    const steps: Step[] = [
      { base: 10, length: 90, bytes: undefined },
      { base: 0, length: 2, bytes: Uint8Array.of(1, 2) },
    ];
    expect(clip(steps, 10)).toEqual({
      ranges: [{ at: 0, length: 2, bytes: Uint8Array.of(1, 2) }],
      baseMin: 0,
      size: 2,
    });
  });

  test("of nothing leave the file as it was", () => {
    expect(clip([], 7)).toEqual({ ranges: [], baseMin: 7, size: 7 });
  });
});
