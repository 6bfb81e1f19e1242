import { MemoryStore } from "@x/store-memory";
import { FailingStore, hexOf, Random, scaled, seedOf } from "@x/testing";
import { describe, expect, test } from "vitest";

import {
  compactNodes,
  JellyfishTree,
  type JellyfishTreeOptions,
  type NodeSource,
  rooch,
  roochNodes,
} from "../../src/index.ts";

/** A value is one byte, and then the roots of trees it carries. */
function nestedRoots(value: Uint8Array): Uint8Array[] {
  return value.length > 32 ? [value.subarray(1, 33)] : [];
}

const options = {
  scheme: rooch(),
  format: roochNodes,
  keys: "paths",
} as const satisfies JellyfishTreeOptions;

function pathOf(random: Random): Uint8Array {
  const path = new Uint8Array(32);
  path.set(random.bytes(1));
  path[31] = random.below(4);
  return path;
}

async function sample(entryCount: number, isNested = false): Promise<JellyfishTree> {
  const random = new Random(seedOf("import", entryCount));
  const tree = await JellyfishTree.open(
    new MemoryStore(),
    isNested ? { ...options, nestedRoots } : options,
  );
  for (let at = 0; at < entryCount; at++) {
    const key = pathOf(random);
    if (!isNested || random.chance(0.5)) await tree.set(key, random.bytes(3));
    else {
      const inner = [pathOf(random), pathOf(random)].map(
        (path) => ({ type: "put", key: path, value: random.bytes(1) }) as const,
      );
      const draft = await tree.draft(tree.emptyRoot, inner);
      await tree.set(key, Uint8Array.of(1, ...draft.root), { drafts: [draft] });
    }
  }
  await tree.prune();
  return tree;
}

async function linesOf(tree: JellyfishTree): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of tree.dump()) lines.push(line);
  return lines;
}

async function nodesIn(tree: JellyfishTree): Promise<string[]> {
  const nodes: string[] = [];
  for await (const [key, value] of tree.store.iterator())
    if (key.length === 32) nodes.push(`${hexOf(key)}:0x${hexOf(value)}`);
  return nodes;
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
}

function sourceOf(lines: readonly string[]): NodeSource {
  const nodes = new Map(lines.slice(4).map((line) => [line.slice(0, 64), line.slice(67)]));
  return {
    getMany: async (hashes) =>
      hashes.map((hash) => {
        const hex = nodes.get(hexOf(hash));
        return hex === undefined ? undefined : bytesOf(hex);
      }),
  };
}

describe("a state dump", () => {
  test.each([0, 1, 2, 40])(
    "holds every node once, ascending, and comes back (%s entries)",
    async (entryCount) => {
      for (const isNested of [false, true]) {
        const tree = await sample(entryCount, isNested);
        const lines = await linesOf(tree);
        expect(lines.slice(4)).toEqual(await nodesIn(tree));
        expect(lines[0]).toBe(`# root=0x${hexOf(tree.root)}`);
        expect(lines[2]).toBe(`# nodes_total=${lines.length - 4}`);
        const other = await JellyfishTree.open(new MemoryStore(), {
          ...options,
          format: compactNodes({ counts: true }),
          ...(isNested ? { nestedRoots } : {}),
        });
        await other.importDump(lines, { chunkCountMax: 7 });
        expect(other.root).toEqual(tree.root);
        expect(await linesOf(other)).toEqual(lines);
        expect(await other.verify()).toMatchObject({ ok: true });
        expect(tree.pinCount).toBe(0);
      }
    },
  );

  test("is refused when a line of it is not as it was, and nothing is imported", async () => {
    const lines = await linesOf(await sample(12));
    const [first = "", second = ""] = lines.slice(4);
    const hostile = [
      [],
      lines.slice(1),
      lines.slice(0, -1),
      lines.filter((line) => line !== first),
      [...lines, first],
      [...lines.slice(0, 4), second, first, ...lines.slice(6)],
      [...lines.slice(0, 4), first.toUpperCase(), ...lines.slice(5)],
      [...lines.slice(0, 4), `${first}0`, ...lines.slice(5)],
      [...lines.slice(0, 4), "", ...lines.slice(4)],
      [lines[0] ?? "", ...lines],
      ["# nodes_total=3", ...lines.filter((line) => !line.startsWith("# nodes_total"))],
      [...lines.filter((line) => !line.startsWith("# nodes_total")), `${"f".repeat(64)}:0x00`],
    ];
    for (const [index, list] of hostile.entries()) {
      const store = new FailingStore();
      const tree = await JellyfishTree.open(store, options);
      const digest = store.digest();
      await expect(tree.importDump(list), `hostile ${index}`).rejects.toMatchObject({
        code: expect.stringMatching(/^JELLYFISH_(?:DUMP|MISSING_NODE)$/),
      });
      expect(store.digest()).toBe(digest);
    }
  });
});

describe("importing nodes", () => {
  test("refuses every node of which one bit is another", async () => {
    const tree = await sample(12);
    const lines = await linesOf(tree);
    const random = new Random(seedOf("bits"));
    for (let round = 0; round < scaled(300); round++) {
      const at = 4 + random.below(lines.length - 4);
      const line = lines[at] ?? "";
      const digit = 67 + random.below(line.length - 67);
      const changed = (Number.parseInt(line[digit] ?? "", 16) ^ (1 << random.below(4))).toString(
        16,
      );
      const hostile = lines.with(at, line.slice(0, digit) + changed + line.slice(digit + 1));
      const store = new FailingStore();
      const other = await JellyfishTree.open(store, options);
      const digest = store.digest();
      await expect(
        other.importNodes(tree.root, sourceOf(hostile)),
        `round ${round}`,
      ).rejects.toMatchObject({
        code: expect.stringMatching(
          /^JELLYFISH_(?:NODE_HASH|NODE_FORMAT|NODE_MISPLACED|MISSING_NODE)$/,
        ),
      });
      expect(store.digest()).toBe(digest);
    }
  });

  test("says which source is wrong: the file, or the nodes", async () => {
    const tree = await sample(6);
    const lines = await linesOf(tree);
    const leafAt = lines.findIndex((line) => line.slice(67, 69) === "02");
    const line = lines[leafAt] ?? "";
    const digit = line.at(-1) === "0" ? "1" : "0";
    const other = await JellyfishTree.open(new MemoryStore(), options);
    const changed = lines.with(leafAt, `${line.slice(0, -1)}${digit}`);
    await expect(other.importDump(changed)).rejects.toMatchObject({ code: "JELLYFISH_NODE_HASH" });
    const { length } = line;
    await expect(
      other.importDump(lines.with(leafAt, line.slice(0, length - 1))),
    ).rejects.toMatchObject({
      code: "JELLYFISH_DUMP",
    });
    await expect(
      other.importDump([...lines.slice(0, 2), ...lines.slice(3), `${"f".repeat(64)}:0x00`]),
    ).rejects.toMatchObject({
      code: "JELLYFISH_DUMP",
    });
  });

  test("leaves nothing behind when it ends early, once something else is written", async () => {
    const tree = await sample(30);
    const store = new FailingStore();
    const other = await JellyfishTree.open(store, options);
    const controller = new AbortController();
    const importing = other.importNodes(tree.root, sourceOf(await linesOf(tree)), {
      chunkCountMax: 5,
      signal: controller.signal,
      onProgress: ({ leafCount }) => {
        if (leafCount >= 10) controller.abort(new Error("enough"));
      },
    });
    await expect(importing).rejects.toThrow("enough");
    expect(other.root).toEqual(other.emptyRoot);
    expect(await other.verify()).toMatchObject({ ok: true });
    await other.set(new Uint8Array(32), Uint8Array.of(1));
    await other.prune();
    expect((await nodesIn(other)).length).toBe(1);
  });

  test("of the empty tree makes an empty tree", async () => {
    const tree = await sample(3);
    await tree.importNodes(tree.emptyRoot, {
      getMany: async (hashes) => hashes.map(() => undefined),
    });
    expect(tree.root).toEqual(tree.emptyRoot);
    expect(tree.size).toBe(0);
  });
});
