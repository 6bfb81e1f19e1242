import { sameBytes } from "@x/store/adapter";
import { hexOf, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { VerMapError } from "../../src/index.ts";
import { decodeAnchor, encodeAnchor } from "../../src/records/anchor-record.ts";
import { decodeBranch, encodeBranch } from "../../src/records/branch-record.ts";
import { type Commit, decodeCommit, encodeCommit } from "../../src/records/commit-record.ts";
import {
  decodeFormat,
  decodeState,
  encodeFormat,
  encodeState,
} from "../../src/records/map-record.ts";
import { decodeMentions, encodeMentions } from "../../src/records/mention-record.ts";
import { encodeRecord, type RecordPlace } from "../../src/records/record.ts";
import { RecordKind } from "../../src/records/record-keys.ts";

/** Ids with every number of bytes. */
const id = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.maxSafeNat().filter((one) => one > 0),
);
const root = fc.oneof(fc.constant(0), id);
const text = fc
  .string({ unit: "grapheme", maxLength: 12 })
  .filter((one) => !/\p{Surrogate}/u.test(one));

/** Commits 77, of every shape. */
const parts = {
  id: fc.constant(77),
  root,
  time: fc.maxSafeNat(),
  message: text,
  author: text,
  fields: fc
    .uniqueArray(fc.tuple(text, text), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 4,
    })
    .map((fields) => new Map(fields)),
};
const REQUIRED: { requiredKeys: ("id" | "root" | "time" | "parents" | "isCut")[] } = {
  requiredKeys: ["id", "root", "time", "parents", "isCut"],
};
const commit: fc.Arbitrary<Commit> = fc.oneof(
  fc.record(
    {
      ...parts,
      parents: fc.constantFrom([], [76], [1], [76, 1], [3, 75]),
      isCut: fc.constant(false),
    },
    REQUIRED,
  ),
  fc.record({ ...parts, parents: fc.constant([]), isCut: fc.constant(true) }, REQUIRED),
);

const OPTIONS = { numRuns: scaled(400) };

interface Subject {
  readonly name: string;
  readonly place: RecordPlace;
  readonly records: fc.Arbitrary<unknown>;
  readonly encode: (record: never) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => unknown;
}

const SUBJECTS: readonly Subject[] = [
  {
    name: "commit",
    place: { kind: RecordKind.commit, id: 77 },
    records: commit,
    encode: encodeCommit,
    decode: (bytes) => decodeCommit(77, bytes),
  },
  {
    name: "branch",
    place: { kind: RecordKind.branch, id: 5 },
    records: fc.record({ name: text, head: root, root }),
    encode: (branch) => encodeBranch(5, branch),
    decode: (bytes) => decodeBranch(5, bytes),
  },
  {
    name: "count",
    place: { kind: RecordKind.mentions, id: 5 },
    records: fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }),
    encode: (count) => encodeMentions(5, count),
    decode: (bytes) => decodeMentions(5, bytes),
  },
  {
    name: "anchor",
    place: { kind: RecordKind.anchor, id: 0 },
    records: fc.record({
      commits: fc.array(id, { maxLength: 3 }),
      roots: fc.array(id, { maxLength: 3 }),
      payload: fc.uint8Array({ maxLength: 9 }),
    }),
    encode: encodeAnchor,
    decode: decodeAnchor,
  },
  {
    name: "format",
    place: { kind: RecordKind.format, id: 0 },
    records: fc.record({ key: text, value: text }),
    encode: encodeFormat,
    decode: decodeFormat,
  },
  {
    name: "state",
    place: { kind: RecordKind.state, id: 0 },
    records: fc
      .record({ sequence: fc.maxSafeNat(), nextCommit: id, nextBranch: id.filter((n) => n > 1) })
      .chain((state) =>
        fc.record({
          sequence: fc.constant(state.sequence),
          nextCommit: fc.constant(state.nextCommit),
          nextBranch: fc.constant(state.nextBranch),
          main: fc.integer({ min: 1, max: state.nextBranch - 1 }),
        }),
      ),
    encode: encodeState,
    decode: decodeState,
  },
];

/** The record of these bytes, or the error's code. Whatever is accepted is what would be written. */
function verdict({ decode, encode }: Subject, bytes: Uint8Array): string {
  try {
    const again = encode(decode(bytes) as never);
    return sameBytes(again, bytes) ? "accepted" : "accepted, but written otherwise";
  } catch (error) {
    return error instanceof VerMapError ? error.code : String(error);
  }
}

/** The same bytes with a checksum that matches. */
function sealed(place: RecordPlace, content: Uint8Array): Uint8Array {
  return encodeRecord(place, (writer) => writer.put(content.subarray(1)));
}

describe.each(SUBJECTS)("the record of a $name", (subject) => {
  const { place, records, encode, decode } = subject;

  test("is read back as it was written", () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decode(encode(record as never))).toEqual(record);
      }),
      OPTIONS,
    );
  });

  test("with any byte changed, missing or added is refused", () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (record, at, change) => {
        const bytes = encode(record as never);
        const changed = new Uint8Array(bytes);
        const index = at % bytes.length;
        changed[index] = (bytes[index] as number) ^ change;
        expect(verdict(subject, changed)).toBe("VERMAP_CORRUPT");
        expect(verdict(subject, bytes.subarray(0, index))).toBe("VERMAP_CORRUPT");
        expect(verdict(subject, Uint8Array.of(...bytes, change))).toBe("VERMAP_CORRUPT");
      }),
      OPTIONS,
    );
  });

  test("that is well sealed is one that would be written, or refused", () => {
    const seen = new Map<string, number>();
    const one = (content: Uint8Array): void => {
      const found = verdict(subject, sealed(place, content));
      expect(["accepted", "VERMAP_CORRUPT"]).toContain(found);
      seen.set(found, (seen.get(found) ?? 0) + 1);
    };
    const mutation = fc.tuple(records, fc.nat(), fc.nat(255), fc.nat(2));
    fc.assert(
      fc.property(mutation, ([record, at, byte, kind]) => {
        const content = [...encode(record as never).subarray(0, -4)];
        content.splice(at % (content.length + 1), kind === 0 ? 0 : 1, ...(kind < 2 ? [byte] : []));
        one(Uint8Array.from(content.length === 0 ? [1] : content));
      }),
      { numRuns: scaled(3000) },
    );
    fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), one), {
      numRuns: scaled(3000),
    });
    expect(seen.get("VERMAP_CORRUPT")).toBeGreaterThan(0);
    expect(seen.get("accepted")).toBeGreaterThan(0);
  });

  test("of one place is refused in another", () => {
    const [record] = fc.sample(records, 1);
    const moved = { ...place, id: place.id + 1 };
    const content = encode(record as never).subarray(0, -4);
    expect(verdict(subject, sealed(moved, content))).toBe("VERMAP_CORRUPT");
    expect(verdict(subject, sealed(place, content))).toBe("accepted");
  });
});

describe("records", () => {
  test("have the bytes that FORMAT.md shows", () => {
    const merge = {
      id: 3,
      root: 5,
      parents: [2, 1],
      time: 1000,
      message: "hi",
      fields: new Map([["k", "v"]]),
      isCut: false,
    };
    expect(hexOf(encodeCommit(merge)).slice(0, -8)).toBe("010505020201e80702686901016b0176");
    expect(hexOf(encodeBranch(1, { name: "main", head: 0, root: 0 })).slice(0, -8)).toBe(
      "0100006d61696e",
    );
    expect(hexOf(encodeMentions(2, 2)).slice(0, -8)).toBe("0100");
    expect(hexOf(encodeFormat({ key: "utf8", value: "u32" })).slice(0, -8)).toBe(
      "01047574663803753332",
    );
    expect(hexOf(encodeState({ sequence: 1, nextCommit: 1, nextBranch: 2, main: 1 }))).toMatch(
      /^0101010201/,
    );
    expect(
      hexOf(encodeAnchor({ commits: [9], roots: [], payload: Uint8Array.of(255) })).slice(0, -8),
    ).toBe("01010900ff");
  });

  test("end in the CRC-32 of their place and their content", () => {
    // 04, then id 1 in 8 bytes, then the content; computed with zlib.
    expect(hexOf(encodeBranch(1, { name: "main", head: 0, root: 0 })).slice(-8)).toBe("cc3b1e80");
  });
});
