import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";
import { asOf } from "../../src/history/as-of.ts";
import { blame } from "../../src/history/blame.ts";
import { history } from "../../src/history/key-history.ts";
import {
  codeOf,
  commitOf,
  listOf,
  type ModelCommit,
  openTextMap,
  randomHistory,
} from "./support.ts";

type Model = ReadonlyMap<number, ModelCommit>;

const valueAt = (model: Model, id: number | undefined, key: string): string | undefined =>
  model.get(id ?? 0)?.entries.get(key);

/** Commits that changed a key, by looking at every commit in question. */
function changersOf(model: Model, head: number, key: string): number[] {
  const found: number[] = [];
  const waiting = new Set([head]);
  while (waiting.size > 0) {
    const id = Math.max(...waiting);
    waiting.delete(id);
    const value = valueAt(model, id, key);
    const parents = model.get(id)?.parents ?? [];
    const same = parents.find((parent) => valueAt(model, parent, key) === value);
    if (same !== undefined) waiting.add(same);
    else {
      if (parents.length > 0 || value !== undefined) found.push(id);
      for (const parent of parents) waiting.add(parent);
    }
  }
  return found;
}

/** The commit that gave a key its value: from parent to parent as long as one has it. */
function blamedFor(model: Model, head: number, key: string): number {
  const value = valueAt(model, head, key);
  const parents = model.get(head)?.parents ?? [];
  const same = parents.find((parent) => valueAt(model, parent, key) === value);
  return same === undefined ? head : blamedFor(model, same, key);
}

describe("random histories", () => {
  const seeds = Array.from({ length: scaled(15) }, (_, index) => seedOf("history", index));

  test.each(seeds)("history and blame are those of plain maps, seed %i", async (seed) => {
    const { map, branches, commits } = await randomHistory(new Random(seed), 40);
    for (const branch of branches) {
      const { head = 0 } = map.branch(branch);
      for (const key of ["a", "aa", "ab", "b", "c", "ca"]) {
        const changes = await listOf(history(map, head, key));
        expect(changes.map(({ commit }) => commit.id)).toEqual(changersOf(commits, head, key));
        for (const { commit, difference } of changes) {
          const before = valueAt(commits, commit.parents[0], key);
          const after = valueAt(commits, commit.id, key);
          expect("oldValue" in difference ? difference.oldValue : undefined).toBe(before);
          expect("value" in difference ? difference.value : undefined).toBe(after);
        }
      }
      const blamed = await blame(map, head);
      expect(blamed.map(({ key, value, commit }) => [key, value, commit?.id])).toEqual(
        [...(commits.get(head)?.entries ?? [])].map(([key, value]) => [
          key,
          value,
          blamedFor(commits, head, key),
        ]),
      );
    }
  });
});

describe("history of a key", () => {
  test("tells who set, changed and removed it, newest first", async () => {
    const map = await openTextMap();
    await commitOf(map, "main", { a: "1", b: "x" }, "adds");
    await commitOf(map, "main", { b: "y" }, "leaves it alone");
    await commitOf(map, "main", { a: "2" }, "changes");
    await commitOf(map, "main", { a: undefined }, "removes");
    const changes = await listOf(history(map, { head: "main" }, "a"));
    expect(changes.map(({ commit, difference }) => [commit.message, difference.type])).toEqual([
      ["removes", "removed"],
      ["changes", "modified"],
      ["adds", "added"],
    ]);
    expect(await listOf(history(map, { head: "main" }, "none"))).toEqual([]);
    const [last] = await listOf(history(map, { head: "main" }, "a", { limit: 1 }));
    expect(last?.commit.message).toBe("removes");
  });

  test("goes through what was merged, or stays on the branch", async () => {
    const map = await openTextMap();
    const first = await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const side = await commitOf(map, "side", { a: "2" });
    await commitOf(map, "main", { b: "1" });
    const { commit: merge } = await map.merge("side", "main");
    const all = await listOf(history(map, { head: "main" }, "a"));
    expect(all.map(({ commit }) => commit.id)).toEqual([side, first]);
    const line = await listOf(history(map, { head: "main" }, "a", { parents: "first" }));
    expect(line.map(({ commit }) => commit.id)).toEqual([merge, first]);
  });

  test("of a branch without commits is empty, of an unknown one an error", async () => {
    const map = await openTextMap();
    expect(await listOf(history(map, { head: "main" }, "a"))).toEqual([]);
    expect(await codeOf(listOf(history(map, 7, "a")))).toBe("VERMAP_COMMIT_NOT_FOUND");
    expect(await codeOf(listOf(history(map, { head: "x" }, "a")))).toBe("VERMAP_BRANCH_NOT_FOUND");
  });
});

describe("blame", () => {
  test("tells of each entry where it is from, of a range, and of uncommitted work", async () => {
    const map = await openTextMap();
    const first = await commitOf(map, "main", { a: "1", b: "1", c: "1", d: "1" });
    const second = await commitOf(map, "main", { b: "2", d: "2" });
    await map.main.set("c", "3");
    await map.main.set("e", "3");
    const from = async (options: Parameters<typeof blame<string, string>>[2]): Promise<unknown> =>
      (await blame(map, { branch: "main" }, options)).map(({ key, commit }) => [key, commit?.id]);
    expect(await from({})).toEqual([
      ["a", first],
      ["b", second],
      ["c", undefined],
      ["d", second],
      ["e", undefined],
    ]);
    expect(await from({ gt: "a", lte: "c" })).toEqual([
      ["b", second],
      ["c", undefined],
    ]);
    expect(await from({ limit: 2 })).toEqual([
      ["a", first],
      ["b", second],
    ]);
    expect((await blame(map, second, { gte: "c" })).map(({ commit }) => commit?.id)).toEqual([
      first,
      second,
    ]);
    expect(await codeOf(blame(map, 77))).toBe("VERMAP_COMMIT_NOT_FOUND");
  });

  test("of what was never committed names no commit", async () => {
    const map = await openTextMap();
    expect(await blame(map, { branch: "main" })).toEqual([]);
    await map.main.set("a", "1");
    expect(await blame(map, { branch: "main" })).toEqual([
      { key: "a", value: "1", commit: undefined },
    ]);
    expect(await blame(map, { head: "main" })).toEqual([]);
  });
});

describe("asOf", () => {
  test("is the last commit that was there at the time", async () => {
    let now = 0;
    const map = await openTextMap(undefined, { clock: () => now });
    expect(await asOf(map, "main", 5)).toBeUndefined();
    for (const time of [10, 20, 30]) {
      now = time;
      await commitOf(map, "main", { a: String(time) });
    }
    const idAt = async (time: number): Promise<number | undefined> =>
      (await asOf(map, "main", time))?.id;
    expect(await Promise.all([9, 10, 19, 20, 29, 30, 99].map(idAt))).toEqual([
      undefined,
      1,
      1,
      2,
      2,
      3,
      3,
    ]);
    expect(await codeOf(asOf(map, "none", 1))).toBe("VERMAP_BRANCH_NOT_FOUND");
    await expect(asOf(map, "main", 1.5)).rejects.toThrow(RangeError);
  });
});
