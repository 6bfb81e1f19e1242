import { Random, scaled } from "@x/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";

import { readLog } from "../../src/leveldb/log-file.ts";
import { readManifest } from "../../src/leveldb/manifest.ts";
import { readTable } from "../../src/leveldb/table-file.ts";
import { type NumberedOperation } from "../../src/leveldb/write-batch.ts";
import { fileOf, type Written, writtenByLevel } from "../support/written.ts";

let compressed: Written;
let plain: Written;

beforeAll(async () => {
  const options = { seed: 5, batchCount: 60, valueSizeMax: 2000, compact: true };
  compressed = await writtenByLevel(options);
  plain = await writtenByLevel({ ...options, compression: false });
}, 60_000);

describe("a table of LevelDB", () => {
  test("holds the last operation on every key, in order, compressed or not", () => {
    for (const written of [compressed, plain]) {
      const last = new Map(written.operations.map((one, index) => [hex(one.key), { one, index }]));
      const expected = [...last]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { one, index }]) => [key, index + 1, one.type === "put" ? hex(one.value) : ""]);
      const found = operationsOf(fileOf(written, /\.ldb$/)).map(({ key, value, sequence }) => [
        hex(key),
        sequence,
        hex(value ?? new Uint8Array()),
      ]);
      // A comparison of its own: a difference would be printed in full.
      expect(JSON.stringify(found) === JSON.stringify(expected)).toBe(true);
    }
    expect(fileOf(compressed, /\.ldb$/).length).toBeLessThan(fileOf(plain, /\.ldb$/).length);
  });

  test("is listed in the manifest with its size and its first and last key", () => {
    for (const written of [compressed, plain]) {
      const table = fileOf(written, /\.ldb$/);
      const { tables, lastSequence } = readManifest(readLog(fileOf(written, /^MANIFEST/)).records);
      const operations = operationsOf(table);
      expect([...tables.values()]).toEqual([
        {
          size: table.length,
          smallest: operations.at(0)?.key,
          largest: operations.at(-1)?.key,
        },
      ]);
      expect(lastSequence).toBe(written.operations.length);
    }
  });
});

test("a flipped bit is found, or is in the unused end of the footer, or changes nothing", () => {
  const random = new Random(3);
  const unused: number[] = [];
  for (const written of [compressed, plain]) {
    const table = fileOf(written, /\.ldb$/);
    const whole = JSON.stringify(operationsOf(table));
    for (let i = 0; i < scaled(120); i++) {
      const damaged = new Uint8Array(table);
      const byte = i < 60 ? table.length - 1 - i : random.below(table.length);
      damaged[byte] = (damaged[byte] as number) ^ (1 << random.below(8));
      const read = outcomeOf(() => JSON.stringify(operationsOf(damaged)));
      expect(read === whole || read === "damaged").toBe(true);
      if (read !== whole) continue;
      unused.push(table.length - byte);
    }
  }
  expect(unused.length).toBeGreaterThan(0);
  expect(Math.max(...unused)).toBeLessThanOrEqual(48);
});

test("a table cut at any length is refused", () => {
  const table = fileOf(compressed, /\.ldb$/);
  for (let size = 0; size < table.length; size += size < 200 || table.length - size < 200 ? 1 : 97)
    expect(outcomeOf(() => operationsOf(table.subarray(0, size)))).toBe("damaged");
});

test("any bytes are refused or read, tables and manifests alike", () => {
  const footer = fileOf(plain, /\.ldb$/).subarray(-48);
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400, size: "max" }),
      fc.boolean(),
      (bytes, withFooter) => {
        const file = withFooter ? Uint8Array.from([...bytes, ...footer]) : bytes;
        expect(outcomeOf(() => operationsOf(file))).toBe("damaged");
        const record = { offset: 0, data: bytes };
        expect(outcomeOf(() => readManifest([record]).tables.size) === "damaged" || true).toBe(
          true,
        );
      },
    ),
    { numRuns: scaled(2000) },
  );
});

function operationsOf(table: Uint8Array): NumberedOperation[] {
  return [...readTable(table)].flatMap(({ operations }) => operations);
}

function outcomeOf<T>(read: () => T): T | "damaged" {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && error.name === "Damage") return "damaged";
    throw error;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
