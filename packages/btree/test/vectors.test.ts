import { keccak256, toHex } from "@x/hash";
import { MemoryStore } from "@x/store-memory";
import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";

import { type Change, NodePool } from "../src/index.ts";
import { decodeNode, encodeNode } from "../src/node-codec.ts";
import { NodeKeys } from "../src/node-keys.ts";
import { type TreeNode } from "../src/node.ts";

interface Keys {
  readonly from: number;
  readonly count: number;
  readonly step: number;
}

interface Step {
  readonly do: "insert" | "remove" | "bulk";
  readonly keys: readonly number[] | Keys;
  readonly rootId: number;
  readonly levels: readonly (readonly [number, number])[][];
  readonly nodes: number;
  readonly storedNodes: number;
  readonly digest: string;
  readonly rootBytes?: string;
}

const vectors = JSON.parse(
  readFileSync(new URL("vectors/btree.json", import.meta.url), "utf8"),
) as { readonly programs: readonly { readonly name: string; readonly steps: readonly Step[] }[] };

describe("node ids, bytes and shapes are those of the original", () => {
  test.each(vectors.programs)("$name", async ({ steps }) => {
    const store = new MemoryStore();
    const pool = await NodePool.open(store, { format: 1, compatible: true });
    let root = 0;
    for (const step of steps) {
      root = await take(pool, root, step);
      const reached = await reachable(store, root);
      const levels = reached.map((level) => runs(level.map(({ node }) => node.keys.length)));
      expect({ root, levels }).toEqual({ root: step.rootId, levels: step.levels });
      expect(await nodeCount(store)).toBe(step.storedNodes);
      expect(digest(reached)).toBe(step.digest);
      expect(rootBytes(reached, step)).toBe(step.rootBytes);
    }
  });
});

/** Every change alone, as the original makes it; the new root takes the place of the old one in the store. */
async function take(pool: NodePool, from: number, step: Step): Promise<number> {
  const keys = expand(step.keys);
  if (step.do === "bulk") return replace(pool, from, await pool.load(keys.map(entry)));
  let root = from;
  for (const key of keys) {
    const change: Change =
      step.do === "insert"
        ? { type: "put", key: keyOf(key), value: valueOf(key) }
        : { type: "del", key: keyOf(key) };
    root = await replace(pool, root, await pool.edit(root, [change]));
  }
  return root;
}

async function replace(pool: NodePool, from: number, to: number): Promise<number> {
  await pool.write({ hold: [to], drop: [from] });
  pool.unpin(to);
  return to;
}

interface Reached {
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly node: TreeNode;
}

async function reachable(store: MemoryStore, root: number): Promise<Reached[][]> {
  const keys = new NodeKeys(new Uint8Array());
  const levels: Reached[][] = [];
  let ids = root === 0 ? [] : [root];
  while (ids.length > 0) {
    const values = await store.getMany(ids.map((id) => keys.node(id)));
    const level = ids.map((id, i) => reachedNode(id, values[i] as Uint8Array));
    levels.push(level);
    ids = level.flatMap(({ node }) => (node.kind === "inner" ? node.children : []));
  }
  return levels;
}

function reachedNode(id: number, bytes: Uint8Array): Reached {
  return { id, bytes, node: decodeNode(bytes, 1) as TreeNode };
}

async function nodeCount(store: MemoryStore): Promise<number> {
  let count = 0;
  for await (const [key] of store.iterator({ gte: Uint8Array.of(1), lt: Uint8Array.of(2) })) {
    expect(key).toHaveLength(9);
    count++;
  }
  return count;
}

function digest(levels: readonly (readonly Reached[])[]): string {
  const parts: Uint8Array[] = [];
  for (const { id, bytes } of levels.flat()) {
    const head = new DataView(new ArrayBuffer(12));
    head.setBigUint64(0, BigInt(id), true);
    head.setUint32(8, bytes.length, true);
    parts.push(new Uint8Array(head.buffer), bytes);
  }
  return toHex(keccak256().hash(Uint8Array.from(parts.flatMap((part) => Array.from(part)))));
}

/** The root encoded anew, where the vectors have it. */
function rootBytes(levels: readonly (readonly Reached[])[], step: Step): string | undefined {
  const [top] = levels.flat();
  return step.rootBytes === undefined || top === undefined
    ? step.rootBytes
    : toHex(encodeNode(top.node, 1));
}

function runs(counts: readonly number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (const count of counts) {
    const last = pairs.at(-1);
    if (last?.[0] === count) last[1]++;
    else pairs.push([count, 1]);
  }
  return pairs;
}

function expand(keys: readonly number[] | Keys): readonly number[] {
  if (!("from" in keys)) return keys;
  return Array.from({ length: keys.count }, (_, i) => keys.from + i * keys.step);
}

function entry(number: number): [Uint8Array, Uint8Array] {
  return [keyOf(number), valueOf(number)];
}

function keyOf(number: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, number);
  return key;
}

function valueOf(number: number): Uint8Array {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, (number ^ 0x5a5a5a5a) >>> 0, true);
  return value;
}
