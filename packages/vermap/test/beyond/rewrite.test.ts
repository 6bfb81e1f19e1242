import { Random, scaled, seedOf } from "@x/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { cherryPick, revert } from "../../src/rewrite/replay.ts";
import { reset, squash } from "../../src/rewrite/move-head.ts";
import {
  codeOf,
  commitOf,
  entriesOf,
  listOf,
  openTextMap,
  randomHistory,
  type TextMap,
} from "./support.ts";

let map: TextMap;
beforeEach(async () => {
  map = await openTextMap();
});

describe("revert", () => {
  test("takes back one commit and leaves what came after", async () => {
    await commitOf(map, "main", { a: "1", b: "1", c: "1" });
    const second = await commitOf(map, "main", { a: "2", b: undefined, d: "2" });
    await commitOf(map, "main", { c: "3" });
    const result = await revert(map, "main", second);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "1", b: "1", c: "3" });
    expect(result).toMatchObject({ commit: 4, changed: 3, conflictCount: 0, conflicts: [] });
    expect(await map.commit(4)).toMatchObject({ parents: [3], message: "revert 2" });
    expect(map.main.hasUncommitted).toBe(false);
  });

  test("taken back itself, it is as if nothing had happened", async () => {
    await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2", b: "2" });
    const { commit } = await revert(map, "main", second);
    await revert(map, "main", commit);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "2", b: "2" });
  });

  test("of the first commit leaves nothing of it", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    await revert(map, "main", first, { message: "away" });
    expect(await entriesOf(map, { branch: "main" })).toEqual({});
    expect(await map.commit(2)).toMatchObject({ message: "away" });
  });

  test("what was changed again since is a conflict, and nothing is changed", async () => {
    await commitOf(map, "main", { a: "1", b: "1" });
    const second = await commitOf(map, "main", { a: "2", b: "2" });
    await commitOf(map, "main", { a: "3" });
    const failed = revert(map, "main", second);
    await expect(failed).rejects.toMatchObject({
      code: "VERMAP_MERGE_CONFLICT",
      conflictCount: 1,
      commitId: second,
    });
    expect(map.main.head).toBe(3);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "3", b: "2" });
    const result = await revert(map, "main", second, {
      strategy: ({ key, bases, source, target }) => {
        expect({ key, bases, source, target }).toEqual({
          key: "a",
          bases: ["2"],
          source: "1",
          target: "3",
        });
        return "target";
      },
    });
    expect(result).toMatchObject({ changed: 1, conflictCount: 1 });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "3", b: "1" });
  });

  test("of a merge takes back what the merge brought, or what it kept, as the parent says", async () => {
    await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    await commitOf(map, "side", { b: "side" });
    await commitOf(map, "main", { c: "main" });
    const { commit } = await map.merge("side", "main");
    await revert(map, "main", commit);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "1", c: "main" });
    await map.branch("side").update((transaction) => transaction.set("c", "main"));
    await map.branch("side").commit();
    await revert(map, "side", commit, { parent: 1 });
    expect(await entriesOf(map, { branch: "side" })).toEqual({ a: "1", b: "side" });
    await expect(revert(map, "side", 1, { parent: 1 })).rejects.toThrow(RangeError);
  });

  test("refuses uncommitted work, unknown commits and branches, and a head that moved", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    expect(await codeOf(revert(map, "main", 99))).toBe("VERMAP_COMMIT_NOT_FOUND");
    expect(await codeOf(revert(map, "other", first))).toBe("VERMAP_BRANCH_NOT_FOUND");
    expect(await codeOf(revert(map, "main", first, { expectedHead: 0 }))).toBe("VERMAP_HEAD_MOVED");
    await map.main.set("b", "1");
    expect(await codeOf(revert(map, "main", first))).toBe("VERMAP_UNCOMMITTED");
  });

  test("of a commit that changed nothing makes a commit, unless told otherwise", async () => {
    await commitOf(map, "main", { a: "1" });
    const empty = await commitOf(map, "main", {});
    expect((await revert(map, "main", empty, { skipEmpty: true })).commit).toBe(empty);
    expect((await revert(map, "main", empty)).commit).toBe(3);
  });
});

describe("cherryPick", () => {
  test("brings one commit to another branch, with what it says of itself", async () => {
    await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    await commitOf(map, "side", { b: "no" });
    await map.branch("side").set("c", "yes");
    const picked = await map.branch("side").commit({
      message: "wanted",
      author: "Ada",
      fields: new Map([["ticket", "7"]]),
    });
    const { commit } = await cherryPick(map, "main", picked);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "1", c: "yes" });
    expect(await map.commit(commit)).toMatchObject({
      parents: [1],
      message: "wanted",
      author: "Ada",
      fields: new Map([["ticket", "7"]]),
    });
  });

  test("reaches a branch without commits", async () => {
    await map.createBranch("empty", "main");
    const first = await commitOf(map, "main", { a: "1" }, "first");
    const { commit } = await cherryPick(map, "empty", first);
    expect(await map.commit(commit)).toMatchObject({ parents: [], message: "first" });
    expect(await entriesOf(map, { branch: "empty" })).toEqual({ a: "1" });
  });

  test("what the branch changed otherwise is a conflict", async () => {
    await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const picked = await commitOf(map, "side", { a: "side" });
    await commitOf(map, "main", { a: "main" });
    expect(await codeOf(cherryPick(map, "main", picked))).toBe("VERMAP_MERGE_CONFLICT");
    await cherryPick(map, "main", picked, { strategy: "source" });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "side" });
  });
});

/** The state that a replay gives, by the three-way rule on plain maps; the source wins. */
function replayed(
  base: ReadonlyMap<string, string>,
  source: ReadonlyMap<string, string>,
  target: ReadonlyMap<string, string>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const key of new Set([...base.keys(), ...source.keys(), ...target.keys()])) {
    const from = source.get(key) === base.get(key) ? target : source;
    const value = from.get(key);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

describe("replays of random histories", () => {
  const seeds = Array.from({ length: scaled(12) }, (_, index) => seedOf("replay", index));

  test.each(seeds)("are those of the plain rule, seed %i", async (seed) => {
    const random = new Random(seed);
    const { map: made, branches, commits } = await randomHistory(random, 30);
    for (let round = 0; round < 20; round++) {
      const branch = random.pick(branches);
      const commit = random.pick([...commits.values()]);
      const before = commits.get(commit.parents[0] ?? 0)?.entries ?? new Map<string, string>();
      const target = new Map(Object.entries(await entriesOf(made, { head: branch })));
      const isRevert = random.chance(0.5);
      const call = isRevert ? revert : cherryPick;
      await call(made, branch, commit.id, { strategy: "source" });
      const [base, source] = isRevert ? [commit.entries, before] : [before, commit.entries];
      expect(await entriesOf(made, { head: branch })).toEqual(replayed(base, source, target));
    }
  });
});

describe("reset", () => {
  test("moves a branch to any commit, and lets go of what it leaves", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const second = await commitOf(map, "side", { b: "2" });
    const third = await commitOf(map, "main", { c: "3" });
    await reset(map, "main", second);
    expect(map.main.head).toBe(second);
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "1", b: "2" });
    expect(await map.commit(third)).toBeUndefined();
    expect(await map.commit(first)).toBeDefined();
  });

  test("refuses uncommitted work, drops it or keeps it, as told", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.createBranch("hold", "main");
    await map.main.set("b", "new");
    expect(await codeOf(reset(map, "main", first))).toBe("VERMAP_UNCOMMITTED");
    await reset(map, "main", first, { working: "keep" });
    expect(map.main.head).toBe(first);
    expect(await listOf(map.main.diffUncommitted())).toEqual([
      { type: "modified", key: "a", oldValue: "1", value: "2" },
      { type: "added", key: "b", value: "new" },
    ]);
    await reset(map, "main", second, { working: "discard" });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "2" });
    expect(map.main.hasUncommitted).toBe(false);
  });

  test("refuses what is not there, and a head that moved", async () => {
    await commitOf(map, "main", { a: "1" });
    expect(await codeOf(reset(map, "main", 7))).toBe("VERMAP_COMMIT_NOT_FOUND");
    expect(await codeOf(reset(map, "gone", 1))).toBe("VERMAP_BRANCH_NOT_FOUND");
    expect(await codeOf(reset(map, "main", 1, { expectedHead: 4 }))).toBe("VERMAP_HEAD_MOVED");
  });
});

describe("squash", () => {
  test("makes one commit of several, with the same content, and keeps uncommitted work", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    await commitOf(map, "main", { b: "2" });
    await commitOf(map, "main", { c: "3" });
    await map.main.set("d", "4");
    const squashed = await squash(map, "main", first, { message: "all of it" });
    expect(await map.commit(squashed)).toMatchObject({ parents: [first], message: "all of it" });
    expect(await entriesOf(map, squashed)).toEqual({ a: "1", b: "2", c: "3" });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "1", b: "2", c: "3", d: "4" });
    expect((await listOf(map.main.log())).map(({ id }) => id)).toEqual([squashed, first]);
    expect(await map.commit(2)).toBeUndefined();
  });

  test("of everything has no parent; of nothing is nothing", async () => {
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { b: "2" });
    expect(await squash(map, "main", second)).toBe(second);
    const all = await squash(map, "main", 0);
    expect(await map.commit(all)).toMatchObject({ parents: [] });
    expect(await map.commit(first)).toBeUndefined();
  });

  test("refuses a commit outside the history, and a branch without one", async () => {
    await map.createBranch("empty", "main");
    const first = await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const other = await commitOf(map, "side", { a: "2" });
    expect(await codeOf(squash(map, "main", other))).toBe("VERMAP_NOT_ANCESTOR");
    expect(await codeOf(squash(map, "main", 99))).toBe("VERMAP_COMMIT_NOT_FOUND");
    expect(await codeOf(squash(map, "empty", first))).toBe("VERMAP_NO_COMMITS");
    expect(await codeOf(squash(map, "main", 0, { expectedHead: 9 }))).toBe("VERMAP_HEAD_MOVED");
  });
});
