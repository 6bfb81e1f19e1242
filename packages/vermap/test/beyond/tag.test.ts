import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";
import { VerMapError } from "../../src/errors.ts";
import { type Tag, tagAnchor, tagOf } from "../../src/tag/tag-record.ts";
import { tags } from "../../src/tag/tags.ts";
import { fuzz } from "../codec/fuzz.ts";
import { codeOf, commitOf, entriesOf, listOf, openTextMap } from "./support.ts";

describe("tags", () => {
  test("keep a commit and its history when its branch is gone", async () => {
    const map = await openTextMap();
    const first = await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const second = await commitOf(map, "side", { b: "2" });
    await tags(map).set("v1", second, { message: "ready", time: 7 });
    expect(await map.mentionCount(second)).toBe(2);
    await map.deleteBranch("side");
    expect(await entriesOf(map, { tag: "v1" })).toEqual({ a: "1", b: "2" });
    expect(await listOf(map.diff(first, { tag: "v1" }))).toEqual([
      { type: "added", key: "b", value: "2" },
    ]);
    expect(await tags(map).get("v1")).toEqual({
      name: "v1",
      commit: second,
      message: "ready",
      time: 7,
    });
    expect(await tags(map).delete("v1")).toBe(true);
    expect(await map.commit(second)).toBeUndefined();
    expect(await map.commit(first)).toBeDefined();
    expect(await tags(map).delete("v1")).toBe(false);
  });

  test("move only when told to, and let go of what they kept", async () => {
    const map = await openTextMap();
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await tags(map).set("v1", second);
    expect(await codeOf(tags(map).set("v1", first))).toBe("VERMAP_TAG_EXISTS");
    await map.main.rollbackTo(first);
    expect(await map.commit(second)).toBeDefined();
    await tags(map).set("v1", first, { replace: true });
    expect(await map.commit(second)).toBeUndefined();
    expect(await map.mentionCount(first)).toBe(2);
  });

  test("are listed in order, survive reopening, and take any name", async () => {
    const store = new MemoryStore();
    const map = await openTextMap(store);
    const first = await commitOf(map, "main", { a: "1" });
    for (const name of ["z", "", "ä", "a"]) await tags(map).set(name, first);
    await map.close();
    const again = await openTextMap(store);
    expect((await tags(again).list()).map(({ name }) => name)).toEqual(["", "a", "z", "ä"]);
    expect(await entriesOf(again, { tag: "" })).toEqual({ a: "1" });
    expect(() => tags(again).set("\ud800", first)).toThrow(RangeError);
  });

  test("of what is not there are refused", async () => {
    const map = await openTextMap();
    expect(await codeOf(tags(map).set("v1", 1))).toBe("VERMAP_COMMIT_NOT_FOUND");
    expect(await codeOf(map.at({ tag: "v1" }))).toBe("VERMAP_TAG_NOT_FOUND");
    const first = await commitOf(map, "main", { a: "1" });
    await expect(tags(map).set("v1", first, { time: -1 })).rejects.toThrow(RangeError);
    await map.close();
    expect(await codeOf(tags(map).get("v1"))).toBe("VERMAP_CLOSED");
  });

  test("a damaged tag is not taken for one", () => {
    const anchor = tagAnchor({ name: "v", commit: 3, time: 5, message: "m" });
    const name = new TextEncoder().encode("v");
    expect(tagOf(name, anchor)).toEqual({ name: "v", commit: 3, time: 5, message: "m" });
    const damaged = [
      { ...anchor, commits: [] },
      { ...anchor, commits: [1, 2] },
      { ...anchor, roots: [1] },
      { ...anchor, payload: new Uint8Array() },
      { ...anchor, payload: Uint8Array.of(5, 2) },
      { ...anchor, payload: Uint8Array.of(5, 1, 1, 0xff) },
      { ...anchor, payload: Uint8Array.of(5, 0, 0) },
    ];
    for (const one of damaged) {
      expect(() => tagOf(name, one)).toThrow(VerMapError);
      expect(() => tagOf(name, one)).toThrow(
        expect.objectContaining({ code: "VERMAP_CORRUPT" }) as Error,
      );
    }
  });

  test("fuzzed payloads are refused or encode to themselves", () => {
    const name = new TextEncoder().encode("v");
    const target = {
      name: "tag",
      encode: (tag: unknown) => tagAnchor(tag as Tag).payload,
      decode: (payload: Uint8Array) => tagOf(name, { commits: [3], roots: [], payload }),
    };
    const valid = [
      tagAnchor({ name: "v", commit: 3, time: 2 ** 50, message: "why" }),
      tagAnchor({ name: "v", commit: 3, time: 0 }),
    ];
    const inputs = valid.map(({ payload }) => payload);
    expect(fuzz(target, inputs, 23)).toBeGreaterThan(0);
  });
});
