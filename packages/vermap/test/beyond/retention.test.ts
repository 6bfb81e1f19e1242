import { Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";
import { cutHistory, retain } from "../../src/retention/retain.ts";
import { tags } from "../../src/tag/tags.ts";
import {
  codeOf,
  commitOf,
  entriesOf,
  listOf,
  type ModelCommit,
  openTextMap,
  randomHistory,
  type TextMap,
} from "./support.ts";

const idsOf = async (map: TextMap, branch: string): Promise<number[]> =>
  (await listOf(map.branch(branch).log({ parents: "all" }))).map(({ id }) => id);

/** What stays of a history: by breadth from the heads, each commit at its least depth. */
function keptOf(
  commits: ReadonlyMap<number, ModelCommit>,
  heads: readonly number[],
  count: number,
) {
  const kept = new Map<number, number>(heads.map((head) => [head, 0]));
  for (let depth = 0; depth < count - 1; depth++)
    for (const [id, at] of kept)
      if (at === depth)
        for (const parent of commits.get(id)?.parents ?? [])
          if (!kept.has(parent)) kept.set(parent, depth + 1);
  return kept;
}

describe("retention", () => {
  test("keeps the last commits of every branch, and collects the rest", async () => {
    const map = await openTextMap();
    for (let index = 1; index <= 6; index++) await commitOf(map, "main", { a: String(index) });
    await map.createBranch("old", { commit: 2 });
    const report = await retain(map, { commitCount: 2 });
    expect(report).toMatchObject({ cutCommits: [1, 5].slice(1), collectedCommits: [3, 4] });
    expect(report.nodesDeleted).toBe(2);
    expect(await idsOf(map, "main")).toEqual([6, 5]);
    expect(await idsOf(map, "old")).toEqual([2, 1]);
    expect(await map.commit(5)).toMatchObject({ parents: [], isCut: true });
    expect(await entriesOf(map, 5)).toEqual({ a: "5" });
    expect(await retain(map, { commitCount: 2 })).toMatchObject({ cutCommits: [] });
  });

  test("keeps what a branch was since a time, and what it was at that time", async () => {
    const map = await openTextMap();
    // The clock of these maps gives 1000, 2000, 3000, …
    for (let index = 1; index <= 5; index++) await commitOf(map, "main", { a: String(index) });
    const { cutCommits, collectedCommits } = await retain(map, { since: 3500 });
    expect([cutCommits, collectedCommits]).toEqual([[3], [1, 2]]);
    expect(await idsOf(map, "main")).toEqual([5, 4, 3]);
  });

  test("of two conditions either keeps", async () => {
    const map = await openTextMap();
    for (let index = 1; index <= 6; index++) await commitOf(map, "main", { a: String(index) });
    await retain(map, { since: 5500, commitCount: 4 });
    expect(await idsOf(map, "main")).toEqual([6, 5, 4, 3]);
  });

  test("leaves tagged commits, and takes what is below them", async () => {
    const map = await openTextMap();
    for (let index = 1; index <= 6; index++) await commitOf(map, "main", { a: String(index) });
    await tags(map).set("v1", 3);
    await retain(map, { commitCount: 1 });
    expect(await idsOf(map, "main")).toEqual([6]);
    expect(await entriesOf(map, { tag: "v1" })).toEqual({ a: "3" });
    expect(await map.commit(2)).toBeUndefined();
  });

  test("uncommitted work stays, and branches without commits are no matter", async () => {
    const map = await openTextMap();
    await map.createBranch("empty", "main");
    for (let index = 1; index <= 3; index++) await commitOf(map, "main", { a: String(index) });
    await map.main.set("b", "new");
    await retain(map, { commitCount: 1 });
    expect(await entriesOf(map, { branch: "main" })).toEqual({ a: "3", b: "new" });
  });

  const seeds = Array.from({ length: scaled(10) }, (_, index) => seedOf("retention", index));

  test.each(seeds)("keeps of random histories what the plain rule keeps, seed %i", async (seed) => {
    const random = new Random(seed);
    const { map, branches, commits } = await randomHistory(random, 40);
    const heads = branches.map((branch) => map.branch(branch).head ?? 0);
    const count = random.between(1, 6);
    const kept = keptOf(commits, heads, count);
    const { collectedCommits } = await retain(map, { commitCount: count });
    for (const [id, { entries, parents }] of commits) {
      const commit = await map.commit(id);
      expect(commit !== undefined).toBe(kept.has(id));
      expect(collectedCommits.includes(id)).toBe(!kept.has(id));
      if (commit === undefined) continue;
      expect(await entriesOf(map, id)).toEqual(Object.fromEntries(entries));
      const isCut = (kept.get(id) ?? 0) === count - 1;
      expect(commit.parents).toEqual(isCut ? [] : parents);
    }
  });

  test("without a condition, or with a senseless one, is the caller's mistake", async () => {
    const map = await openTextMap();
    expect(() => retain(map, {})).toThrow(TypeError);
    expect(() => retain(map, { commitCount: 0 })).toThrow(RangeError);
    expect(() => retain(map, { since: 0.5 })).toThrow(RangeError);
  });
});

describe("cutHistory", () => {
  test("takes the parents of one commit, and what only it kept", async () => {
    const map = await openTextMap();
    for (let index = 1; index <= 4; index++) await commitOf(map, "main", { a: String(index) });
    const { cutCommits, collectedCommits } = await cutHistory(map, 3);
    expect([cutCommits, collectedCommits]).toEqual([[3], [1, 2]]);
    expect(await idsOf(map, "main")).toEqual([4, 3]);
    expect(await cutHistory(map, 3)).toEqual({
      cutCommits: [],
      collectedCommits: [],
      nodesDeleted: 0,
    });
    expect(await codeOf(cutHistory(map, 1))).toBe("VERMAP_COMMIT_NOT_FOUND");
  });
});
