import { describe, expect, test } from "vitest";
import { watch } from "../../src/watch/watch.ts";
import { codeOf, commitOf, openTextMap } from "./support.ts";

describe("watch", () => {
  test.each(["stored", "memory"] as const)("tells what changed, working %s", async (working) => {
    const map = await openTextMap(undefined, { working });
    const notices = watch(map, "main");
    await map.main.set("a", "1");
    expect(await notices.next()).toEqual({
      done: false,
      value: { changes: [{ type: "added", key: "a", value: "1" }], head: 0 },
    });
    const waiting = notices.next();
    await map.main.set("a", "2");
    expect((await waiting).value?.changes).toEqual([
      { type: "modified", key: "a", oldValue: "1", value: "2" },
    ]);
    await notices.return?.();
  });

  test("gives several changes as one to who reads slowly, and none where nothing is left of them", async () => {
    const map = await openTextMap();
    const notices = watch(map, "main");
    await map.main.set("a", "1");
    await map.main.set("b", "1");
    await map.main.delete("a");
    expect((await notices.next()).value?.changes).toEqual([
      { type: "added", key: "b", value: "1" },
    ]);
    await map.main.set("c", "1");
    await map.main.delete("c");
    const waiting = notices.next();
    await map.main.set("d", "1");
    expect((await waiting).value?.changes).toEqual([{ type: "added", key: "d", value: "1" }]);
    await notices.return?.();
  });

  test("of a range says nothing of other keys; of the head nothing of uncommitted work", async () => {
    const map = await openTextMap();
    const range = watch(map, "main", { prefix: "x/" });
    const head = watch(map, "main", { state: "head" });
    await map.main.set("a", "1");
    await map.main.set("x/1", "1");
    expect((await range.next()).value?.changes.map(({ key }) => key)).toEqual(["x/1"]);
    const commit = await map.main.commit();
    expect(await head.next()).toMatchObject({
      value: { head: commit, changes: [{ key: "a" }, { key: "x/1" }] },
    });
    await range.return?.();
    await head.return?.();
  });

  test("of another branch hears nothing, and a merge is one notice", async () => {
    const map = await openTextMap();
    await commitOf(map, "main", { a: "1" });
    await map.createBranch("side", "main");
    const notices = watch(map, "main");
    await commitOf(map, "side", { b: "2", c: "3" });
    const { commit } = await map.merge("side", "main");
    expect((await notices.next()).value).toMatchObject({
      head: commit,
      changes: [{ key: "b" }, { key: "c" }],
    });
    await notices.return?.();
  });

  test("ends when it is ended, while it waits", async () => {
    const map = await openTextMap();
    const notices = watch(map, "main");
    const waiting = notices.next();
    await notices.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(await notices.next()).toEqual({ done: true, value: undefined });
  });

  test("ends with the map, by the signal, and with an error when the branch is deleted", async () => {
    const map = await openTextMap();
    await map.createBranch("side", "main");
    const closing = watch(map, "main").next();
    const controller = new AbortController();
    const signalled = watch(map, "main", { signal: controller.signal }).next();
    const deleted = watch(map, "side").next();
    const failed = codeOf(deleted);
    await map.deleteBranch("side");
    expect(await failed).toBe("VERMAP_BRANCH_NOT_FOUND");
    controller.abort();
    await map.main.set("a", "1");
    expect((await signalled).done).toBe(true);
    expect((await closing).done).toBe(false);
    const last = watch(map, "main").next();
    await map.close();
    expect((await last).done).toBe(true);
    expect(() => watch(map, "main")).toThrow(
      expect.objectContaining({ code: "VERMAP_CLOSED" }) as Error,
    );
  });

  test("pins two states at most, and none when it is over", async () => {
    const map = await openTextMap();
    await commitOf(map, "main", { a: "1" });
    const pinned = (): number => map.stats().tree.pinnedRootCount;
    const before = pinned();
    const notices = watch(map, "main");
    for (let index = 0; index < 5; index++) {
      await commitOf(map, "main", { a: `read ${index}` });
      await notices.next();
      await commitOf(map, "main", { a: `unread ${index}` });
      expect(pinned() - before).toBeLessThanOrEqual(2);
    }
    await notices.return?.();
    expect(pinned()).toBe(before);
    expect(map.stats().tree.limboCount).toBe(0);
    const unread = watch(map, "main");
    expect(await unread.return?.()).toEqual({ done: true, value: undefined });
    expect(pinned()).toBe(before);
  });

  test("of what there is not is refused", async () => {
    const map = await openTextMap();
    expect(() => watch(map, "side")).toThrow(
      expect.objectContaining({ code: "VERMAP_BRANCH_NOT_FOUND" }) as Error,
    );
    expect(() => watch(map, "main", { state: "tail" as "head" })).toThrow(TypeError);
  });
});
