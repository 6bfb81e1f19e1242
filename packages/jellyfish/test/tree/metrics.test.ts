import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import {
  JellyfishTree,
  LATENCY_BUCKETS,
  METRIC_NAMES,
  SIZE_BUCKETS,
  UpdateSet,
  utf8Codec,
} from "../../src/index.ts";

const texts = { keyCodec: utf8Codec, valueCodec: utf8Codec } as const;

describe("metrics", () => {
  test("every histogram is observed by what it is named after", async () => {
    const seen = new Map<string, string[]>();
    let time = 0;
    const metrics = {
      now: () => time++,
      observe: (name: string, value: number, labels: { readonly fn_name: string }) => {
        expect(value).toBeGreaterThanOrEqual(0);
        seen.set(name, [...(seen.get(name) ?? []), labels.fn_name]);
      },
    };
    const tree = await JellyfishTree.open(new MemoryStore(), { ...texts, metrics });
    await tree.set("a", "1");
    await tree.delete("a");
    await tree.batch(new UpdateSet([["b", "2"]]));
    await tree.get("b");
    tree.hasSync("b");
    await tree.getWithProof("b");
    await tree.list(3);
    await tree.keys().return();
    expect([...seen.keys()].toSorted()).toEqual([...METRIC_NAMES].toSorted());
    expect(seen.get("smt_puts_bytes")).toEqual(["set", "delete", "batch"]);
    expect(seen.get("smt_get_latency_seconds")).toEqual(["get", "hasSync"]);
    expect([LATENCY_BUCKETS.length, SIZE_BUCKETS.at(-1)]).toEqual([16, 4 ** 14]);
  });
});
