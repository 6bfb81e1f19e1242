import { FailingStore, Random, scaled, seedOf } from "@x/testing";
import { expect, test } from "vitest";

import { utf8 } from "../src/codec/index.ts";
import { VerMap } from "../src/index.ts";
import { dumpOf } from "./model/dump.ts";
import { openText, type TextMap } from "./opened.ts";

const NO_PREFIX = new Uint8Array();

async function dumpOfImage(store: FailingStore): Promise<string> {
  return dumpOf(store, NO_PREFIX, await VerMap.open(store, { key: utf8, value: utf8 }));
}

/** One call on one of two branches, synced or not, that is not refused. */
async function callAtRandom(map: TextMap, random: Random): Promise<void> {
  const [one, other] = random.chance(0.5) ? (["main", "dev"] as const) : (["dev", "main"] as const);
  const sync = random.chance(0.2);
  const kind = random.below(6);
  if (kind < 3)
    await map.branch(one).update(
      (tx) => {
        for (let i = 0; i < 30; i++) tx.set(`k${random.below(120)}`, `v${random.below(5)}`);
      },
      { sync },
    );
  else if (
    kind === 3 &&
    map.branches().every(({ head, hasUncommitted }) => head !== undefined && !hasUncommitted)
  )
    await map.merge(one, other, { sync });
  else await map.branch(one).commit({ sync });
}

test.each(["stored", "memory"] as const)(
  "a crash leaves a state that was, or verify says what is wrong: working states %s",
  async (working) => {
    const seen = { prefixes: 0, whole: 0, damaged: 0 };
    for (let run = 0; run < scaled(6); run++) {
      const random = new Random(seedOf("crash images", working, run));
      const store = new FailingStore();
      const tree = { unsavedByteCountMax: 3000 };
      const map = await openText(store, { working, sync: false, tree });
      await map.createBranch("dev", "main", { sync: true });
      const states = new Set([await dumpOfImage(store.killed())]);
      for (let step = 0; step < 25; step++) {
        await callAtRandom(map, random);
        states.add(await dumpOfImage(store.killed()));
      }
      for (const { name, store: image } of store.crashImages(random)) {
        const isPrefix = !name.startsWith("without");
        const { ok } = await VerMap.verify(image);
        const known = ok && states.has(await dumpOfImage(image));
        const expected = isPrefix || ok;
        expect({ run, name, ok, known }).toEqual({ run, name, ok: expected, known: expected });
        if (isPrefix) seen.prefixes++;
        else seen[ok ? "whole" : "damaged"]++;
      }
    }
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(3);
  },
);
