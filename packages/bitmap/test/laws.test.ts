import { printCounts, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";
import { Bitmap } from "../src/index.ts";
import { setActsLikeModel } from "./laws.ts";

const own = {
  name: "Bitmap",
  from: (values: Iterable<number>) => Bitmap.from(values),
  deserialize: (bytes: Uint8Array) => Bitmap.deserialize(bytes),
};

describe("a bitmap", () => {
  test("answers as a plain model does, whatever was done to it", { timeout: 600_000 }, () => {
    const counts = setActsLikeModel(own, scaled(150));
    expect(counts.steps).toBeGreaterThanOrEqual(counts.histories);
    printCounts(`laws of ${own.name}`, counts);
  });
});
