import { afterEach, expect, test, vi } from "vitest";

import { fromEnvironment, scaled, testScale } from "../src/index.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("campaigns grow and shrink with TEST_SCALE, never to nothing", () => {
  vi.stubEnv("TEST_SCALE", "10");
  expect(testScale()).toBe(10);
  expect(scaled(6)).toBe(60);
  vi.stubEnv("TEST_SCALE", "0.01");
  expect(scaled(6)).toBe(1);
  vi.stubEnv("TEST_SCALE", "none");
  expect(() => testScale()).toThrow(RangeError);
});

test("a number from the environment is an integer or refused", () => {
  vi.stubEnv("SOME_SEED", "");
  expect(fromEnvironment("SOME_SEED", 5)).toBe(5);
  vi.stubEnv("SOME_SEED", "-7");
  expect(fromEnvironment("SOME_SEED", 5)).toBe(-7);
  vi.stubEnv("SOME_SEED", "x");
  expect(() => fromEnvironment("SOME_SEED", 5)).toThrow(RangeError);
});
