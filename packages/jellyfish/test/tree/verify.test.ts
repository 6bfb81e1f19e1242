import { type Store } from "@x/store";
import { FailingStore, hexOf, Random, seedOf, StoreModel } from "@x/testing";
import { describe, expect, test } from "vitest";

import { compactNodes, roochNodes } from "../../src/index.ts";
import { JellyfishTree, verifyTree } from "../../src/index.ts";

const formats = {
  "compact+counts+keys": compactNodes({ counts: true, keys: true }),
  compact: compactNodes(),
  rooch: roochNodes,
};

async function sample(format: keyof typeof formats): Promise<FailingStore> {
  const store = new FailingStore();
  const tree = await JellyfishTree.open(store, { format: formats[format], history: 3 });
  const random = new Random(seedOf("verify", format));
  for (let at = 0; at < 12; at++)
    await tree.set(random.bytes(1 + random.below(3)), random.bytes(random.below(8)));
  const key = random.bytes(2);
  // A node that comes back while an older root still has it: two runs.
  await tree.set(key, Uint8Array.of(1));
  await tree.delete(key);
  await tree.set(key, Uint8Array.of(1));
  expect(await tree.verify()).toMatchObject({ ok: true, firstBad: undefined });
  return store;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

describe("verifying", () => {
  test.each(Object.keys(formats) as (keyof typeof formats)[])(
    "names exactly the record whose byte was changed, with %s nodes",
    async (name) => {
      const store = await sample(name);
      const options = { format: formats[name], history: 3 };
      const keySizes = new Set<number>();
      for (const [keyHex, value] of store.content()) {
        const key = bytesOf(keyHex);
        keySizes.add(key.length);
        for (let at = 0; at < value.length; at++) {
          const damaged = store.withFlippedBit(key, at * 8 + (at % 8));
          const report = await verifyTree(damaged as Store, options);
          expect({
            at,
            ok: report.ok,
            key: hexOf(report.firstBad?.at ?? new Uint8Array(0)),
          }).toEqual({
            at,
            ok: false,
            key: keyHex,
          });
        }
      }
      // The tree record, versions, nodes and run counts were all there.
      expect([...keySizes].toSorted((a, b) => a - b)).toEqual([4, 12, 32, 33]);
    },
  );

  test.each(Object.keys(formats) as (keyof typeof formats)[])(
    "names exactly the record that is gone, with %s nodes",
    async (name) => {
      const store = await sample(name);
      const options = { format: formats[name], history: 3 };
      const content = store.content();
      for (const [keyHex] of content) {
        const rest = new StoreModel(content.filter(([other]) => other !== keyHex));
        const damaged = new FailingStore(undefined, rest);
        const { ok, firstBad } = await verifyTree(damaged as Store, options);
        expect(ok).toBe(false);
        // A version that is gone shows in the nodes that only it needed, or in a count.
        const isNamed = hexOf(firstBad?.at ?? new Uint8Array(0)) === keyHex;
        expect(isNamed || keyHex.length === 24).toBe(true);
      }
    },
  );

  test("names a node that nothing needs", async () => {
    const store = await sample("compact");
    const stray = new Uint8Array(32).fill(7);
    await store.batch([{ type: "put", key: stray, value: Uint8Array.of(1) }]);
    const { firstBad } = await verifyTree(store as Store, { format: formats.compact, history: 3 });
    expect(firstBad).toEqual({ kind: "orphan", at: stray, path: "" });
  });
});
