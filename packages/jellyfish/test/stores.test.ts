import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@x/hash";
import { type Reading, runAsync, runSync, type Store } from "@x/store";
import { open } from "@x/store-level";
import { MemoryStore } from "@x/store-memory";
import { Random, scaled, seedOf } from "@x/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compactNodes,
  dumpLeaves,
  getLeaves,
  jmtSha256,
  makePatch,
  NodeCache,
  rankOf,
  rememberUpdate,
  type TreeContext,
  update,
} from "../src/index.ts";
import { drawPath } from "./paths.ts";
import { changesOf, type HexChange } from "./tree-subject.ts";

type Run = <T>(reading: () => Reading<T>) => Promise<T>;

/** What a random history gives over one store, as text. */
async function history(
  store: Store,
  run: Run,
  context: TreeContext,
  seed: number,
): Promise<string> {
  const random = new Random(seed);
  const pool: string[] = [];
  while (pool.length < 40) pool.push(drawPath(random, pool));
  const log: unknown[] = [];
  let root = context.scheme.placeholder;
  for (let batch = 0; batch < 10; batch++) {
    const changes = Array.from({ length: random.below(20) }, (): HexChange => [
      random.pick(pool),
      random.chance(0.3) ? null : toHex(random.bytes(random.below(100))),
    ]);
    const before = root;
    const result = await run(() => update(context, before, changesOf(changes)));
    await store.batch(
      result.nodes.map(([key, value]) => ({ type: "put", key, value })),
      { sync: false },
    );
    rememberUpdate(context, result);
    ({ root } = result);
    const after = root;
    const paths = changesOf(changes).map(({ path }) => path);
    log.push(
      result.nodes,
      result.stale,
      await run(() => getLeaves(context, after, paths)),
      await run(() => dumpLeaves(context, after)),
      await run(() => makePatch(context, { before, after })),
      await run(() => rankOf(context, after, paths[0] ?? after)),
    );
  }
  return JSON.stringify(log, (_, part: unknown) =>
    part instanceof Uint8Array ? toHex(part) : part,
  );
}

describe("over any store", () => {
  const folder = mkdtempSync(join(tmpdir(), "jellyfish-"));
  let level: Awaited<ReturnType<typeof open>>;

  beforeAll(async () => {
    level = await open(join(folder, "store"));
  });
  afterAll(async () => {
    await level.close();
    rmSync(folder, { recursive: true });
  });

  it("synchronous or not, cached or not, a history gives the same", async () => {
    for (let i = 0; i < scaled(5); i++) {
      const seed = seedOf("stores", i);
      const context: TreeContext = { scheme: jmtSha256(), format: compactNodes({ counts: true }) };
      const memory = new MemoryStore();
      const expected = await history(memory, async (of) => runSync(of(), memory), context, seed);
      for (const [name, store, run] of [
        ["memory, asynchronous", new MemoryStore(), undefined],
        ["level, synchronous", level, async (of) => runSync(of(), level)],
        ["level, asynchronous", level, undefined],
      ] as readonly [string, Store, Run | undefined][])
        for (const cache of [undefined, new NodeCache(), new NodeCache({ byteCountMax: 5000 })]) {
          const found = await history(
            store,
            run ?? (async (of) => await runAsync(of(), store)),
            { ...context, cache },
            seed,
          );
          expect(found === expected, `${name}, seed ${seed}`).toBe(true);
        }
    }
  });
});
