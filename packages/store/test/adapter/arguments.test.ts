import { Buffer } from "node:buffer";

import { StoreModel } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  checkKey,
  checkKeys,
  checkOperations,
  compareBytes,
  copyBytes,
  inRange,
  isEmptyRange,
  resolveBatchOptions,
  resolveRange,
  sameBytes,
} from "../../src/adapter/index.ts";
import { type Range } from "../../src/index.ts";

const someBytes = fc.uint8Array({ maxLength: 3 }).map((raw) => raw.map((byte) => byte & 0x81));
const someKey = someBytes.filter(({ length }) => length > 0);
const someRange: fc.Arbitrary<Range> = fc
  .tuple(
    fc.constantFrom("gte", "gt", "none"),
    someBytes,
    fc.constantFrom("lte", "lt", "none"),
    someBytes,
  )
  .map(([lower, from, upper, to]) =>
    Object.assign(
      {},
      lower === "none" ? {} : { [lower]: from },
      upper === "none" ? {} : { [upper]: to },
    ),
  );

describe("bytes", () => {
  test("are ordered as Buffer.compare orders them", () => {
    fc.assert(
      fc.property(someBytes, someBytes, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(sameBytes(a, b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
    expect(compareBytes(Uint8Array.of(0x7f), Uint8Array.of(0x80))).toBeLessThan(0);
  });

  test("are the same when both are absent, and not when one is", () => {
    expect(sameBytes(undefined, undefined)).toBe(true);
    expect(sameBytes(undefined, new Uint8Array())).toBe(false);
    expect(sameBytes(new Uint8Array(), undefined)).toBe(false);
  });

  test("copied from a Buffer are a Uint8Array with memory of its own", () => {
    const buffer = Buffer.from([1, 2, 3]).subarray(1);
    const copy = copyBytes(buffer);
    buffer.fill(9);
    expect(copy.constructor).toBe(Uint8Array);
    expect(copy).toEqual(Uint8Array.of(2, 3));
    expect(copy.buffer.byteLength).toBe(2);
  });
});

describe("ranges", () => {
  test("hold exactly the keys that their bounds say", () => {
    fc.assert(
      fc.property(someRange, someKey, (range, key) => {
        const model = new StoreModel();
        model.batch([{ type: "put", key, value: key }]);
        const isIn = inRange(key, resolveRange(range));
        expect(isIn).toBe(model.entries(range).length === 1);
        expect(isIn && isEmptyRange(resolveRange(range))).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test("are empty where no key can be between the bounds", () => {
    const [a, b] = [Uint8Array.of(1), Uint8Array.of(2)];
    const none = new Uint8Array();
    const empty: Range[] = [
      { gte: b, lte: a },
      { gt: a, lte: a },
      { gte: a, lt: a },
      { limit: 0 },
      { lte: none },
      { lt: none },
    ];
    for (const range of empty) expect(isEmptyRange(resolveRange(range))).toBe(true);
    const others: Range[] = [
      {},
      { gte: a },
      { lt: a },
      { gte: a, lte: a },
      { gt: a, lt: b },
      { gt: none },
    ];
    for (const range of others) expect(isEmptyRange(resolveRange(range))).toBe(false);
  });

  test("resolve to copies with the defaults filled in", () => {
    const key = Uint8Array.of(1);
    const range = resolveRange({ gt: key, lte: key });
    key.fill(9);
    expect(range).toEqual({
      lower: { key: Uint8Array.of(1), inclusive: false },
      upper: { key: Uint8Array.of(1), inclusive: true },
      reverse: false,
      limit: Infinity,
    });
    expect(resolveRange({ limit: Infinity }).limit).toBe(Infinity);
  });
});

describe("malformed arguments", () => {
  test("say which of many is wrong", () => {
    const key = Uint8Array.of(1);
    expect(() => checkKey(new Uint8Array(), "prefix")).toThrow("prefix is empty");
    expect(() => checkKeys([key, key, new Uint8Array()])).toThrow("key 2 is empty");
    expect(() => checkKeys("ab" as never)).toThrow(TypeError);
    expect(() => checkOperations([{ type: "del", key }, undefined as never])).toThrow(
      "operation 1",
    );
    expect(() => checkOperations([{ type: "put", key } as never])).toThrow("value of operation 0");
    expect(() => resolveBatchOptions({ expect: [{ key, value: 1 as never }] })).toThrow(
      "expectation 0",
    );
  });

  test("options of a batch default to synced and unconditional, and are copied", () => {
    expect(resolveBatchOptions()).toEqual({ sync: true, expect: [] });
    const value = Uint8Array.of(1);
    const { expect: expectations } = resolveBatchOptions({ expect: [{ key: value, value }] });
    value.fill(2);
    expect(expectations).toEqual([{ key: Uint8Array.of(1), value: Uint8Array.of(1) }]);
  });
});
