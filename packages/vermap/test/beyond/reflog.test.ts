import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";
import { reflog, type Reflog } from "../../src/reflog/reflog.ts";
import { reflogAnchor, type ReflogEntry, reflogEntryOf } from "../../src/reflog/reflog-record.ts";
import { reset, squash } from "../../src/rewrite/move-head.ts";
import { fuzz } from "../codec/fuzz.ts";
import { codeOf, commitOf, entriesOf, listOf, openTextMap, type TextMap } from "./support.ts";

/** A map with a clock that stands where it is put. */
async function openAt(
  store = new MemoryStore(),
): Promise<{ map: TextMap; clock: { now: number } }> {
  const clock = { now: 1000 };
  return { map: await openTextMap(store, { clock: () => clock.now }), clock };
}

const entries = (log: Reflog): Promise<unknown> => listOf(log.entries());

describe("reflog", () => {
  test("brings back a deleted branch, uncommitted work included", async () => {
    const { map } = await openAt();
    const log = reflog(map);
    await commitOf(map, "main", { a: "1" });
    const side = (await map.createBranch("side", "main")).id;
    const second = await commitOf(map, "side", { b: "2" });
    await map.branch("side").set("c", "3");
    await map.deleteBranch("side");
    expect(await map.commit(second)).toBeDefined();
    const [entry] = await listOf(log.entries());
    expect(entry).toMatchObject({
      branchId: side,
      branchName: "side",
      event: "deleted",
      time: 1000,
      head: second,
    });
    if (entry === undefined) throw new Error("there is no entry");
    const id = await log.restore(entry);
    expect(id).not.toBe(side);
    expect(map.branch("side").id).toBe(id);
    expect(await entriesOf(map, { branch: "side" })).toEqual({ a: "1", b: "2", c: "3" });
    expect(map.branch("side").head).toBe(second);
    expect(await entries(log)).toEqual([]);
    expect(await codeOf(log.restore(entry))).toBe("VERMAP_REFLOG_EXPIRED");
    expect(await map.mentionCount(second)).toBe(1);
  });

  test("keeps what a rollback, a reset and a squash left behind", async () => {
    const { map } = await openAt();
    const log = reflog(map);
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.main.rollbackTo(first);
    const third = await commitOf(map, "main", { a: "3" });
    await reset(map, "main", first);
    const fourth = await commitOf(map, "main", { a: "4" });
    await squash(map, "main", 0);
    const kept = await listOf(log.entries());
    expect(kept.map(({ head, event }) => [head, event])).toEqual([
      [second, "moved"],
      [third, "moved"],
      [fourth, "moved"],
    ]);
    for (const entry of kept) await log.restore(entry, { name: `at-${entry.head}` });
    expect(await entriesOf(map, { branch: `at-${second}` })).toEqual({ a: "2" });
    expect(await entriesOf(map, { branch: `at-${fourth}` })).toEqual({ a: "4" });
  });

  test("says nothing of commits, merges and fast-forwards, which lose nothing", async () => {
    const { map } = await openAt();
    const log = reflog(map);
    await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    await commitOf(map, "side", { b: "2" });
    await map.merge("side", "main", { fastForward: "allow" });
    await commitOf(map, "side", { c: "3" });
    await commitOf(map, "main", { d: "4" });
    await map.merge("side", "main");
    await map.renameBranch("side", "other");
    expect(await entries(log)).toEqual([]);
  });

  test("lets go after the grace period, with what only it kept", async () => {
    const { map, clock } = await openAt();
    const log = reflog(map, { gracePeriod: 100 });
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.main.rollbackTo(first);
    clock.now = 1100;
    expect(await log.expire()).toBe(0);
    clock.now = 1101;
    expect(await log.expire()).toBe(1);
    expect(await map.commit(second)).toBeUndefined();
    expect(await entries(log)).toEqual([]);
  });

  test("what is over goes with the next entry, too, and all of it when told", async () => {
    const { map, clock } = await openAt();
    const log = reflog(map, { gracePeriod: 100 });
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.main.rollbackTo(first);
    clock.now = 5000;
    const third = await commitOf(map, "main", { a: "3" });
    await map.main.rollbackTo(first);
    expect(await map.commit(second)).toBeUndefined();
    expect(await map.commit(third)).toBeDefined();
    expect(await log.expire({ all: true })).toBe(1);
    expect(await map.commit(third)).toBeUndefined();
  });

  test("survives reopening, and records nothing once it is closed", async () => {
    const store = new MemoryStore();
    const { map } = await openAt(store);
    const log = reflog(map);
    const first = await commitOf(map, "main", { a: "1" });
    const second = await commitOf(map, "main", { a: "2" });
    await map.main.rollbackTo(first);
    await map.close();
    const { map: again } = await openAt(store);
    const later = reflog(again);
    const [entry] = await listOf(later.entries());
    expect(entry).toMatchObject({ head: second, branchName: "main" });
    later.close();
    const third = await commitOf(again, "main", { a: "3" });
    await again.main.rollbackTo(first);
    expect(await again.commit(third)).toBeUndefined();
    expect(await codeOf(listOf(log.entries()))).toBe("VERMAP_CLOSED");
  });

  test("does not take a name that is taken", async () => {
    const { map } = await openAt();
    const log = reflog(map);
    const first = await commitOf(map, "main", { a: "1" });
    await commitOf(map, "main", { a: "2" });
    await map.main.rollbackTo(first);
    const [entry] = await listOf(log.entries());
    if (entry === undefined) throw new Error("there is no entry");
    expect(await codeOf(log.restore(entry))).toBe("VERMAP_BRANCH_EXISTS");
    expect(() => reflog(map, { gracePeriod: -1 })).toThrow(RangeError);
  });

  test("a damaged entry is not taken for one", () => {
    const entry = {
      sequence: 4,
      branchId: 2,
      branchName: "side",
      event: "deleted",
      time: 9,
      head: 3,
      root: 5,
    } as const;
    const anchor = reflogAnchor(entry);
    expect(reflogEntryOf(anchor)).toEqual(entry);
    const damaged = [
      { ...anchor, commits: [1, 2] },
      { ...anchor, roots: [1, 2] },
      { ...anchor, payload: anchor.payload.slice(1) },
      { ...anchor, payload: Uint8Array.of(4, 2, 7, 9, 0) },
      { ...anchor, payload: Uint8Array.of(4, 2, 0, 9, 0, 0) },
    ];
    for (const one of damaged)
      expect(() => reflogEntryOf(one)).toThrow(
        expect.objectContaining({ code: "VERMAP_CORRUPT" }) as Error,
      );
  });

  test("fuzzed payloads are refused or encode to themselves", () => {
    const target = {
      name: "reflog entry",
      encode: (entry: unknown) => reflogAnchor(entry as ReflogEntry).payload,
      decode: (payload: Uint8Array) => reflogEntryOf({ commits: [3], roots: [5], payload }),
    };
    const entry = { branchName: "side", event: "deleted", head: 3, root: 5 } as const;
    const valid = [
      reflogAnchor({ ...entry, sequence: 2 ** 40, branchId: 200, time: 2 ** 50 }),
      reflogAnchor({ ...entry, sequence: 1, branchId: 1, time: 0, event: "moved" }),
    ];
    const inputs = valid.map(({ payload }) => payload);
    expect(fuzz(target, inputs, 29)).toBeGreaterThan(0);
  });
});
