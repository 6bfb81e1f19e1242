import { fromEnvironment, printCounts, printSkip, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";
import { Bitmap, BitmapError, type DeserializeOptions } from "../src/index.ts";
import { hexFromBytes } from "./hex.ts";
import { brokenInput, mutatedInput, validInputs } from "./hostile.ts";
import { expectSameNumbers } from "./laws.ts";
import { loadPeers } from "./peers.ts";
import { encodePlain, le32, numbersFrom, readPlain, writePlain } from "./portable.ts";

const SEED = fromEnvironment("FUZZ_SEED", 1);
const INPUTS = 20_000;
/** The longest that one input may take. */
const TIME_MS_MAX = 50;
const TIMEOUT_MS = 3_600_000;

/**
 * Bytes in one to many pieces, which share one buffer, as those of a file reader may.
 *
 * @yields the next piece, good until the one after it
 */
function* cut(random: Random, bytes: Uint8Array): Generator<Uint8Array> {
  const buffer = new Uint8Array(bytes.length);
  const most = random.pick([1, 3, 16, 500, bytes.length]);
  for (let at = 0; at < bytes.length;) {
    // Short pieces of a long input would take long and show nothing new.
    const count = bytes.length > 3000 ? random.between(200, 4000) : random.between(0, most + 1);
    const piece = buffer.subarray(0, Math.min(count, bytes.length - at));
    piece.set(bytes.subarray(at, at + piece.length));
    at += piece.length;
    yield piece;
    buffer.fill(255);
  }
}

type Decode = (random: Random, bytes: Uint8Array, options: DeserializeOptions) => Bitmap;

const DECODERS: readonly {
  readonly name: string;
  readonly decode: Decode;
  readonly options: DeserializeOptions;
}[] = [
  { name: "bytes", decode: (_, b, o) => Bitmap.deserialize(b, o), options: {} },
  {
    name: "canonical bytes",
    decode: (_, b, o) => Bitmap.deserialize(b, o),
    options: { canonical: true },
  },
  {
    name: "bytes with more behind",
    decode: (_, b, o) => Bitmap.deserialize(b, o),
    options: { trailing: "ignore" },
  },
  { name: "pieces", decode: (r, b, o) => Bitmap.deserializeChunks(cut(r, b), o), options: {} },
];

/** The verdict of the plain reader: the code of a refusal, or "accepted". */
function plainVerdict(bytes: Uint8Array, options: DeserializeOptions): string {
  const read = readPlain(bytes);
  if (!read.ok) return read.rule === "length" ? "BITMAP_TRUNCATED" : "BITMAP_CORRUPT";
  if (options.trailing !== "ignore" && read.end < bytes.length) return "BITMAP_TRAILING_BYTES";
  if (options.canonical === true && !sameBytes(writePlain(read.model), bytes)) {
    return "BITMAP_NON_CANONICAL";
  }
  return "accepted";
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

interface Verdict {
  readonly verdict: string;
  readonly bitmap?: Bitmap;
  readonly offset?: number;
}

function decodeOnce(decode: () => Bitmap): Verdict {
  try {
    return { verdict: "accepted", bitmap: decode() };
  } catch (error) {
    if (error instanceof BitmapError) return { verdict: error.code, offset: error.offset };
    throw error;
  }
}

function fuzzInput(random: Random, valid: readonly Uint8Array[]): Uint8Array {
  const kind = random.below(10);
  if (kind === 0) return random.bytes(random.below(4097));
  return kind < 6 ? mutatedInput(random, valid) : brokenInput(random);
}

/** Whether the two mean the same: a canonical reading may meet a wrong form before a broken rule. */
function agrees(ours: string, plain: string, options: DeserializeOptions): boolean {
  if (ours === plain) return true;
  return options.canonical === true && ours === "BITMAP_NON_CANONICAL" && plain !== "accepted";
}

describe.each(DECODERS)("the decoder of $name", ({ name, decode, options }) => {
  test("agrees with a plain reading about every input", { timeout: TIMEOUT_MS }, () => {
    const base = seedOf(SEED, name);
    const valid = validInputs(new Random(base), 60);
    const inputs = scaled(INPUTS);
    const counts: Record<string, number> = { inputs, accepted: 0 };
    let slow = 0;
    for (let i = 0; i < inputs; i++) {
      const random = new Random(seedOf(base, i));
      const bytes = fuzzInput(random, valid);
      const reproduce = (): string =>
        `FUZZ_SEED=${SEED}, input ${i}: ${hexFromBytes(bytes.subarray(0, 2000))}`;
      const begin = performance.now();
      let found: Verdict;
      try {
        found = decodeOnce(() => decode(random, bytes, options));
      } catch (error) {
        throw new Error(`untyped error, ${reproduce()}`, { cause: error });
      }
      if (performance.now() - begin > TIME_MS_MAX) slow++;
      const plain = plainVerdict(bytes, options);
      if (!agrees(found.verdict, plain, options)) {
        throw new Error(`${found.verdict}, but plainly ${plain}; ${reproduce()}`);
      }
      counts[found.verdict] = (counts[found.verdict] ?? 0) + 1;
      if (found.bitmap === undefined) {
        const offset = found.offset ?? -1;
        if (offset < 0 || bytes.length < offset)
          throw new Error(`offset ${offset}; ${reproduce()}`);
      } else {
        checkAccepted(bytes, found.bitmap, options, reproduce);
      }
    }
    printCounts(`T-FUZZ ${name}`, counts);
    expect(counts["accepted"]).toBeGreaterThan(inputs / 100);
    expect(counts["BITMAP_CORRUPT"]).toBeGreaterThan(inputs / 10);
    expect(counts["BITMAP_TRUNCATED"]).toBeGreaterThan(inputs / 100);
    // The machine may be busy elsewhere now and then; a slow path would show in many inputs.
    expect(slow).toBeLessThan(inputs / 1000);
  });
});

/** What was accepted is the set that a plain reading finds, and canonical bytes come back as they were. */
function checkAccepted(
  bytes: Uint8Array,
  bitmap: Bitmap,
  options: DeserializeOptions,
  reproduce: () => string,
): void {
  const read = readPlain(bytes);
  if (!read.ok) throw new Error(`plainly broken: ${read.rule}; ${reproduce()}`);
  const { ranges } = read.model;
  let size = 0;
  for (const { begin, end } of ranges) {
    size += end - begin;
    if (bitmap.countRange(begin, end) !== end - begin) throw new Error(`range; ${reproduce()}`);
    if (bitmap.select(size - 1) !== end - 1) throw new Error(`select; ${reproduce()}`);
  }
  if (bitmap.size !== size) throw new Error(`size; ${reproduce()}`);
  const again = bitmap.serialize();
  const expected = options.canonical === true ? bytes : writePlain(read.model);
  if (!sameBytes(again, expected)) throw new Error(`bytes; ${reproduce()}`);
}

describe("other libraries", async () => {
  const peers = await loadPeers();
  if (peers.length === 1) printSkip("T-FUZZ verdicts of roaring", "the addon is not installed");

  // Bytes that we refuse are never shown to them: they do not check what they read, and may die of it.
  test.each(peers)(
    "$name reads what we accept as the same set",
    { timeout: TIMEOUT_MS },
    (peer) => {
      const base = seedOf(SEED, "peers");
      const valid = validInputs(new Random(base), 60);
      const inputs = scaled(INPUTS / 10);
      let accepted = 0;
      for (let i = 0; i < inputs; i++) {
        const bytes = fuzzInput(new Random(seedOf(base, i)), valid);
        const { bitmap } = decodeOnce(() => Bitmap.deserialize(bytes));
        if (bitmap === undefined) continue;
        expectSameNumbers(peer.deserialize(bytes).toUint32Array(), bitmap.toArray());
        accepted++;
      }
      expect(accepted).toBeGreaterThan(inputs / 100);
      printCounts(`T-FUZZ read by ${peer.name}`, { inputs, accepted });
    },
  );
});

/** Bytes of array buffers that a call leaves behind or has thrown away since. Collections only lower it. */
function allocated(call: () => unknown): number {
  const before = process.memoryUsage().arrayBuffers;
  call();
  return process.memoryUsage().arrayBuffers - before;
}

/** The most memory that reading these bytes may take. */
function bound(bytes: Uint8Array): number {
  return 16 * bytes.length + 64 * 1024;
}

describe("memory", () => {
  const none = new Uint8Array(0);

  const HOSTILE: { readonly [name: string]: Uint8Array } = {
    "65,536 containers announced, none there": le32([12_346, 65_536]),
    "65,536 containers with runs announced, none there": le32([12_347 + 65_535 * 65_536]),
    "4 billion containers announced": le32([12_346, 2 ** 32 - 1]),
    "65,536 bitsets announced, none there": encodePlain(
      numbersFrom(0, 65_536).map((key) => ({
        key,
        cardinality: 65_536,
        kind: "bitset",
        body: none,
      })),
    ),
    "65,535 runs announced, none there": encodePlain([
      { key: 0, cardinality: 65_536, kind: "run", body: Uint8Array.of(255, 255) },
    ]),
    "4,000 full arrays announced, one there": encodePlain(
      numbersFrom(0, 4000).map((key) => ({
        key,
        cardinality: 4096,
        kind: "array",
        body:
          key === 0
            ? Uint8Array.from(numbersFrom(0, 8192).map((i) => (i & 1 ? i >> 9 : i >> 1)))
            : none,
      })),
      { offsets: numbersFrom(1, 4000).map((i): [number, number] => [i, (i - 1) * 8192]) },
    ),
  };

  test.each(Object.entries(HOSTILE))("%s takes none", (_, bytes) => {
    for (const read of [
      (): Bitmap => Bitmap.deserialize(bytes),
      (): Bitmap => Bitmap.deserializeChunks([bytes]),
      (): Bitmap =>
        Bitmap.deserializeChunks(
          numbersFrom(0, bytes.length / 4).map((i) => bytes.subarray(i * 4, i * 4 + 4)),
        ),
    ]) {
      const taken = allocated(() => expect(read).toThrow(BitmapError));
      expect(taken).toBeLessThan(bound(bytes));
    }
  });

  test("of valid bitmaps stays within sixteen times the bytes", () => {
    const full = new Bitmap();
    full.addRange(0, 2 ** 32);
    const singles = Bitmap.from(numbersFrom(0, 65_536).map((key) => key * 65_536));
    const dense = Bitmap.from(numbersFrom(0, 1_000_000).map((i) => i * 2));
    for (const bitmap of [full, singles, dense]) {
      const bytes = bitmap.serialize();
      expect(allocated(() => Bitmap.deserialize(bytes))).toBeLessThan(bound(bytes));
      expect(allocated(() => Bitmap.deserializeChunks([bytes]))).toBeLessThan(bound(bytes));
    }
  });

  test("a batch of broken inputs takes no more than its bytes allow", () => {
    for (let batch = 0; batch < 10; batch++) {
      const inputs = numbersFrom(0, 200).map((i) =>
        brokenInput(new Random(seedOf(SEED, batch, i))),
      );
      const allowed = inputs.reduce((sum, bytes) => sum + bound(bytes), 0);
      const taken = allocated(() => {
        for (const bytes of inputs) decodeOnce(() => Bitmap.deserialize(bytes));
      });
      expect(taken).toBeLessThan(allowed);
    }
  });
});
