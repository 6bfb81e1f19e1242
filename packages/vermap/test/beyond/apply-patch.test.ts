import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";
import { utf8 } from "../../src/codec/index.ts";
import { upsert } from "../../src/map/upsert.ts";
import { applyPatch } from "../../src/patch/apply-patch.ts";
import { decodePatch, encodePatch, invertPatch } from "../../src/patch/patch.ts";
import { codeOf, commitOf, entriesOf, listOf, openTextMap, randomHistory } from "./support.ts";

const codecs = { key: utf8, value: utf8 };

describe("applyPatch", () => {
  const seeds = Array.from({ length: scaled(8) }, (_, index) => seedOf("patch", index));

  test.each(seeds)(
    "a diff takes one version to the other, and its inverse back, seed %i",
    async (seed) => {
      const random = new Random(seed);
      const { map, commits } = await randomHistory(random, 25);
      for (let round = 0; round < 15; round++) {
        const from = random.pick([...commits.values()]);
        const to = random.pick([...commits.values()]);
        const { name } = await map.createBranch(`patch-${round}`, { commit: from.id });
        const diff = await listOf(map.diff(from.id, to.id));
        const sent = decodePatch(codecs, encodePatch(codecs, diff));
        await applyPatch(map, name, sent);
        expect(await entriesOf(map, { branch: name })).toEqual(Object.fromEntries(to.entries));
        await applyPatch(map, name, invertPatch(sent));
        expect(await entriesOf(map, { branch: name })).toEqual(Object.fromEntries(from.entries));
      }
    },
  );

  test("a key that holds something else refuses all of it", async () => {
    const map = await openTextMap();
    await commitOf(map, "main", { a: "1", b: "1", c: "1" });
    const patch = [
      { type: "modified", key: "a", oldValue: "1", value: "2" },
      { type: "removed", key: "b", oldValue: "other" },
      { type: "added", key: "c", value: "3" },
    ] as const;
    await expect(applyPatch(map, "main", patch)).rejects.toMatchObject({
      code: "VERMAP_PATCH_MISMATCH",
      conflictCount: 2,
    });
    expect(map.main.hasUncommitted).toBe(false);
    await applyPatch(map, "main", patch, { force: true });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "2", c: "3" });
  });

  test("a branch that is not there, or has moved, or a malformed patch, is refused", async () => {
    const map = await openTextMap();
    expect(await codeOf(applyPatch(map, "none", []))).toBe("VERMAP_BRANCH_NOT_FOUND");
    expect(await codeOf(applyPatch(map, "main", [], { expectedHead: 1 }))).toBe(
      "VERMAP_HEAD_MOVED",
    );
    const twice = [
      { type: "added", key: "a", value: "1" },
      { type: "added", key: "a", value: "2" },
    ] as const;
    expect(() => applyPatch(map, "main", twice)).toThrow(RangeError);
  });

  test("a large patch is checked and applied whole", async () => {
    const map = await openTextMap();
    const patch = Array.from({ length: 2000 }, (_, index) => ({
      type: "added" as const,
      key: String(index),
      value: "x",
    }));
    await applyPatch(map, "main", patch);
    expect(await map.main.size()).toBe(2000);
    expect(await codeOf(applyPatch(map, "main", patch))).toBe("VERMAP_PATCH_MISMATCH");
  });
});

describe("upsert", () => {
  test("makes a value of a value, with nobody between", async () => {
    const map = await openTextMap();
    const increase = (): Promise<string | undefined> =>
      upsert(map, "main", "n", (value) => String(Number(value ?? 0) + 1));
    const values = await Promise.all(Array.from({ length: 10 }, increase));
    expect(values).toEqual(["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]);
    expect(await upsert(map, "main", "n", () => undefined)).toBeUndefined();
    expect(await map.main.has("n")).toBe(false);
    await upsert(map, "main", "n", () => undefined);
    expect(await map.main.isChanged()).toBe(false);
  });

  test("what the function throws changes nothing", async () => {
    const map = await openTextMap();
    const failure = new Error("no");
    const call = upsert(map, "main", "n", async () => Promise.reject(failure));
    await expect(call).rejects.toBe(failure);
    expect(await entriesOf(map, { branch: "main" })).toEqual({});
    expect(await codeOf(upsert(map, "none", "n", () => "1"))).toBe("VERMAP_BRANCH_NOT_FOUND");
  });
});
