import { describe, expect, test } from "vitest";

import { collect } from "./collect.ts";
import { commitOf, openText, type TextMap } from "./opened.ts";

/** A commit of a tree of two levels, on main. */
async function filled(working: "stored" | "memory" = "stored"): Promise<TextMap> {
  const map = await openText(undefined, { working });
  await commitOf(
    map,
    "main",
    Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, "v"])),
  );
  return map;
}

describe("compacting a head", () => {
  test.each(["stored", "memory"] as const)(
    "leaves uncommitted work of another branch at that head as it is (%s)",
    async (working) => {
      const map = await filled(working);
      const dev = await map.createBranch("dev", "main");
      await dev.set("x", "1");
      await map.compact("main");
      expect(dev.hasUncommitted).toBe(true);
      expect(await collect(dev.diffUncommitted())).toEqual([
        { type: "added", key: "x", value: "1" },
      ]);
      await dev.discard();
      expect(dev.hasUncommitted).toBe(false);
      expect(await dev.size()).toBe(300);
      await map.main.set("a", "1");
      await map.main.commit();
      await map.flush();
      expect((await map.verify()).firstBad).toBeUndefined();
      expect(await dev.get("k7")).toBe("v");
    },
  );

  test("leaves a branch at another commit of the same tree without uncommitted work", async () => {
    const map = await filled();
    const dev = await map.createBranch("dev", "main");
    await dev.commit();
    await map.compact("main");
    expect([dev.hasUncommitted, map.main.hasUncommitted]).toEqual([false, false]);
    expect((await map.verify()).firstBad).toBeUndefined();
  });
});
