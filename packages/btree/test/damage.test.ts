import { MemoryStore } from "@x/store-memory";
import { collectGarbage, Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { decodeCountPage, IDS_PER_PAGE } from "../src/count-page.ts";
import { type Fault, NodePool } from "../src/index.ts";
import { decodeNode } from "../src/node-codec.ts";
import { NodeKeys } from "../src/node-keys.ts";
import { forEachLink, isLink, type Node } from "../src/node.ts";
import { decodePoolRecord } from "../src/pool-record.ts";
import { collect, entriesFrom, put } from "./bytes.ts";

const KEYS = new NodeKeys(new Uint8Array());

/** Two trees of two levels that share nodes, some of their values outside: a handful of records of every kind. */
async function filled(): Promise<{ store: MemoryStore; roots: number[] }> {
  const store = new MemoryStore();
  const pool = await NodePool.open(store, { inlineByteCountMax: 4 });
  const first = await pool.load(entriesFrom(0, 70));
  const large = new Uint8Array(40).fill(5);
  const second = await pool.edit(first, [put(3, 1), { ...put(60), type: "put", value: large }]);
  await pool.write({ hold: [first, second] });
  return { store, roots: [first, second] };
}

/** Everything that a node says, but the bytes of its keys and values. */
function shapeOf(node: Node): unknown {
  if (node.kind === "value") return node.bytes.length;
  const sizes = node.keys.map((key) => key.length);
  if (node.kind === "inner") return [sizes, node.level, node.children, node.counts];
  return [sizes, node.values.map((value) => (isLink(value) ? value : value.length))];
}

/** What `verify` says of a pool in which one bit of one record is the other one. */
async function faultAfter(
  store: MemoryStore,
  roots: readonly number[],
  flip: { readonly key: Uint8Array; readonly value: Uint8Array },
): Promise<Fault | string | undefined> {
  const before = await store.get(flip.key);
  await store.batch([{ type: "put", ...flip }]);
  try {
    return (await (await NodePool.open(store)).verify({ roots })).firstBad;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await store.batch([{ type: "put", key: flip.key, value: before ?? new Uint8Array() }]);
  }
}

/**
 * The same bytes with one bit changed: of each byte the lowest, the highest and some other one.
 *
 * @yields fresh bytes
 */
function* flips(random: Random, value: Uint8Array): Generator<Uint8Array> {
  for (const index of value.keys())
    for (const bit of scaled(1) > 1 ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 7, random.between(1, 6)]) {
      const flipped = new Uint8Array(value);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
      yield flipped;
    }
}

/** Ids that a node mentions. */
function linksOf(node: Node): number[] {
  const links: number[] = [];
  forEachLink(node, (id) => links.push(id));
  return links;
}

/** Who notices that a node's record was changed, and what it says. */
function detector(
  id: number,
  [before, after]: readonly [Uint8Array, Uint8Array],
  fault: Fault | string | undefined,
): string {
  if (fault === undefined) {
    const isContent =
      JSON.stringify(shapeOf(decodeNode(before, 2))) ===
      JSON.stringify(shapeOf(decodeNode(after, 2)));
    return isContent ? "the store's checksum" : "nobody";
  }
  if (typeof fault === "string") return fault;
  if (fault.path.includes(id)) return "verify, with the node on the path";
  const links = [...linksOf(decodeNode(before, 2)), ...linksOf(decodeNode(after, 2))];
  return links.includes(fault.id) ? "verify, by what the node mentions" : "verify, elsewhere";
}

describe("a flipped bit", () => {
  test("in a node is found by verify, unless it is in the bytes of a key or a value, where the store must find it", async () => {
    const { store, roots } = await filled();
    const random = new Random(1);
    const detectors = new Map<string, number>();
    const range = { gte: KEYS.node(0), lt: KEYS.countPage(0) };
    for (const [key, value] of await collect(store.iterator(range)))
      for (const flipped of flips(random, value)) {
        const fault = await faultAfter(store, roots, { key, value: flipped });
        const found = detector(KEYS.numberOf(key) ?? 0, [value, flipped], fault);
        detectors.set(found, (detectors.get(found) ?? 0) + 1);
      }
    expect(new Set(detectors.keys())).toEqual(
      new Set([
        "the store's checksum",
        "verify, with the node on the path",
        "verify, by what the node mentions",
      ]),
    );
  });

  test("in a page of counts is found, and the page named", async () => {
    const { store, roots } = await filled();
    const pages = await collect(
      store.iterator({ gte: KEYS.countPage(0), lt: KEYS.name(new Uint8Array()) }),
    );
    expect(pages).not.toHaveLength(0);
    for (const [key, value] of pages)
      for (const flipped of flips(new Random(2), value)) {
        const { kind, id } = (await faultAfter(store, roots, { key, value: flipped })) as Fault;
        const page = kind === "count-page" ? id : Math.floor(id / IDS_PER_PAGE);
        expect(page).toBe(KEYS.numberOf(key));
      }
  });

  test("in the pool's record is found when it is opened or verified, unless it only leaves ids out", async () => {
    const { store, roots } = await filled();
    const value = (await store.get(KEYS.pool())) ?? new Uint8Array();
    const { nextId } = decodePoolRecord(value);
    for (const flipped of flips(new Random(3), value)) {
      const fault = await faultAfter(store, roots, { key: KEYS.pool(), value: flipped });
      const isFound = fault !== undefined || decodePoolRecord(flipped).nextId > nextId;
      expect(isFound).toBe(true);
    }
  });
});

const DECODERS: readonly ((bytes: Uint8Array) => unknown)[] = [
  (bytes) => decodeNode(bytes, 1),
  (bytes) => decodeNode(bytes, 2),
  (bytes) => decodeCountPage(0, bytes),
  decodePoolRecord,
];

/** Begins as a record that claims as much as it can, of whatever kind; few bytes follow. */
function hostile(random: Random): Uint8Array {
  const claims = [
    [0, 0xff, 0xff, 0xff, 0xff],
    [0, 32, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f],
    [1, 0xff, 0xff, 0xff, 0x7f],
    [2, 32, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [3, 63, 32],
    [1, 2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
  ];
  return Uint8Array.of(...random.pick(claims), ...random.bytes(random.below(100)));
}

/** Bytes that are reachable, buffers included. */
async function memoryInUse(): Promise<number> {
  let turns = 0;
  await collectGarbage(() => turns++ > 1);
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A value, or the code of the error. */
function outcomeOf(decode: (bytes: Uint8Array) => unknown, bytes: Uint8Array): unknown {
  try {
    return decode(bytes);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("hostile records", () => {
  test("leave no more in memory than sixteen times their bytes and 64 KiB each, whatever they claim to hold", async () => {
    const random = new Random(4);
    const before = await memoryInUse();
    const kept: unknown[] = [];
    let allowed = 0;
    for (let i = 0; i < 1000; i++) {
      const input = hostile(random);
      allowed += 16 * input.length + 64 * 1024;
      for (const decode of DECODERS) kept.push(outcomeOf(decode, input));
    }
    expect((await memoryInUse()) - before).toBeLessThan(allowed);
    expect(kept).toContain("BTREE_CORRUPT");
  });
});
