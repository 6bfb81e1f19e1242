import { describe, expect, test } from "vitest";
import { renderGraph } from "../../src/render/index.ts";
import { tags } from "../../src/tag/tags.ts";
import { commitOf, openTextMap } from "../beyond/support.ts";

describe("graph of a map", () => {
  test("shows branches, tags and merges", async () => {
    const map = await openTextMap();
    expect(await renderGraph(map)).toBe("");
    await commitOf(map, "main", { a: "1" }, "start");
    await map.createBranch("feature", "main");
    await commitOf(map, "feature", { b: "1" }, "a feature");
    await commitOf(map, "main", { c: "1" }, "a fix");
    await map.merge("feature", "main", { message: "merge feature" });
    await tags(map).set("v1", 1);
    await map.createBranch("gone", "main");
    await tags(map).set("kept", await commitOf(map, "gone", {}, "kept by its tag"));
    await map.deleteBranch("gone");
    expect((await renderGraph(map)).split("\n")).toEqual([
      "* 5 (tag: kept) kept by its tag",
      "* 4 (main) merge feature",
      "|\\",
      "* | 3 a fix",
      "| * 2 (feature) a feature",
      "|/",
      "* 1 (tag: v1) start",
    ]);
    expect((await renderGraph(map, { limit: 2, style: "box" })).split("\n")).toEqual([
      "● 5 (tag: kept) kept by its tag",
      "● 4 (main) merge feature",
      "├─╮",
    ]);
    const svg = await renderGraph(map, { format: "svg", title: "Ours" });
    expect(svg.match(/<circle /g)?.length).toBe(5);
    expect(svg).toContain("<title>Ours</title>");
  });

  test("a format that there is not is the caller's mistake", async () => {
    const map = await openTextMap();
    await expect(renderGraph(map, { format: "png" as "svg" })).rejects.toThrow(TypeError);
    await expect(renderGraph(map, { limit: -1 })).rejects.toThrow(RangeError);
  });
});
