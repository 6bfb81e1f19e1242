import { readFile } from "node:fs/promises";
import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";
import { ConfigService } from "../src/config-service.ts";
import { tour } from "../src/tour.ts";

describe("configuration service", () => {
  test("the tour tells what its README says", async () => {
    const service = await ConfigService.open(new MemoryStore());
    const lines: string[] = [];
    await tour(service, (line) => lines.push(line));
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    expect(readme).toContain(`\`\`\`text\n${lines.join("\n")}\n\`\`\``);
    expect(await service.deletedReviews()).toEqual(["start", "tls", "proxy"]);
    expect(await service.graph("svg")).toContain("<title>Configuration</title>");
    await service.close();
  });

  test("a review in conflict is refused as a whole, and outlives a restart", async () => {
    const store = new MemoryStore();
    const service = await ConfigService.open(store);
    const change = { author: "Ada", message: "change" };
    await service.propose("first", { a: 1 }, change);
    await service.approve("first", change);
    await service.propose("second", { a: 2, b: 2 }, change);
    await service.propose("third", { a: 3 }, change);
    await service.approve("second", change);
    await expect(service.approve("third", change)).rejects.toMatchObject({
      code: "VERMAP_MERGE_CONFLICT",
      conflictCount: 1,
    });
    await service.close();
    const again = await ConfigService.open(store);
    expect(await again.get("a")).toBe(2);
    expect(await again.changes("third")).toEqual([
      { type: "modified", key: "a", oldValue: 1, value: 3 },
    ]);
    await again.approve("third", change, () => 3);
    expect(await again.get("a")).toBe(3);
    expect(await again.origin("none")).toBeUndefined();
    await again.propose("fourth", { b: null }, change);
    await again.approve("fourth", change);
    expect(await again.get("b")).toBeUndefined();
  });
});
