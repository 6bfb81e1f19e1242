import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";

import {
  JellyfishTree,
  type JellyfishTreeOptions,
  type NodeSource,
  type RestoreChunk,
} from "../../src/index.ts";

const key = Uint8Array.of(1);
const value = Uint8Array.of(2);

/** A value is one byte, and then the roots of trees it carries. */
function nestedRoots(bytes: Uint8Array): Uint8Array[] {
  return bytes.length > 32 ? [bytes.subarray(1, 33)] : [];
}

async function treeOf(
  options: JellyfishTreeOptions = {},
): Promise<JellyfishTree<Uint8Array, Uint8Array, MemoryStore>> {
  return JellyfishTree.open(new MemoryStore(), options);
}

/** The nodes of a tree, in which the leaf of `key` keeps another: its hash is the same. */
function lyingAbout(tree: JellyfishTree): NodeSource {
  const { format } = tree.context;
  return {
    async getMany(hashes) {
      const records = await tree.store.getMany(hashes);
      return records.map((bytes) => {
        const node = bytes && format.decode(bytes);
        if (node?.kind !== "leaf" || node.key?.[0] !== key[0]) return bytes;
        const { kind, path } = node;
        return format.encode({ kind, path, value: node.value, key: Uint8Array.of(9) });
      });
    },
  };
}

/** That a tree is as it was made. */
async function expectUntouched(tree: JellyfishTree): Promise<void> {
  expect(tree.root).toEqual(tree.emptyRoot);
  await tree.prune();
  expect(await tree.verify()).toMatchObject({ ok: true, nodeCount: 0 });
}

describe("a key that is not the one that was hashed, which no hash covers,", () => {
  test("is refused in foreign nodes", async () => {
    const tree = await treeOf();
    await tree.set(key, value);
    const other = await treeOf();
    await expect(other.importNodes(tree.root, lyingAbout(tree))).rejects.toMatchObject({
      code: "JELLYFISH_NODE_HASH",
    });
    await expectUntouched(other);
    await other.importNodes(tree.root, tree.store);
    expect(await other.entries().next()).toEqual({ done: false, value: [key, value] });
  });

  test("is refused in foreign trees that leaves carry", async () => {
    const tree = await treeOf({ nestedRoots });
    const draft = await tree.draft(tree.emptyRoot, [{ type: "put", key, value }]);
    await tree.set(Uint8Array.of(5), Uint8Array.of(1, ...draft.root), { drafts: [draft] });
    const other = await treeOf({ nestedRoots });
    await expect(other.importNodes(tree.root, lyingAbout(tree))).rejects.toMatchObject({
      code: "JELLYFISH_NODE_HASH",
    });
    await expectUntouched(other);
  });

  test("is refused in a patch", async () => {
    const tree = await treeOf({ history: 2 });
    const before = tree.root;
    await tree.set(key, value);
    const patch = await tree.patch(before, tree.root);
    const changes = patch.changes.map(({ path }) => ({ path, value, key: Uint8Array.of(9) }));
    const other = await treeOf();
    await expect(other.applyPatch({ ...patch, changes })).rejects.toMatchObject({
      code: "JELLYFISH_PATCH",
    });
    await expectUntouched(other);
    expect(await other.applyPatch(patch)).toMatchObject({ root: tree.root });
  });

  test("is refused in a chunk, and so is any key where keys are paths", async () => {
    const tree = await treeOf();
    await tree.set(key, value);
    const lying: RestoreChunk[] = [];
    for await (const chunk of tree.chunks()) {
      const entries = chunk.entries.map(({ path }) => ({ path, value, key: Uint8Array.of(9) }));
      lying.push({ ...chunk, entries });
    }
    for (const keys of ["hashed", "paths"] as const) {
      const other = await treeOf({ keys });
      await expect(other.restore(tree.root, () => lying)).rejects.toMatchObject({
        code: "JELLYFISH_CHUNK",
      });
      await expectUntouched(other);
    }
  });
});
