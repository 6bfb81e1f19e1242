import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { hexFromBytes } from "./hex.ts";

function read(file: string): string {
  return readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
}

/** Each code once, sorted. */
function codesIn(text: string): string[] {
  return [...new Set(text.match(/BITMAP_[A-Z_]+/g))].toSorted();
}

describe("the documents", () => {
  test.each(["README.md", "FORMAT.md"])("%s lists every code and no other", (file) => {
    const table = read(file)
      .split("\n")
      .filter((line) => line.startsWith("| `BITMAP_"))
      .map((line) => line.slice(0, line.indexOf("|", 1)));
    expect(codesIn(table.join())).toEqual(codesIn(read("src/errors.ts")));
    expect(codesIn(read(file))).toEqual(codesIn(table.join()));
  });

  test("FORMAT.md shows what is written", () => {
    const examples = [...read("FORMAT.md").matchAll(/^ {4}(\{.*\}|1 to 11) +([0-9a-f ]+)$/gm)];
    const shown = examples.map(([, values = "", hex = ""]) => ({
      values,
      hex: hex.replaceAll(" ", ""),
    }));
    const written = ["{}", "{1, 99, 1000}", "{5, 65536}", "1 to 11"].map((values) => {
      const numbers =
        values === "1 to 11" ? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11] : numbersIn(values);
      return { values, hex: hexFromBytes(Bitmap.from(numbers).serialize()) };
    });
    expect(shown).toEqual(written);
  });
});

function numbersIn(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
