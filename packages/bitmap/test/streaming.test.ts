import { printCounts, Random, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Bitmap, BitmapError, type DeserializeOptions } from "../src/index.ts";
import { brokenInput } from "./hostile.ts";
import { expectSameNumbers } from "./laws.ts";
import { joined, numbersFrom, writePlain } from "./portable.ts";
import { CHOICES, someSet } from "./sets.ts";

/** What reading gives: the bytes of the set, or the code and the offset of the refusal. */
function outcome(bitmap: Bitmap | BitmapError): string {
  if (bitmap instanceof BitmapError) return `${bitmap.code} at ${bitmap.offset}`;
  return bitmap.serialize().join();
}

function caught(read: () => Bitmap): Bitmap | BitmapError {
  try {
    return read();
  } catch (error) {
    if (error instanceof BitmapError) return error;
    throw error;
  }
}

async function caughtAsync(read: Promise<Bitmap>): Promise<Bitmap | BitmapError> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof BitmapError) return error;
    throw error;
  }
}

/**
 * Bytes in pieces of random lengths, some of none, in one buffer that is overwritten each time.
 *
 * @yields the next piece, good until the one after it
 */
function* cut(seed: number, bytes: Uint8Array): Generator<Uint8Array> {
  const random = new Random(seed);
  const buffer = new Uint8Array(bytes.length);
  const longest = random.pick([1, 2, 7, 100, 8192, 20_000]);
  for (let at = 0; at < bytes.length;) {
    const piece = buffer.subarray(0, Math.min(random.between(0, longest), bytes.length - at));
    piece.set(bytes.subarray(at, at + piece.length));
    at += piece.length;
    yield piece;
    buffer.fill(170);
  }
}

/**
 * The same, waited for.
 *
 * @yields the next piece, good until the one after it
 */
async function* cutAsync(seed: number, bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (const piece of cut(seed, bytes)) {
    await Promise.resolve();
    yield piece;
  }
}

const someBytes = fc
  .tuple(someSet, fc.constantFrom(...Object.values(CHOICES)))
  .filter(([model]) => model.size < 30_000)
  .map(([model, choose]) => writePlain(model, choose));

const someOptions: fc.Arbitrary<DeserializeOptions> = fc.constantFrom<DeserializeOptions[]>(
  {},
  { canonical: true },
  { trailing: "ignore" },
  { bytesMax: 100 },
);

describe("reading pieces", () => {
  test("of any lengths is reading the whole", { timeout: 600_000 }, async () => {
    let inputs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          someBytes,
          fc.integer().map((seed) => brokenInput(new Random(seed))),
        ),
        someOptions,
        fc.integer({ min: 0 }),
        async (bytes, options, seed) => {
          const whole = outcome(caught(() => Bitmap.deserialize(bytes, options)));
          const pieces = caught(() => Bitmap.deserializeChunks(cut(seed, bytes), options));
          expect(outcome(pieces)).toBe(whole);
          const waited = Bitmap.deserializeChunksAsync(cutAsync(seed, bytes), options);
          expect(outcome(await caughtAsync(waited))).toBe(whole);
          inputs++;
        },
      ),
      { numRuns: scaled(250) },
    );
    expect(inputs).toBe(scaled(250));
    printCounts("pieces against the whole", { inputs });
  });

  test("cut at every byte of a small file is reading the whole", () => {
    const bitmap = Bitmap.from([1, 2, 3, 4, 5, 70_000, 2 ** 31, 2 ** 32 - 1]);
    bitmap.addRange(200_000, 200_100);
    const bytes = bitmap.serialize();
    for (let at = 0; at <= bytes.length; at++) {
      const pieces = [bytes.subarray(0, at), bytes.subarray(at)];
      expect(Bitmap.deserializeChunks(pieces).equals(bitmap)).toBe(true);
      // And without the second piece the end is missing, unless the first was all.
      const first = caught(() => Bitmap.deserializeChunks(pieces.slice(0, 1)));
      expect(outcome(first)).toBe(
        at === bytes.length ? outcome(bitmap) : `BITMAP_TRUNCATED at ${at}`,
      );
    }
    expect(
      Bitmap.deserializeChunks(
        numbersFrom(0, bytes.length).map((i) => bytes.subarray(i, i + 1)),
      ).equals(bitmap),
    ).toBe(true);
  });

  test("asks for no more of them once the bitmap is complete and the rest is ignored", () => {
    const bytes = Bitmap.from([1, 2, 3]).serialize();
    let asked = 0;
    let closed = false;
    const pieces = {
      *[Symbol.iterator](): Generator<Uint8Array> {
        try {
          for (const piece of [bytes, Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]) {
            asked++;
            yield piece;
          }
        } finally {
          closed = true;
        }
      },
    };
    expect(Bitmap.deserializeChunks(pieces, { trailing: "ignore" }).size).toBe(3);
    expect({ asked: asked < 4, closed }).toEqual({ asked: true, closed: true });
  });

  test("stops at the first broken rule and closes the source", async () => {
    let closed = 0;
    const source = function* (): Generator<Uint8Array> {
      try {
        for (;;) yield new Uint8Array(4);
      } finally {
        closed++;
      }
    };
    const corrupt = expect.objectContaining({ code: "BITMAP_CORRUPT", offset: 0 }) as Error;
    expect(() => Bitmap.deserializeChunks(source())).toThrow(corrupt);
    const waited = async function* (): AsyncGenerator<Uint8Array> {
      yield* source();
    };
    await expect(Bitmap.deserializeChunksAsync(waited())).rejects.toThrow(corrupt);
    expect(closed).toBe(2);
  });

  test("passes on what the source throws", async () => {
    const bytes = Bitmap.from([1, 2, 3]).serialize();
    const failing = async function* (): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 6);
      await Promise.reject(new Error("the disk is gone"));
    };
    await expect(Bitmap.deserializeChunksAsync(failing())).rejects.toThrow("the disk is gone");
  });
});

describe("writing pieces", () => {
  test("gives the bytes of the whole", { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(someSet, fc.boolean(), (model, runs) => {
        const bitmap = Bitmap.from(model.toArray());
        const pieces = [...bitmap.serializeChunks({ runs })];
        expectSameNumbers(joined(pieces), bitmap.serialize({ runs }));
        for (const piece of pieces) expect(piece.length).toBeGreaterThan(0);
      }),
      { numRuns: scaled(60) },
    );
  });

  test("gives pieces of about 64 KiB, each with memory of its own", () => {
    const bitmap = Bitmap.from(
      numbersFrom(0, 400_000).map((i) => 16 * (i % 4000) + 65_536 * Math.floor(i / 4000)),
    );
    const pieces = [...bitmap.serializeChunks()];
    const bytes = bitmap.serialize();
    expect(pieces.length).toBeGreaterThan(bytes.length / 70_000);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(64 * 1024);
    expect(new Set(pieces.map((piece) => piece.buffer)).size).toBe(pieces.length);
    expect(Bitmap.deserializeChunks(pieces).equals(bitmap)).toBe(true);
  });

  test("shows the set as it was when writing began", () => {
    const bitmap = Bitmap.from(numbersFrom(0, 300_000).map((i) => 13 * i));
    const bytes = bitmap.serialize();
    const pieces: Uint8Array[] = [];
    for (const piece of bitmap.serializeChunks()) {
      pieces.push(piece);
      bitmap.deleteRange(0, 2_000_000);
      bitmap.add(2 ** 32 - pieces.length);
    }
    expect(pieces.length).toBeGreaterThan(2);
    expectSameNumbers(joined(pieces), bytes);
  });

  test("begins when it is asked to, not with the first piece", () => {
    const bitmap = Bitmap.from([1]);
    const writing = bitmap.serializeChunks();
    bitmap.add(2);
    expect([...Bitmap.deserializeChunks(writing)]).toEqual([1]);
  });
});
