import { type Store } from "@x/store";
import { MemoryStore } from "@x/store-memory";
import { FailingStore, hexOf, Random, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import { JellyfishTree, type RestoreChunk, rooch, jmtSha256 } from "../../src/index.ts";
import { storedRuns } from "../tree/model.ts";

async function sample(
  entryCount: number,
  scheme = jmtSha256(),
): Promise<JellyfishTree<Uint8Array, Uint8Array, MemoryStore>> {
  const tree = await JellyfishTree.open(new MemoryStore(), { scheme });
  const random = new Random(seedOf("restore", entryCount));
  await tree.load(
    Array.from({ length: entryCount }, () => [random.bytes(4), random.bytes(random.below(20))]),
    { chunkCountMax: 64 },
  );
  return tree;
}

async function chunksOf(
  tree: Pick<JellyfishTree, "chunks">,
  entryCountMax: number,
): Promise<RestoreChunk[]> {
  const chunks: RestoreChunk[] = [];
  for await (const chunk of tree.chunks({ entryCountMax })) chunks.push(chunk);
  return chunks;
}

async function content(store: Pick<Store, "iterator">): Promise<string[]> {
  return [...(await storedRuns(store))].map(([hash, runs]) => `${hash} ${runs}`).toSorted();
}

/** One byte of a copy is another. */
function changed(bytes: Uint8Array, at = 0): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

describe("restoring", () => {
  test.each([0, 1, 2, 17, 300])("%s entries come back, node by node", async (entryCount) => {
    for (const scheme of [jmtSha256(), rooch()]) {
      const tree = await sample(entryCount, scheme);
      for (const size of [1, 7, 1000]) {
        if (size === 1 && entryCount > 20) continue;
        const store = new FailingStore();
        const other = await JellyfishTree.open(store, { scheme });
        await other.restore(tree.root, () => tree.chunks({ entryCountMax: size }));
        expect(other.root).toEqual(tree.root);
        expect(other.size).toBe(tree.size);
        await other.prune();
        await tree.prune();
        expect(await content(store)).toEqual(await content(tree.store));
        expect(await other.verify()).toMatchObject({ ok: true });
      }
    }
  });

  test("a crash at any batch is gone on from, and nothing verified is asked for twice", async () => {
    const tree = await sample(60);
    const chunks = await chunksOf(tree, 9);
    for (let at = 2; at <= chunks.length + 1; at++) {
      const store = new FailingStore({ at, kinds: ["batch"] });
      const first = await JellyfishTree.open(store);
      await expect(first.restore(tree.root, () => chunks)).rejects.toMatchObject({
        code: "STORE_DURABILITY_UNKNOWN",
      });
      const image = store.killed();
      const second = await JellyfishTree.open(image);
      expect(second.root).toEqual(second.emptyRoot);
      const asked: (string | undefined)[] = [];
      await second.restore(tree.root, (from) => {
        asked.push(from && hexOf(from));
        return tree.chunks({ from, entryCountMax: 9 });
      });
      expect(asked[0] === undefined).toBe(at === 2);
      expect(second.root).toEqual(tree.root);
      expect(await second.verify()).toMatchObject({ ok: true });
    }
  });

  test("every other write drops what was restored so far, and leaves nothing of it", async () => {
    const tree = await sample(60);
    const chunks = await chunksOf(tree, 9);
    const other = await JellyfishTree.open(new MemoryStore());
    await expect(other.restore(tree.root, () => chunks.slice(0, 3))).rejects.toMatchObject({
      code: "JELLYFISH_CHUNK",
    });
    expect((await other.verify()).ok).toBe(true);
    await other.set(Uint8Array.of(1), Uint8Array.of(2));
    await other.prune();
    expect((await content(other.store)).length).toBe(1);
  });

  test("a tree that has content already gets another, and keeps the old one as long as it is retained", async () => {
    const tree = await sample(40);
    const other = await JellyfishTree.open(new MemoryStore(), { history: 2 });
    await other.load([[Uint8Array.of(1), Uint8Array.of(2)]]);
    const before = other.root;
    const [[key, value] = [Uint8Array.of(), Uint8Array.of()]] = (await tree.list(1)).entries;
    await other.set(key, value);
    await other.restore(tree.root, () => tree.chunks({ entryCountMax: 7 }));
    expect(other.root).toEqual(tree.root);
    expect(other.roots().length).toBe(2);
    expect(() => other.at(before)).toThrow(
      expect.objectContaining({ code: "JELLYFISH_ROOT_UNKNOWN" }),
    );
    expect(await other.verify()).toMatchObject({ ok: true });
  });

  test("chunks that are not the root's are refused before anything of them is written", async () => {
    const tree = await sample(30);
    const chunks = await chunksOf(tree, 6);
    const [first, second] = chunks as [RestoreChunk, RestoreChunk];
    const entries = (list: readonly RestoreChunk["entries"][number][]): RestoreChunk => ({
      ...first,
      entries: list,
    });
    const [entry] = first.entries as [RestoreChunk["entries"][number]];
    const hostile: RestoreChunk[] = [
      second,
      entries(first.entries.slice(1)),
      entries(first.entries.slice(0, -1)),
      entries(first.entries.toReversed()),
      entries([entry, ...first.entries]),
      entries([
        { ...entry, value: changed(entry.value.length === 0 ? Uint8Array.of(0) : entry.value) },
        ...first.entries.slice(1),
      ]),
      entries([{ ...entry, path: changed(entry.path, 31) }, ...first.entries.slice(1)]),
      entries([{ ...entry, key: changed(entry.key as Uint8Array) }, ...first.entries.slice(1)]),
      entries([]),
      { ...first, to: undefined },
      { ...first, to: second.to },
      { ...first, proof: second.proof },
      { ...first, proof: { ...first.proof, rightSiblings: first.proof.rightSiblings?.slice(1) } },
      { ...first, proof: { ...first.proof, rightSiblings: undefined } },
    ];
    for (const [index, chunk] of hostile.entries()) {
      const store = new FailingStore();
      const other = await JellyfishTree.open(store);
      const digest = store.digest();
      await expect(
        other.restore(tree.root, () => [chunk]),
        `hostile ${index}`,
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^JELLYFISH_(?:CHUNK|PROOF_)/),
      });
      expect(store.digest()).toBe(digest);
    }
  });

  test("nothing is asked for after the last chunk: what is restored is restored", async () => {
    const tree = await sample(20);
    const other = await JellyfishTree.open(new MemoryStore());
    let isReturned = false;
    await other.restore(tree.root, async function* () {
      try {
        yield* tree.chunks({ entryCountMax: 6 });
        yield* await chunksOf(tree, 6);
      } finally {
        isReturned = true;
      }
    });
    expect(other.root).toEqual(tree.root);
    expect(isReturned).toBe(true);
    expect(tree.pinCount).toBe(0);
  });

  test("chunks of another root do not continue this one", async () => {
    const tree = await sample(20);
    const chunks = await chunksOf(tree, 6);
    const other = await JellyfishTree.open(new MemoryStore());
    await expect(other.restore(tree.root, () => chunks.slice(0, 2))).rejects.toMatchObject({
      code: "JELLYFISH_CHUNK",
    });
    const another = await sample(25);
    await expect(
      other.restore(another.root, (from) => {
        expect(from).toBe(undefined);
        return chunks;
      }),
    ).rejects.toMatchObject({ code: expect.stringMatching(/^JELLYFISH_PROOF_/) });
  });

  test("chunks that are none are refused", async () => {
    const tree = await sample(5);
    const [chunk] = (await chunksOf(tree, 9)) as [RestoreChunk];
    const [entry] = chunk.entries as [RestoreChunk["entries"][number]];
    const other = await JellyfishTree.open(new MemoryStore());
    const { path, value, key } = entry;
    const { to, proof } = chunk;
    const listed = (odd: unknown) => ({ entries: [odd], to, proof });
    const malformed: unknown[] = [
      undefined,
      null,
      7,
      {},
      { entries: chunk.entries, to: 5, proof },
      { entries: chunk.entries, to, proof: undefined },
      { entries: chunk.entries, to, proof: null },
      { entries: chunk.entries, to, proof: 7 },
      { entries: "x", to, proof },
      listed(1),
      listed({}),
      listed({ path: path.slice(1), value, key }),
      listed({ path, value: "x", key }),
      listed({ path, value, key: [1] }),
    ];
    for (const [index, one] of malformed.entries())
      await expect(
        other.restore(tree.root, () => [one as RestoreChunk]),
        `malformed ${index}`,
      ).rejects.toMatchObject({
        code: expect.stringMatching(/^JELLYFISH_(?:CHUNK|PROOF_FORMAT)$/),
      });
  });

  test("a signal stops between chunks", async () => {
    const tree = await sample(20);
    const other = await JellyfishTree.open(new MemoryStore());
    const controller = new AbortController();
    const seen: number[] = [];
    const restoring = other.restore(tree.root, () => tree.chunks({ entryCountMax: 5 }), {
      signal: controller.signal,
      onProgress: ({ leafCount }) => {
        seen.push(leafCount);
        if (leafCount === 10) controller.abort(new Error("enough"));
      },
    });
    await expect(restoring).rejects.toThrow("enough");
    expect(seen).toEqual([5, 10]);
  });
});
