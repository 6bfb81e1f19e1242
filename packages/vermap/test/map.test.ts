import { MemoryStore } from "@x/store-memory";
import { CountingStore } from "@x/testing";
import { describe, expect, test } from "vitest";

import { bytes, u32, utf8 } from "../src/codec/index.ts";
import { type Conflict, VerMap } from "../src/index.ts";
import { collect } from "./collect.ts";
import { commitOf, openText } from "./opened.ts";

describe("a commit", () => {
  test("says who made it, when, why, and anything else", async () => {
    const store = new MemoryStore();
    const map = await openText(store, { clock: () => 42 });
    const fields = new Map([
      ["ticket", "7"],
      ["review", ""],
    ]);
    const id = await map.main.commit({ message: "first", author: "Ada", fields });
    const commit = {
      id,
      root: 0,
      parents: [],
      time: 42,
      isCut: false,
      message: "first",
      author: "Ada",
      fields,
    };
    expect(await map.commit(id)).toEqual(commit);
    expect(await (await openText(store)).commit(id)).toEqual(commit);
    expect(await map.main.headCommit()).toEqual(commit);
    fields.set("later", "1");
    expect((await map.commit(id))?.fields?.size).toBe(2);
  });

  test("has the time it is given, and a later one than its parents where that is wanted", async () => {
    const times = [100, 50, 60];
    const map = await openText(undefined, {
      clock: () => times.shift() ?? 0,
      monotoneTime: true,
    });
    for (const expected of [100, 101, 102])
      expect((await map.commit(await map.main.commit()))?.time).toBe(expected);
    expect((await map.commit(await map.main.commit({ time: 7000 })))?.time).toBe(7000);
    await expect(map.main.commit({ time: -1 })).rejects.toThrow(RangeError);
    await expect(map.main.commit({ message: 1 as never })).rejects.toThrow(TypeError);
    await expect(map.main.commit({ fields: {} as never })).rejects.toThrow(TypeError);
    await expect(map.main.commit({ message: "\ud800" })).rejects.toThrow(RangeError);
    expect((await map.verify()).commits).toBe(4);
  });

  test("has no time above the greatest that can be stored", async () => {
    const store = new MemoryStore();
    const map = await openText(store, { monotoneTime: true });
    await map.main.commit({ time: Number.MAX_SAFE_INTEGER });
    await expect(map.main.commit()).rejects.toThrow(RangeError);
    expect((await map.verify()).firstBad).toBeUndefined();
    expect((await openText(store)).main.head).toBe(1);
  });

  test("by the system's clock is of now, in microseconds", async () => {
    const map = await openText();
    const before = Date.now() * 1000;
    const { time } = (await map.commit(await map.main.commit())) ?? { time: 0 };
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now() * 1000);
  });

  test("is skipped where nothing has changed, if that is wanted", async () => {
    const map = await openText();
    expect(await map.main.commit({ skipEmpty: true })).toBe(0);
    expect(await map.main.commit()).toBe(1);
    expect(await map.main.commit({ skipEmpty: true })).toBe(1);
    await map.main.set("a", "1");
    expect(await map.main.commit({ skipEmpty: true })).toBe(2);
  });

  test("may expect a head, so that of two who saw the same one only the first goes through", async () => {
    const map = await openText();
    expect(await map.main.commit({ expectedHead: 0 })).toBe(1);
    const second = map.main.commit({ expectedHead: 0 });
    await expect(second).rejects.toMatchObject({ code: "VERMAP_HEAD_MOVED", commitId: 1 });
  });
});

describe("a working state", () => {
  test("is changed by many writes at once, which read what they wrote", async () => {
    const map = await openText();
    await map.main.set("gone", "0");
    const result = await map.main.update(async (tx) => {
      tx.set("b", "2").set("a", "1").delete("gone").delete("never");
      expect(await tx.get("a")).toBe("1");
      expect(await tx.has("gone")).toBe(false);
      expect(await tx.has("b")).toBe(true);
      expect(await tx.get("never")).toBeUndefined();
      expect(await collect(tx.entries())).toEqual([
        ["a", "1"],
        ["b", "2"],
      ]);
      tx.set("a", "3");
      await tx.apply();
      expect(await tx.get("a")).toBe("3");
      expect(await collect(tx.entries({ gt: "a" }))).toEqual([["b", "2"]]);
      return "done";
    });
    expect(result).toBe("done");
    expect(await map.main.getMany(["a", "b", "gone"])).toEqual(["3", "2", undefined]);
    expect(map.stats().tree.pinnedRootCount).toBe(1);
  });

  test("is not changed by a transaction after its end", async () => {
    const map = await openText();
    const leaked = await map.main.update((tx) => tx);
    expect(() => leaked.set("a", "1")).toThrow(TypeError);
    await expect(leaked.get("a")).rejects.toThrow(TypeError);
  });

  test("that is set to what it holds is not uncommitted work; changed and changed back, it is", async () => {
    const map = await openText();
    await commitOf(map, "main", { a: "1" });
    await map.main.set("a", "1");
    await map.main.delete("never");
    expect(map.main.hasUncommitted).toBe(false);
    await map.main.set("a", "2");
    await map.main.set("a", "1");
    expect([map.main.hasUncommitted, await map.main.isChanged()]).toEqual([true, false]);
    await map.main.set("b", "1");
    expect(await map.main.isChanged()).toBe(true);
    expect(await collect(map.main.diffUncommitted())).toEqual([
      { type: "added", key: "b", value: "1" },
    ]);
    await map.main.discard();
    expect([map.main.hasUncommitted, await map.main.isChanged()]).toEqual([false, false]);
  });

  test("in memory is lost by a crash and kept by flush, commit and close", async () => {
    const store = new MemoryStore();
    const open = () => openText(store, { working: "memory" });
    const first = await open();
    const { batchCount } = first.stats();
    await first.main.set("a", "1");
    await first.main.update((tx) => tx.set("b", "2"));
    expect(await first.main.get("b")).toBe("2");
    expect(first.stats()).toMatchObject({ batchCount, unsavedBranchCount: 1, dirtyBranchCount: 1 });
    const second = await open();
    expect(await second.main.size()).toBe(0);
    await second.main.set("c", "3");
    await second.flush();
    expect(second.stats().unsavedBranchCount).toBe(0);
    await second.main.set("d", "4");
    await second.close();
    expect(await collect((await open()).main.keys())).toEqual(["c", "d"]);
  });
});

describe("a map's reads", () => {
  test("are those of an ordered map, with and without waiting", async () => {
    const map = await VerMap.open(new MemoryStore(), { key: u32, value: utf8 });
    await map.main.update((tx) => {
      for (let i = 0; i < 50; i++) tx.set(i * 10, `v${i}`);
    });
    const { main } = map;
    expect([await main.get(20), main.getSync(20), main.getSync(21)]).toEqual([
      "v2",
      "v2",
      undefined,
    ]);
    expect([await main.has(20), main.hasSync(21)]).toEqual([true, false]);
    expect(main.getManySync([0, 5, 490])).toEqual(await main.getMany([0, 5, 490]));
    expect([await main.first(), main.lastSync()]).toEqual([
      [0, "v0"],
      [490, "v49"],
    ]);
    expect([await main.last({ lt: 490 }), main.firstSync({ gt: 0 })]).toEqual([
      [480, "v48"],
      [10, "v1"],
    ]);
    expect([await main.floor(25), main.floorSync(5)]).toEqual([
      [20, "v2"],
      [0, "v0"],
    ]);
    expect([await main.ceiling(25), main.ceilingSync(495)]).toEqual([[30, "v3"], undefined]);
    const range = { gte: 20, lt: 60, reverse: true, limit: 3 };
    expect(await collect(main.keys(range))).toEqual([50, 40, 30]);
    expect([...main.keysSync(range)]).toEqual([50, 40, 30]);
    expect(await collect(main.values(range))).toEqual([...main.valuesSync(range)]);
    expect(await collect(main.entries(range))).toEqual([...main.entriesSync(range)]);
    expect([await main.size(), main.sizeSync()]).toEqual([50, 50]);
    expect([await main.count({ gte: 20, lt: 60 }), main.countSync({ gt: 480 })]).toEqual([4, 1]);
    expect([await main.rank(25), main.rankSync(0)]).toEqual([3, 0]);
    expect([await main.at(1), main.atSync(50)]).toEqual([[10, "v1"], undefined]);
  });

  test("take a prefix as a key or as bytes", async () => {
    const map = await openText();
    await map.main.update((tx) => tx.set("a/1", "1").set("a/2", "2").set("b", "3"));
    expect(await collect(map.main.keys({ prefix: "a/" }))).toEqual(["a/1", "a/2"]);
    expect(await collect(map.main.keys({ prefix: Uint8Array.of(0x62) }))).toEqual(["b"]);
  });

  test("of a value that its codec refuses end with an error, and go on failing", async () => {
    const store = new MemoryStore();
    const map = await VerMap.open(store, { key: utf8, value: bytes });
    await map.main.update((tx) => tx.set("a", Uint8Array.of(0x41)).set("b", Uint8Array.of(0xff)));
    await map.close();
    const text = {
      name: "bytes",
      encode: (value: string) => utf8.encode(value),
      decode: (value: Uint8Array) => utf8.decode(value),
    };
    const read = await VerMap.open(store, { key: utf8, value: text });
    expect(await read.main.get("a")).toBe("A");
    const undecodable = { code: "VERMAP_UNDECODABLE" };
    await expect(read.main.get("b")).rejects.toMatchObject(undecodable);
    const entries = read.main.entries();
    expect(await entries.next()).toEqual({ done: false, value: ["a", "A"] });
    for (let again = 0; again < 2; again++)
      await expect(entries.next()).rejects.toMatchObject(undecodable);
    const values = read.main.valuesSync();
    expect(values.next().value).toBe("A");
    for (let again = 0; again < 2; again++)
      expect(() => values.next()).toThrow(expect.objectContaining(undecodable));
    expect(read.stats().tree.pinnedRootCount).toBe(1);
  });
});

/** A store in memory that can keep back what it has read. */
class GatedStore extends MemoryStore {
  #gate: { readonly opened: Promise<void>; readonly reached: () => void } | undefined;

  /** Shuts the gate behind the next read. Resolves when that was made, to what opens the gate. */
  async shut(): Promise<() => unknown> {
    const opening = new EventTarget();
    const opened = new Promise<void>((resolve) => {
      opening.addEventListener("open", () => resolve());
    });
    await new Promise<void>((reached) => {
      this.#gate = { opened, reached };
    });
    return () => opening.dispatchEvent(new Event("open"));
  }

  override async getMany(keys: readonly Uint8Array[]): ReturnType<MemoryStore["getMany"]> {
    const values = this.getManySync(keys);
    const gate = this.#gate;
    this.#gate = undefined;
    gate?.reached();
    await gate?.opened;
    return values;
  }
}

describe("a snapshot", () => {
  test("reads the same whatever is written, collected or deleted, until it is released", async () => {
    const map = await openText();
    await map.createBranch("dev", "main");
    const commit = await commitOf(map, "dev", { a: "1", b: "2" });
    const snapshot = await map.at(commit);
    const entries = snapshot.entries();
    expect((await entries.next()).value).toEqual(["a", "1"]);
    await map.deleteBranch("dev");
    await commitOf(map, "main", { c: "3" });
    expect(await map.commit(commit)).toBeUndefined();
    expect(await snapshot.get("a")).toBe("1");
    snapshot.release();
    snapshot.release();
    await expect(snapshot.get("a")).rejects.toMatchObject({ code: "VERMAP_RELEASED" });
    expect(() => snapshot.getSync("a")).toThrow(
      expect.objectContaining({ code: "VERMAP_RELEASED" }),
    );
    // A walk that has begun holds what it reads, and lets go of it at its end.
    expect((await entries.next()).value).toEqual(["b", "2"]);
    expect((await entries.next()).done).toBe(true);
    expect((await map.verify()).ok).toBe(true);
    await map.main.set("d", "4");
    expect(map.stats().tree.limboCount).toBe(0);
  });

  test("is of a commit, a head or a working state", async () => {
    const map = await openText();
    const first = await commitOf(map, "main", { a: "1" });
    await map.main.set("a", "2");
    using atHead = await map.at({ head: "main" });
    using atCommit = await map.at({ commit: first });
    using atWork = await map.at({ branch: "main" });
    await map.createBranch("empty", { commit: first });
    expect([atHead.commit, atCommit.commit, atWork.commit]).toEqual([first, first, undefined]);
    expect([await atHead.get("a"), await atCommit.get("a"), await atWork.get("a")]).toEqual([
      "1",
      "1",
      "2",
    ]);
    for (const version of [99, 0, -1, 0.5, { commit: 99 }])
      await expect(map.at(version)).rejects.toMatchObject({ code: "VERMAP_COMMIT_NOT_FOUND" });
    for (const version of ["main", undefined, null, {}])
      await expect(map.at(version as never)).rejects.toThrow(TypeError);
    await expect(map.at({ head: "none" })).rejects.toMatchObject({
      code: "VERMAP_BRANCH_NOT_FOUND",
    });
  });

  test("of a commit that is gone when its record has come is refused, and stays gone", async () => {
    const gate = new GatedStore();
    const first = await openText(gate);
    await first.createBranch("dev", "main");
    const commit = await commitOf(first, "dev", { a: "1" });
    await commitOf(first, "dev", { a: "2" });
    await first.close();
    const map = await openText(gate);
    const shut = gate.shut();
    const opening = map.at(commit);
    const open = await shut;
    await map.deleteBranch("dev");
    open();
    await expect(opening).rejects.toMatchObject({ code: "VERMAP_COMMIT_NOT_FOUND" });
    expect(await map.commit(commit)).toBeUndefined();
  });

  test("of a commit that is deleted while it is asked for is whole, or refused", async () => {
    for (let round = 0; round < 20; round++) {
      const map = await openText();
      await map.createBranch("dev", "main");
      const commit = await commitOf(map, "dev", { a: "1" });
      const [outcome] = await Promise.allSettled([map.at(commit), map.deleteBranch("dev")]);
      const found =
        outcome.status === "fulfilled"
          ? await outcome.value.get("a")
          : (outcome.reason as { code: string }).code;
      expect(["1", "VERMAP_COMMIT_NOT_FOUND"]).toContain(found);
    }
  });
});

function clueless(): never {
  throw new RangeError("no idea");
}

async function conflicting() {
  const map = await openText();
  await commitOf(map, "main", { k: "old", gone: "1" });
  await map.createBranch("dev", "main");
  await commitOf(map, "dev", { k: "theirs", added: "1", gone: undefined });
  await commitOf(map, "main", { k: "ours" });
  return map;
}

describe("a merge", () => {
  const conflict: Conflict<string, string> = {
    key: "k",
    bases: ["old"],
    source: "theirs",
    target: "ours",
  };

  test("gives its conflicts, whoever wins", async () => {
    for (const [strategy, expected] of [
      ["source", "theirs"],
      ["target", "ours"],
    ] as const) {
      const map = await conflicting();
      const result = await map.merge("dev", "main", { strategy, message: "merged", author: "Ada" });
      expect(result).toEqual({
        outcome: "merged",
        commit: 4,
        bases: [1],
        changed: strategy === "source" ? 3 : 2,
        conflictCount: 1,
        conflicts: [conflict],
      });
      expect(await collect(map.main.entries())).toEqual([
        ["added", "1"],
        ["k", expected],
      ]);
      expect(await map.commit(4)).toMatchObject({ parents: [3, 2], message: "merged" });
    }
  });

  test("asks a resolver, which may wait, for a value, a deletion or a side", async () => {
    for (const [resolution, expected] of [
      [{ value: "both" }, "both"],
      ["delete", undefined],
      ["source", "theirs"],
      ["target", "ours"],
    ] as const) {
      const map = await conflicting();
      const asked: unknown[] = [];
      await map.merge("dev", "main", {
        strategy: async (one) => {
          asked.push(one);
          return resolution;
        },
      });
      expect(asked).toEqual([conflict]);
      expect(await map.main.get("k")).toBe(expected);
    }
  });

  test("that cannot be decided, or whose resolver throws, changes nothing", async () => {
    const map = await conflicting();
    const { batchCount } = map.stats();
    const merges = [
      map.merge("dev", "main", { strategy: "fail" }),
      map.merge("dev", "main", { strategy: () => "unresolved" }),
    ];
    for (const merge of merges)
      await expect(merge).rejects.toMatchObject({
        code: "VERMAP_MERGE_CONFLICT",
        conflictCount: 1,
      });
    await expect(map.merge("dev", "main", { strategy: clueless })).rejects.toThrow(RangeError);
    const nonsense = { strategy: () => "both" as "source" };
    await expect(map.merge("dev", "main", nonsense)).rejects.toThrow(TypeError);
    expect(map.stats().batchCount).toBe(batchCount);
    expect(map.stats().tree).toMatchObject({ pinnedRootCount: 0, unsavedNodeCount: 0 });
  });

  test("is previewed without a write, conflicts that would stop it included", async () => {
    const map = await conflicting();
    const { batchCount } = map.stats();
    for (const strategy of ["source", "fail"] as const)
      expect(await map.previewMerge("dev", "main", { strategy })).toEqual({
        outcome: "merged",
        bases: [1],
        changed: strategy === "source" ? 3 : 2,
        conflictCount: 1,
        conflicts: [conflict],
      });
    const short = await map.previewMerge("dev", "main", { conflictListMax: 0 });
    expect(short).toMatchObject({ conflictCount: 1, conflicts: [] });
    expect(map.stats().batchCount).toBe(batchCount);
  });

  test("moves the head where it may, and says when there is nothing to do", async () => {
    const map = await openText();
    const first = await commitOf(map, "main", { a: "1" });
    await map.createBranch("dev", "main");
    const second = await commitOf(map, "dev", { a: "2" });
    const forward = await map.merge("dev", "main", { fastForward: "only" });
    expect(forward).toMatchObject({ outcome: "fast-forward", commit: second, bases: [first] });
    await commitOf(map, "main", { b: "1" });
    const done = await map.merge("dev", "main", { fastForward: "allow" });
    expect(done).toMatchObject({ outcome: "up-to-date", commit: 3, changed: 0 });
    // As the original does, unless it may not.
    expect(await map.merge("dev", "main")).toMatchObject({ outcome: "merged", commit: 4 });
  });

  test("refuses options it does not know", async () => {
    const map = await openText();
    for (const options of [
      { strategy: "both" as "source" },
      { fastForward: "maybe" as "only" },
      { conflictListMax: -1 },
    ])
      for (const call of [
        map.merge("dev", "main", options),
        map.previewMerge("dev", "main", options),
      ])
        await expect(call).rejects.toThrow(/Max|fastForward|strategy/);
    await expect(map.renameBranch("main", 5 as never)).rejects.toThrow(TypeError);
  });

  test("may expect the target's head", async () => {
    const map = await conflicting();
    await expect(map.merge("dev", "main", { expectedHead: 1 })).rejects.toMatchObject({
      code: "VERMAP_HEAD_MOVED",
    });
  });
});

describe("a diff", () => {
  test("of uncommitted work is that of the call, whatever is committed meanwhile", async () => {
    const map = await openText();
    await commitOf(map, "main", { a: "1" });
    await map.main.set("b", "2");
    const diff = map.main.diffUncommitted();
    await map.main.commit();
    await map.main.set("c", "3");
    expect(await collect(diff)).toEqual([{ type: "added", key: "b", value: "2" }]);
    await map.main.set("d", "4");
    expect((await map.verify()).ok).toBe(true);
    expect(map.stats().tree).toMatchObject({ pinnedRootCount: 0, limboCount: 0 });
  });

  test("is of any two states, of a range, and goes on where it stopped", async () => {
    const map = await openText();
    const from = await commitOf(map, "main", { a: "1", b: "2", c: "3" });
    await map.createBranch("dev", { commit: from });
    await commitOf(map, "dev", { a: "2", b: undefined, d: "4" });
    const all = [
      { type: "modified", key: "a", oldValue: "1", value: "2" },
      { type: "removed", key: "b", oldValue: "2" },
      { type: "added", key: "d", value: "4" },
    ];
    expect(await collect(map.diff(from, { head: "dev" }))).toEqual(all);
    expect(await collect(map.diff({ branch: "main" }, { branch: "dev" }, { limit: 1 }))).toEqual(
      all.slice(0, 1),
    );
    expect(await collect(map.diff(from, { head: "dev" }, { gt: "a" }))).toEqual(all.slice(1));
    expect(await collect(map.diff(from, from))).toEqual([]);
    await expect(map.diff(99, 98).next()).rejects.toMatchObject({
      code: "VERMAP_COMMIT_NOT_FOUND",
      commitId: 99,
    });
  });
});

describe("compacting", () => {
  test("gives a head full nodes, under the same commit, for all who are at it", async () => {
    const store = new MemoryStore();
    const map = await VerMap.open(store, { key: u32, value: utf8 });
    const value = "v".repeat(5);
    await map.main.update((tx) => {
      for (let i = 0; i < 5000; i++) tx.set((i * 7919) % 5000, value);
    });
    await map.main.update((tx) => {
      for (let i = 0; i < 5000; i++) if (i % 3 > 0) tx.delete(i);
    });
    const commit = await map.main.commit({ message: "kept" });
    await map.createBranch("dev", "main");
    const entries = await collect(map.main.entries());
    const { nodes } = await map.verify();
    const { nodesWritten, nodesDeleted } = await map.compact("dev");
    const after = await map.verify();
    expect(after).toMatchObject({ ok: true, nodes: nodesWritten });
    expect(nodesDeleted).toBe(nodes);
    expect(nodesWritten).toBeLessThan(nodes);
    for (const branch of map.branches()) {
      expect(branch).toMatchObject({ head: commit, hasUncommitted: false });
      expect(await collect(map.branch(branch.id).entries())).toEqual(entries);
    }
    expect(
      (await (await VerMap.open(store, { key: u32, value: utf8 })).commit(commit))?.message,
    ).toBe("kept");
    await map.main.set(1, "x");
    await expect(map.compact("main")).rejects.toMatchObject({ code: "VERMAP_UNCOMMITTED" });
  });

  test("an empty map has nothing to compact", async () => {
    expect(await (await openText()).compact("main")).toEqual({ nodesWritten: 0, nodesDeleted: 0 });
  });
});

describe("a closed map", () => {
  test("refuses every call, and closing it again is no error", async () => {
    const map = await openText();
    const { main } = map;
    await map[Symbol.asyncDispose]();
    await map.close();
    const closed = { code: "VERMAP_CLOSED" };
    for (const call of [
      () => main.set("a", "1"),
      () => main.get("a"),
      () => main.commit(),
      () => map.createBranch("dev", "main"),
      () => map.at({ branch: "main" }),
      () => map.commit(1),
      () => map.verify(),
    ])
      await expect(call()).rejects.toMatchObject(closed);
    expect(() => main.name).toThrow(expect.objectContaining(closed));
    expect(() => map.stats()).toThrow(expect.objectContaining(closed));
  });
});

describe("a handle", () => {
  test("of a branch that was deleted says so, in every call", async () => {
    const map = await openText();
    const dev = await map.createBranch("dev", "main");
    expect([dev.name, dev.head, dev.isMain]).toEqual(["dev", undefined, false]);
    const from = await map.createBranch("copy", dev);
    expect(map.branchName(from.id)).toBe("copy");
    const kept = await map.createBranch("dev", "main", { ifExists: "keep" });
    expect(kept.id).toBe(dev.id);
    await map.renameBranch("dev", "next");
    expect(map.branch("next").id).toBe(dev.id);
    await map.deleteBranch(dev);
    const gone = { code: "VERMAP_BRANCH_NOT_FOUND", branchId: dev.id };
    for (const call of [
      () => dev.get("a"),
      () => dev.set("a", "1"),
      () => dev.delete("a"),
      () => dev.update(() => 1),
      () => dev.commit(),
      () => dev.discard(),
      () => dev.rollbackTo(1),
      () => dev.headCommit(),
    ])
      await expect(call()).rejects.toMatchObject(gone);
    for (const call of [
      () => dev.name,
      () => dev.entries(),
      () => dev.log(),
      () => dev.diffUncommitted(),
    ])
      expect(call).toThrow(expect.objectContaining(gone));
    expect(() => map.branch("next")).toThrow(expect.objectContaining({ branchId: undefined }));
    expect(() => map.branch(null as never)).toThrow(TypeError);
  });
});

test("malformed options are refused at the door", async () => {
  const store = new MemoryStore();
  for (const options of [
    { key: undefined as never },
    { working: "disk" as "memory" },
    { sync: 1 as never },
    { mainBranch: 1 as never },
    { clock: 1 as never },
    { prefix: "x" as never },
  ])
    await expect(openText(store, options)).rejects.toThrow(TypeError);
});

test("calls that nobody waits for happen one after another, in their order", async () => {
  for (const working of ["stored", "memory"] as const) {
    const map = await openText(undefined, { working });
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++) {
      calls.push(map.main.set(`k${i % 7}`, String(i)));
      if (i === 5) calls.push(map.createBranch("dev", "main"));
      if (i === 20) calls.push(map.main.update((tx) => tx.delete("k3")));
      if (i % 9 === 0) calls.push(map.main.commit());
      calls.push(
        collect(map.main.entries()),
        map.at({ head: "main" }).then((one) => one.release()),
      );
    }
    calls.push(
      map.main.commit(),
      map.merge("main", 2).catch((error: unknown) => error),
    );
    await Promise.all(calls);
    expect(await collect(map.main.entries())).toEqual([
      ["k0", "35"],
      ["k1", "36"],
      ["k2", "37"],
      ["k3", "38"],
      ["k4", "39"],
      ["k5", "33"],
      ["k6", "34"],
    ]);
    expect(await collect(map.branch("dev").keys())).toEqual(["k0", "k1", "k2", "k3", "k4", "k5"]);
    expect(map.main.head).toBe(6);
    await map.flush();
    expect((await map.verify()).firstBad).toBeUndefined();
    expect(map.stats().tree.limboCount).toBe(0);
  }
});

describe("what calls cost", () => {
  const KEY_COUNT = 20_000;

  async function large() {
    const memory = new MemoryStore();
    const map = await VerMap.open(memory, { key: u32, value: utf8 });
    await map.main.update(async (tx) => {
      for (let i = 0; i < KEY_COUNT; i++) tx.set(i, "v");
    });
    await map.main.commit();
    for (let i = 0; i < 200; i++) await map.main.commit();
    await map.close();
    const store = new CountingStore(memory);
    return { store, map: await VerMap.open(store, { key: u32, value: utf8 }) };
  }

  test("every call that writes is one batch; opening reads a few keys, however much there is", async () => {
    const { store, map } = await large();
    // Format and state, the head of the only branch, and the pool's record; and one walk over branches.
    expect(store.take()).toMatchObject({ get: 1, getMany: 2, keys: 4, iterator: 1, batch: 0 });
    for (const call of [
      () => map.main.set(5, "x"),
      () => map.main.update((tx) => tx.set(1, "a").set(19_000, "b").delete(3)),
      () => map.main.commit(),
      () => map.createBranch("dev", "main"),
      () => map.branch("dev").set(7, "y"),
      () => map.branch("dev").commit(),
      () => map.merge("dev", "main"),
      () => map.main.rollbackTo(3),
      () => map.branch("dev").discard(),
      () => map.renameBranch("dev", "next"),
      () => map.setMain("next"),
      () => map.deleteBranch("main"),
    ]) {
      store.take();
      await call();
      expect(store.take()).toMatchObject(
        String(call).includes("discard") ? { batch: 0 } : { batch: 1, syncedBatch: 1 },
      );
    }
  });

  test("diff and merge of one change read and write a path, not the map", async () => {
    const { store, map } = await large();
    await map.createBranch("dev", "main");
    await map.branch("dev").set(5, "x");
    await map.branch("dev").commit();
    await map.main.set(15_000, "y");
    await map.main.commit();
    await map.close();
    const cold = await VerMap.open(store, { key: u32, value: utf8 });
    store.take();
    expect(await collect(cold.diff({ head: "main" }, { head: "dev" }))).toHaveLength(2);
    // Two paths of three nodes on each side; the root's other children are not looked at.
    expect(store.take()).toMatchObject({ getMany: 5, keys: 10 });
    const { changed, conflictCount } = await cold.merge("dev", "main");
    expect([changed, conflictCount]).toEqual([1, 0]);
    // A path of three nodes; the records of pool, state, branch, commit and its count; pages of counts of shared nodes.
    expect(store.take()).toMatchObject({ batch: 1, operations: 14 });
    expect(await cold.main.size()).toBe(KEY_COUNT);
  });

  test("unsynced where the map or the call says so", async () => {
    const store = new CountingStore(new MemoryStore());
    const map = await openText(store, { sync: false });
    expect(store.take()).toMatchObject({ batch: 1, syncedBatch: 0 });
    await map.main.set("a", "1");
    await map.main.set("a", "2", { sync: true });
    expect(store.take()).toMatchObject({ batch: 2, syncedBatch: 1 });
  });
});
