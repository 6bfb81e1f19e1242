import { describe, expect, test } from "vitest";
import { Bitmap, BitmapError, type BitmapErrorCode } from "../src/index.ts";
import { argumentErrors } from "./arguments.ts";
import {
  encodePlain,
  type HeaderChanges,
  le16,
  numbersFrom,
  type PlainContainer,
  plainContainers,
  plainKind,
  writePlain,
} from "./portable.ts";
import { RangeModel } from "./range-model.ts";

function errorOf(call: () => unknown): BitmapError {
  try {
    call();
  } catch (error) {
    if (error instanceof BitmapError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** Five containers: array, bitset, runs, array, runs. All bodies begin after byte 4 + 1 + 20 + 20. */
const MODEL = RangeModel.of([
  1,
  5,
  9,
  ...numbersFrom(0, 5000).map((i) => 65_536 + 2 * i),
  ...numbersFrom(131_072, 131_372),
  ...numbersFrom(131_400, 131_500),
  200_000,
  200_002,
  ...numbersFrom(262_144, 262_244),
]);
const CONTAINERS = plainContainers(MODEL, (cardinality, runCount) =>
  runCount < 3 && cardinality > 4 ? "run" : plainKind(cardinality),
);
const ARRAY_AT = 45;
const BITSET_AT = ARRAY_AT + 6;
const RUNS_AT = BITSET_AT + 8192;

function changed(i: number, change: Partial<PlainContainer>): PlainContainer[] {
  return CONTAINERS.map((container, k) => (k === i ? { ...container, ...change } : container));
}

interface Broken {
  readonly rule: string;
  readonly containers?: readonly PlainContainer[];
  readonly header?: HeaderChanges;
  readonly offset: number;
}

const RULES: readonly Broken[] = [
  { rule: "the cookie is known", header: { cookie: 12_348 }, offset: 0 },
  {
    rule: "the cookie without runs has no high half",
    header: { runCookie: false, cookie: 12_346 + 65_536 },
    offset: 0,
  },
  {
    rule: "there are at most 65,536 containers",
    header: { runCookie: false, count: 65_537 },
    offset: 4,
  },
  {
    rule: "run flags without a container are clear",
    header: { flags: [[0, 0b10_0000]] },
    offset: 4,
  },
  { rule: "keys ascend", containers: changed(2, { key: 7 }), offset: 5 + 3 * 4 },
  { rule: "keys do not repeat", containers: changed(2, { key: 1 }), offset: 5 + 2 * 4 },
  { rule: "the first offset is the first body's", header: { offsets: [[0, 1]] }, offset: 25 },
  { rule: "the last offset is the last body's", header: { offsets: [[4, -1]] }, offset: 25 + 16 },
  {
    rule: "array values ascend",
    containers: changed(0, { body: le16([5, 1, 9]) }),
    offset: ARRAY_AT + 2,
  },
  {
    rule: "array values do not repeat",
    containers: changed(0, { body: le16([1, 5, 5]) }),
    offset: ARRAY_AT + 4,
  },
  {
    rule: "a bitset has as many bits as it says",
    containers: changed(1, { cardinality: 5001 }),
    offset: BITSET_AT,
  },
  { rule: "there is a run", containers: changed(2, { body: le16([0]) }), offset: RUNS_AT },
  {
    rule: "runs ascend",
    containers: changed(2, { body: le16([2, 328, 99, 0, 299]) }),
    offset: RUNS_AT + 6,
  },
  {
    rule: "runs do not overlap",
    containers: changed(2, { body: le16([2, 0, 299, 299, 99]) }),
    offset: RUNS_AT + 6,
  },
  {
    rule: "runs do not touch",
    containers: changed(2, { body: le16([2, 0, 299, 300, 99]) }),
    offset: RUNS_AT + 6,
  },
  {
    rule: "a run ends in its container",
    containers: changed(2, { body: le16([2, 0, 299, 65_500, 99]) }),
    offset: RUNS_AT + 8,
  },
  {
    rule: "runs have as many values as they say",
    containers: changed(2, { cardinality: 401 }),
    offset: RUNS_AT,
  },
];

describe("a file that breaks a rule is corrupt, at the byte that does", () => {
  test.each(RULES)("$rule", ({ containers = CONTAINERS, header = {}, offset }) => {
    const bytes = encodePlain(containers, header);
    const error = errorOf(() => Bitmap.deserialize(bytes));
    expect({ code: error.code, offset: error.offset }).toEqual({ code: "BITMAP_CORRUPT", offset });
  });

  test("and the same file without the break is read", () => {
    expect([...Bitmap.deserialize(encodePlain(CONTAINERS))]).toEqual([...MODEL.toArray()]);
    expect(CONTAINERS.map(({ kind }) => kind)).toEqual(["array", "bitset", "run", "array", "run"]);
  });
});

/** A call for each code; the type says that none is missing. */
const PROVOKED: { readonly [Code in BitmapErrorCode]: readonly (() => unknown)[] } = {
  BITMAP_TRUNCATED: [
    () => Bitmap.deserialize(new Uint8Array(0)),
    () => Bitmap.deserializeChunks([]),
    () => Bitmap.deserialize(encodePlain(CONTAINERS).subarray(0, 100)),
  ],
  BITMAP_CORRUPT: [() => Bitmap.deserialize(new Uint8Array(8))],
  BITMAP_TRAILING_BYTES: [
    () => Bitmap.deserialize(Uint8Array.of(...new Bitmap().serialize(), 1)),
    () => Bitmap.deserializeChunks([new Bitmap().serialize(), Uint8Array.of(1)]),
  ],
  BITMAP_NON_CANONICAL: [
    () => Bitmap.deserialize(writePlain(MODEL, plainKind), { canonical: true }),
    () =>
      Bitmap.deserialize(
        writePlain(MODEL, () => "run"),
        { canonical: true },
      ),
    // The cookie of bitmaps with runs, and none.
    () =>
      Bitmap.deserialize(encodePlain(CONTAINERS.slice(0, 1), { runCookie: true }), {
        canonical: true,
      }),
  ],
  BITMAP_TOO_LARGE: [
    () => Bitmap.deserialize(encodePlain(CONTAINERS), { bytesMax: 8000 }),
    () => Bitmap.deserialize(encodePlain(CONTAINERS), { bytesMax: 0 }),
    () => Bitmap.deserializeChunks([encodePlain(CONTAINERS)], { bytesMax: 20 }),
  ],
};

describe.each(Object.entries(PROVOKED))("%s", (code, provocations) => {
  test("is thrown with an offset and without content", () => {
    for (const call of provocations) {
      const error = errorOf(call);
      expect(error.code).toBe(code);
      expect(error.name).toBe("BitmapError");
      expect(Number.isSafeInteger(error.offset) && 0 <= error.offset).toBe(true);
      expect(error.message).toMatch(/^[a-z0-9].*, at byte \d+$/);
      expect(error.message).toContain(`at byte ${error.offset}`);
    }
  });
});

describe("the most bytes to read", () => {
  const bytes = encodePlain(CONTAINERS);

  test("may be all there are and not one less", () => {
    expect(Bitmap.deserialize(bytes, { bytesMax: bytes.length }).size).toBe(MODEL.size);
    for (const bytesMax of [0, 3, 4, 7, 30, ARRAY_AT, RUNS_AT + 1, bytes.length - 1]) {
      expect(errorOf(() => Bitmap.deserialize(bytes, { bytesMax })).code).toBe("BITMAP_TOO_LARGE");
    }
  });

  test("are a number of bytes", () => {
    for (const bytesMax of [-1, 1.5, Number.NaN, Infinity]) {
      expect(() => Bitmap.deserialize(bytes, { bytesMax })).toThrow(RangeError);
      expect(() => Bitmap.deserializeChunks([bytes], { bytesMax })).toThrow(RangeError);
    }
  });

  test("are 64 MiB unless the caller says otherwise", () => {
    // 9,000 bitsets, announced and not there: more than 64 MiB, which is noticed before a byte of them is.
    const body = new Uint8Array(0);
    const huge = numbersFrom(0, 9000).map((key): PlainContainer => ({
      key,
      cardinality: 65_535,
      kind: "bitset",
      body,
    }));
    const header = encodePlain(huge, {
      offsets: numbersFrom(0, 9000).map((i): readonly [number, number] => [i, i * 8192]),
    });
    expect(errorOf(() => Bitmap.deserialize(header)).code).toBe("BITMAP_TRUNCATED");
    const one = new Uint8Array(8192).fill(255);
    one[0] = 254;
    const pieces = function* (): Generator<Uint8Array> {
      yield header;
      for (let i = 0; i < 9000; i++) yield one;
    };
    const error = errorOf(() => Bitmap.deserializeChunks(pieces()));
    expect(error.code).toBe("BITMAP_TOO_LARGE");
    expect(error.offset).toBeLessThanOrEqual(64 * 1024 * 1024);
    expect(error.offset).toBeGreaterThan(64 * 1024 * 1024 - 8192);
  });
});

describe("the caller's mistakes", () => {
  const sets = {
    create: () => new Bitmap(),
    from: (values: Iterable<number>) => Bitmap.from(values),
    deserialize: (bytes: Uint8Array) => Bitmap.deserialize(bytes),
  };

  test("are a RangeError for wrong numbers and a TypeError for what is no number", () => {
    const lines = argumentErrors(sets);
    expect(lines.length).toBeGreaterThan(190);
    for (const line of lines) {
      expect(line.slice(line.lastIndexOf("): ") + 3)).toBe(wantedError(line));
    }
  });

  test("in ranges are ends below begins and past 2^32", () => {
    const bitmap = Bitmap.from([1]);
    for (const call of ["addRange", "deleteRange", "countRange"] as const) {
      expect(() => bitmap[call](2, 1)).toThrow(RangeError);
      expect(() => bitmap[call](0, 2 ** 32 + 1)).toThrow(RangeError);
      bitmap[call](7, 7);
      bitmap[call](2 ** 32, 2 ** 32);
    }
    expect([...bitmap]).toEqual([1]);
  });

  test("in options are unknown ways to treat trailing bytes", () => {
    const trailing = "keep" as "ignore";
    expect(() => Bitmap.deserialize(new Bitmap().serialize(), { trailing })).toThrow(TypeError);
  });

  test.each(["and", "orInPlace", "equals", "isSubsetOf", "intersects"] as const)(
    "in %s are other kinds of sets",
    (call) => {
      const other = new Set([1]) as unknown as Bitmap;
      expect(() => Bitmap.from([1])[call](other)).toThrow(TypeError);
    },
  );
});

function wantedError(line: string): string {
  return line.includes("(number ") ? "RangeError" : "TypeError";
}
