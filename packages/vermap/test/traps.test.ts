import { type Store } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { CountingStore, FailingStore } from "@x/testing";
import { describe, expect, test } from "vitest";

import { i32, utf8 } from "../src/codec/index.ts";
import { VerMap, type VerMapErrorCode } from "../src/index.ts";
import { encodeBranch } from "../src/records/branch-record.ts";
import { encodeMentions } from "../src/records/mention-record.ts";
import { RecordKeys, RecordKind } from "../src/records/record-keys.ts";
import { collect } from "./collect.ts";
import { commitOf, openText, type TextMap } from "./opened.ts";

const KEYS = new RecordKeys(new Uint8Array());

function refused(code: VerMapErrorCode): object {
  return expect.objectContaining({ code }) as object;
}

/** main and dev, each of which has merged the other's head of before: two bases, of dev and of main. */
async function crissCross(atMain: string, atDev: string): Promise<TextMap> {
  const map = await openText();
  await commitOf(map, "main", { k: "old", other: "1" });
  await map.createBranch("dev", "main");
  await commitOf(map, "main", { k: atMain });
  await commitOf(map, "dev", { k: atDev });
  await map.createBranch("before", "main");
  await map.merge("dev", "main", { strategy: "target" });
  await map.merge("before", "dev", { strategy: "target" });
  return map;
}

describe("merge bases", () => {
  test("a shortcut edge does not make an older common ancestor the base", async () => {
    const map = await openText();
    const old = await commitOf(map, "main", { k: "1" });
    await map.createBranch("short", { commit: old });
    const base = await commitOf(map, "main", { k: "2" });
    await map.createBranch("dev", "main");
    // dev reaches `old` in two steps through the merge, and `base` in more.
    await map.merge("short", "dev");
    await commitOf(map, "dev", { other: "x" });
    await commitOf(map, "main", { k: "3" });
    const { bases } = await map.merge("dev", "main");
    expect(bases).toEqual([base]);
    expect(await map.main.get("k")).toBe("3");
  });

  test("where they disagree on a key, the source has it, even unchanged since one of them", async () => {
    const map = await crissCross("m", "d");
    const result = await map.merge("dev", "main");
    expect(result.bases).toHaveLength(2);
    expect(result.conflicts).toEqual([{ key: "k", bases: ["d", "m"], source: "d", target: "m" }]);
    expect(await map.main.get("k")).toBe("d");
  });

  test("where they agree on a key, a change of the target alone stays", async () => {
    const map = await crissCross("same", "same");
    await commitOf(map, "main", { k: "later" });
    await commitOf(map, "dev", { other: "2" });
    expect(await map.merge("dev", "main")).toMatchObject({ conflictCount: 0, changed: 1 });
    expect(await map.main.get("k")).toBe("later");
  });
});

test("a deletion is a state like any other: s = a ? t : s, in all combinations", async () => {
  const states = [undefined, "x", "y"];
  const cases = states.flatMap((a) => states.flatMap((s) => states.map((t) => [a, s, t] as const)));
  const map = await openText();
  const column = (at: 0 | 1 | 2) =>
    Object.fromEntries(cases.map((one, index) => [`k${index + 10}`, one[at]]));
  await commitOf(map, "main", { ...column(0), unrelated: "1" });
  await map.createBranch("dev", "main");
  await commitOf(map, "dev", column(1));
  await commitOf(map, "main", column(2));
  await map.merge("dev", "main");
  for (const [index, [a, s, t]] of cases.entries())
    expect([index, await map.main.get(`k${index + 10}`)]).toEqual([index, s === a ? t : s]);
});

test("merging equal heads makes no commit", async () => {
  const map = await openText();
  const head = await commitOf(map, "main", { a: "1" });
  await map.createBranch("dev", "main");
  expect(await map.merge("dev", "main")).toMatchObject({ commit: head, outcome: "up-to-date" });
  expect(await map.mentionCount(head)).toBe(2);
  expect(await commitOf(map, "main", {})).toBe(head + 1);
});

describe("a rollback", () => {
  test("is refused with uncommitted work, whatever the target", async () => {
    const map = await openText();
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.main.set("a", "3");
    for (const target of [first, second])
      await expect(map.main.rollbackTo(target)).rejects.toThrow(refused("VERMAP_UNCOMMITTED"));
    expect(await map.main.get("a")).toBe("3");
  });

  test("of a branch without commits does not attach it to another history", async () => {
    const map = await openText();
    await map.createBranch("empty", "main");
    const commit = await commitOf(map, "main", { a: "1" });
    await expect(map.branch("empty").rollbackTo(commit)).rejects.toThrow(
      refused("VERMAP_NOT_ANCESTOR"),
    );
  });

  test("to the head writes nothing", async () => {
    const store = new CountingStore(new MemoryStore());
    const map = await openText(store);
    const head = await commitOf(map, "main", { a: "1" });
    store.take();
    await map.main.rollbackTo(head);
    expect(store.take().batch).toBe(0);
  });
});

test("a number that is no id is an unknown commit, whatever asks for it", async () => {
  const map = await openText();
  await commitOf(map, "main", { a: "1" });
  for (const id of [0.5, -1, Number.NaN, Infinity, 2 ** 60, 99]) {
    expect(await map.commit(id)).toBeUndefined();
    expect(await map.mentionCount(id)).toBeUndefined();
    expect(await map.forkPoint(id, 1)).toBeUndefined();
    expect(await map.commitDistance(1, id)).toBeUndefined();
    for (const call of [
      () => map.at(id),
      () => map.log(id).next(),
      () => map.log(id, { parents: "all", order: "time" }).next(),
      () => map.mergeBases(1, id),
      () => map.aheadBehind(id, 1),
      () => map.main.rollbackTo(id),
      () => map.createBranch("dev", { commit: id }),
    ])
      await expect(call()).rejects.toThrow(refused("VERMAP_COMMIT_NOT_FOUND"));
  }
});

test("an unknown commit is not its own fork point, nor at distance 0", async () => {
  const map = await openText();
  const commit = await commitOf(map, "main", {});
  expect(await map.forkPoint(9, 9)).toBeUndefined();
  expect(await map.commitDistance(9, 9)).toBeUndefined();
  expect(await map.commitDistance(0, 0)).toBeUndefined();
  expect(await map.forkPoint(commit, commit)).toBe(commit);
  await expect(map.isAncestor(9, 9)).rejects.toThrow(refused("VERMAP_COMMIT_NOT_FOUND"));
});

test("a chain of 100,000 commits is collected without recursion, in one batch", async () => {
  const store = new CountingStore(new MemoryStore());
  const map = await openText(store, { sync: false });
  const base = await commitOf(map, "main", { a: "1" });
  await map.createBranch("long", "main");
  const long = map.branch("long");
  for (let i = 0; i < 100_000; i++) await long.commit();
  store.take();
  await map.deleteBranch("long");
  expect(store.take().batch).toBe(1);
  expect(await map.commit(base + 1)).toBeUndefined();
  expect(await map.mentionCount(base)).toBe(1);
  expect(await map.verify()).toMatchObject({ ok: true, commits: 1 });
});

test("a name belongs to one branch: there is no index of names that could be lost", async () => {
  const store = new MemoryStore();
  const map = await openText(store);
  await map.createBranch("dev", "main");
  for (const one of [map, await openText(store)])
    await expect(one.createBranch("dev", "main")).rejects.toThrow(refused("VERMAP_BRANCH_EXISTS"));
  // Of two branches with one name, which only damage makes, the lower id has it.
  await map.createBranch("twin", "main");
  const value = encodeBranch(3, { name: "dev", head: 0, root: 0 });
  await store.batch([{ type: "put", key: KEYS.branch(3), value }]);
  const damaged = await openText(store);
  expect(damaged.branchId("dev")).toBe(2);
  expect((await damaged.verify()).firstBad).toMatchObject({ kind: "name", at: "branch", id: 3 });
  await damaged.deleteBranch(2);
  expect(damaged.branchId("dev")).toBe(3);
});

test("a call that is refused leaves every byte of the store as it was", async () => {
  const store = new FailingStore();
  const map = await openText(store);
  const first = await commitOf(map, "main", { a: "1" });
  await map.createBranch("dev", "main");
  const onDev = await commitOf(map, "dev", { a: "2" });
  await map.createBranch("dirty", "main");
  await map.branch("dirty").set("x", "y");
  await map.createBranch("other", "main");
  await commitOf(map, "other", { a: "3" });
  const before = store.digest();
  const calls: readonly (readonly [VerMapErrorCode, () => Promise<unknown>])[] = [
    ["VERMAP_BRANCH_EXISTS", () => map.createBranch("dev", "main")],
    ["VERMAP_BRANCH_EXISTS", () => map.renameBranch("dev", "main")],
    ["VERMAP_BRANCH_NOT_FOUND", () => map.createBranch("new", 99)],
    ["VERMAP_BRANCH_NOT_FOUND", () => map.setMain("none")],
    ["VERMAP_COMMIT_NOT_FOUND", () => map.createBranch("new", { commit: 99 })],
    ["VERMAP_MAIN_BRANCH", () => map.deleteBranch("main")],
    ["VERMAP_NOT_ANCESTOR", () => map.main.rollbackTo(onDev)],
    ["VERMAP_COMMIT_NOT_FOUND", () => map.main.rollbackTo(99)],
    ["VERMAP_UNCOMMITTED", () => map.branch("dirty").rollbackTo(first)],
    ["VERMAP_SELF_MERGE", () => map.merge("dev", "dev")],
    ["VERMAP_SELF_MERGE", () => map.merge("none", "none")],
    ["VERMAP_BRANCH_NOT_FOUND", () => map.merge("none", "dev")],
    ["VERMAP_UNCOMMITTED", () => map.merge("dirty", "dev")],
    ["VERMAP_UNCOMMITTED", () => map.merge("dev", "dirty")],
    ["VERMAP_MERGE_CONFLICT", () => map.merge("dev", "other", { strategy: "fail" })],
    ["VERMAP_NOT_FAST_FORWARD", () => map.merge("dev", "other", { fastForward: "only" })],
    ["VERMAP_HEAD_MOVED", () => map.main.commit({ expectedHead: 99 })],
  ];
  for (const [code, call] of calls) await expect(call()).rejects.toThrow(refused(code));
  expect(store.digest()).toBe(before);
  const thrown = map.main.update((transaction) => {
    transaction.set("a", "9");
    throw new TypeError("no");
  });
  await expect(thrown).rejects.toThrow(TypeError);
  expect(store.digest()).toBe(before);
  expect(map.stats().tree.pinnedRootCount).toBe(0);
});

test("a reopened map knows who shares what: deleting and repairing take no live node", async () => {
  const store = new MemoryStore();
  const map = await openText(store);
  const entries = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i + 1000}`, "v"]));
  await commitOf(map, "main", entries);
  await map.createBranch("dev", "main");
  await commitOf(map, "dev", { k1000: "w" });
  await map.close();
  const reopened = await openText(store);
  await reopened.deleteBranch("dev");
  expect(await reopened.repair()).toEqual({ commitsDeleted: 0, countsWritten: 0, nodesDeleted: 0 });
  expect(Object.fromEntries(await collect(reopened.main.entries()))).toEqual(entries);
  expect((await reopened.verify()).firstBad).toBeUndefined();
});

test("other codecs than those the map was made with are refused", async () => {
  const store = new MemoryStore();
  await openText(store);
  for (const options of [
    { key: i32, value: utf8 },
    { key: utf8, value: i32 },
  ])
    await expect(VerMap.open(store, options as never)).rejects.toThrow(refused("VERMAP_FORMAT"));
});

test("of two writers the second to write finds out, and takes nothing from the first", async () => {
  const store = new MemoryStore();
  await commitOf(await openText(store), "main", { z: "" });
  const [one, two] = [await openText(store), await openText(store)];
  await commitOf(one, "main", { a: "one" });
  for (const call of [
    () => two.main.set("a", "two"),
    () => two.main.commit(),
    () => two.createBranch("dev", "main"),
    () => two.main.set("b", "two"),
    () => two.repair(),
    () => two.compact("main"),
  ])
    await expect(call()).rejects.toThrow(refused("VERMAP_CONFLICT"));
  expect(await one.main.get("a")).toBe("one");
  const again = await openText(store);
  await commitOf(again, "main", { a: "two" });
  await expect(one.main.set("a", "three")).rejects.toThrow(refused("VERMAP_CONFLICT"));
  expect((await again.verify()).firstBad).toBeUndefined();
});

test("a writer that was overtaken is told so, though what it would read is gone", async () => {
  const store = new MemoryStore();
  const first = await openText(store);
  await commitOf(
    first,
    "main",
    Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, "v"])),
  );
  await first.createBranch("dev", "main");
  await first.main.set("k1", "work");
  using _ = await first.at({ branch: "main" });
  await first.main.discard();
  const [one, two] = [
    await openText(store),
    await openText(store, { tree: { cacheByteCountMax: 0 } }),
  ];
  await one.deleteBranch("dev");
  await one.main.update((tx) => {
    for (let i = 0; i < 500; i++) tx.set(`k${i}`, "w");
  });
  await one.main.commit();
  await one.createBranch("dev", "main");
  await one.main.rollbackTo(2);
  await one.compact("main");
  for (const call of [
    () => two.main.set("k300", "x"),
    () => two.branch("dev").commit(),
    () => two.deleteBranch("dev"),
    () => two.verify(),
    () => two.repair(),
    () => two.compact("main"),
  ])
    await expect(call()).rejects.toThrow(refused("VERMAP_CONFLICT"));
  expect((await one.verify()).firstBad).toBeUndefined();
});

test("a write that failed, but was written, is no other writer", async () => {
  const unknown = { code: "STORE_DURABILITY_UNKNOWN" };
  class Doubtful extends MemoryStore {
    override async batch(...call: Parameters<Store["batch"]>): Promise<void> {
      await super.batch(...call);
      if (call[0].some(({ key }) => key[0] === RecordKind.commit))
        throw Object.assign(new Error("written, or not"), unknown);
    }
  }
  const map = await openText(new Doubtful());
  await expect(map.main.commit()).rejects.toMatchObject(unknown);
  for (const call of [() => map.verify(), () => map.repair(), () => map.main.commit()])
    await expect(call()).rejects.toThrow(refused("VERMAP_POISONED"));
});

test("two that make the map at once make one", async () => {
  const store = new MemoryStore();
  const made = await Promise.allSettled([openText(store), openText(store)]);
  expect(made.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
  expect(made.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "VERMAP_CONFLICT" },
  });
});

test("a wrong count is found, named and mended", async () => {
  const store = new MemoryStore();
  const map = await openText(store);
  const id = await commitOf(map, "main", { a: "1" });
  await store.batch([{ type: "put", key: KEYS.mentions(id), value: encodeMentions(id, 5) }]);
  const { firstBad } = await map.verify();
  expect(firstBad).toEqual({ kind: "mention-count", at: "commit", id, expected: 1, found: 5 });
  expect(await map.repair()).toMatchObject({ countsWritten: 1 });
  expect((await map.verify()).ok).toBe(true);
  await map.createBranch("dev", "main");
  expect(await map.mentionCount(id)).toBe(2);
});
