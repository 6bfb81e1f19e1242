import { describe, expect, test } from "vitest";
import { checkRecord, checkRecordSize } from "../src/codec.ts";
import { bytesCodec } from "../src/index.ts";
import { codeOf } from "./support.ts";

describe("bytes as elements", () => {
  test("are stored and hashed as they are, and never aliased", () => {
    const codec = bytesCodec(3);
    const element = Uint8Array.of(1, 2, 3);
    const forms = [
      codec.store(element),
      codec.hashForm(element),
      codec.load(element),
      codec.storedHashForm(element),
    ];
    element.fill(0);
    for (const form of forms) expect(form).toEqual(Uint8Array.of(1, 2, 3));
    expect(codec.recordSize).toBe(3);
    expect(bytesCodec().recordSize).toBeUndefined();
  });

  test("are Uint8Arrays", () => {
    expect(() => bytesCodec().store("abc" as never)).toThrow(TypeError);
  });

  test("have 1 to 65,535 bytes", () => {
    for (const size of [0, -1, 1.5, 65_536, Number.NaN]) {
      expect(() => bytesCodec(size)).toThrow(RangeError);
      expect(() => checkRecordSize(size)).toThrow(RangeError);
    }
    expect(bytesCodec(1).recordSize).toBe(1);
    expect(bytesCodec(65_535).recordSize).toBe(65_535);
  });
});

test("a record fits its codec, or is refused with a code", () => {
  const verdicts = ([0, 1, 4, 5, 65_535, 65_536] as const).map((size) => [
    codeOf(() => checkRecord(new Uint8Array(size), undefined)),
    codeOf(() => checkRecord(new Uint8Array(size), 4)),
  ]);
  expect(verdicts).toEqual([
    ["PMMR_CAPACITY", "PMMR_CAPACITY"],
    ["none", "PMMR_CAPACITY"],
    ["none", "none"],
    ["none", "PMMR_CAPACITY"],
    ["none", "PMMR_CAPACITY"],
    ["PMMR_CAPACITY", "PMMR_CAPACITY"],
  ]);
  expect(() => checkRecord("abcd" as never, 4)).toThrow(TypeError);
  // A codec may claim more than the format holds.
  expect(codeOf(() => checkRecord(new Uint8Array(70_000), 70_000))).toBe("PMMR_CAPACITY");
  expect(codeOf(() => checkRecord(new Uint8Array(0), 0))).toBe("PMMR_CAPACITY");
});
