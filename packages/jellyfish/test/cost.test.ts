import { fromHex, toHex } from "@x/hash";
import { runSync } from "@x/store";
import { Random } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  childAndSiblings,
  compactNodes,
  getLeaf,
  getLeaves,
  type HashScheme,
  type InternalNode,
  jmtSha256,
  LeafWalk,
  NodeCache,
  rememberUpdate,
  roochNodes,
  type TreeContext,
  update,
} from "../src/index.ts";
import { applyTo, changesOf, contexts, type HexChange, NodeMap } from "./tree-subject.ts";

/** A scheme that counts what it hashes, and in how many calls. */
class CountingScheme implements HashScheme {
  readonly #inner = jmtSha256();
  readonly name = this.#inner.name;
  readonly placeholder: Uint8Array = this.#inner.placeholder;
  readonly domains = this.#inner.domains;
  leaves = 0;
  pairs = 0;
  pairCalls = 0;

  hashKey(key: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#inner.hashKey(key);
  }

  hashValue(value: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#inner.hashValue(value);
  }

  hashLeaves(pairs: Uint8Array, count: number, output: Uint8Array, offset?: number): void {
    this.leaves += count;
    this.#inner.hashLeaves(pairs, count, output, offset);
  }

  hashInners(pairs: Uint8Array, count: number, output: Uint8Array, offset?: number): void {
    this.pairs += count;
    this.pairCalls += Number(count > 0);
    this.#inner.hashInners(pairs, count, output, offset);
  }
}

const random = new Random(11);
const entries: HexChange[] = Array.from({ length: 3000 }, () => [toHex(random.bytes(32)), "01"]);
const others: HexChange[] = Array.from({ length: 100 }, () => [toHex(random.bytes(32)), "02"]);

function build(context: TreeContext): { map: NodeMap; root: Uint8Array } {
  const map = new NodeMap();
  const result = applyTo(map, context, context.scheme.placeholder, entries);
  rememberUpdate(context, result);
  map.reads = [];
  return { map, root: result.root };
}

/** Nodes from the root to a path's leaf or empty place. */
function depthOf(context: TreeContext, map: NodeMap, root: Uint8Array, path: string): number {
  const uncached = { ...context, cache: undefined };
  return map.countReads(() => runSync(getLeaf(uncached, root, fromHex(path)), map));
}

describe.each(contexts)("reads with $name", ({ context }) => {
  const { map, root } = build(context);
  const paths = changesOf(entries).map(({ path }) => path);

  it("a get reads one node per level", () => {
    map.reads = [];
    runSync(getLeaf(context, root, paths[5] as Uint8Array), map);
    expect(map.reads.length).toBeLessThanOrEqual(6);
    expect(map.reads.every((keys) => keys.length === 1)).toBe(true);
  });

  it("many gets and a batch are one read per level, each node once", () => {
    const depths = others.map(([path]) => depthOf(context, map, root, path));
    const hundred = changesOf(others);
    for (const action of [
      () =>
        runSync(
          getLeaves(
            context,
            root,
            hundred.map(({ path }) => path),
          ),
          map,
        ),
      () => runSync(update(context, root, hundred), map),
    ]) {
      expect(map.countReads(action)).toBe(Math.max(...depths));
      const names = map.reads.flat();
      expect(new Set(names).size).toBe(names.length);
    }
  });

  it("a batch of removals reads no more than its paths", () => {
    const removals = entries.slice(0, 50).map(([path]): HexChange => [path, null]);
    const depths = removals.map(([path]) => depthOf(context, map, root, path));
    map.reads = [];
    runSync(update(context, root, changesOf(removals)), map);
    expect(map.reads).toHaveLength(Math.max(...depths));
    expect(map.reads.flat().length).toBeLessThanOrEqual(depths.reduce((sum, one) => sum + one, 0));
  });

  it("a bulk load of an empty tree reads nothing, an empty batch the root", () => {
    const empty = context.scheme.placeholder;
    expect(map.countReads(() => runSync(update(context, empty, changesOf(entries)), map))).toBe(0);
    expect(map.countReads(() => runSync(update(context, root, []), map))).toBe(1);
  });

  it("a walk reads the children of a node at once, and with a limit no more than it gives", () => {
    map.reads = [];
    let count = 0;
    const walk = new LeafWalk(context, root);
    for (let page = runSync(walk.next(), map); page.length > 0; page = runSync(walk.next(), map))
      count += page.length;
    expect(count).toBe(entries.length);
    // One read for the root and one for the children of each internal node.
    expect(map.reads).toHaveLength(1 + map.entries.size - entries.length);

    map.reads = [];
    runSync(new LeafWalk(context, root, { limit: 1 }).next(), map);
    expect(map.reads.every((keys) => keys.length === 1)).toBe(true);
  });
});

describe("hashes", () => {
  it("of a put into a cached tree are one leaf and at most four pairs per level", () => {
    const scheme = new CountingScheme();
    const context: TreeContext = { scheme, format: compactNodes(), cache: new NodeCache() };
    let { map, root } = build(context);
    for (const [path] of entries.slice(0, 100)) {
      const depth = depthOf(context, map, root, path);
      scheme.pairs = 0;
      scheme.leaves = 0;
      const result = applyTo(map, context, root, [[path, "0203"]]);
      rememberUpdate(context, result);
      ({ root } = result);
      expect(scheme.leaves).toBe(1);
      expect(scheme.pairs).toBeLessThanOrEqual(4 * (depth - 1));
    }
  });

  it("of a whole batch take four packed calls per level", () => {
    const scheme = new CountingScheme();
    const context: TreeContext = { scheme, format: roochNodes };
    const { map, root } = build(context);
    scheme.pairCalls = 0;
    const depths = others.map(([path]) => depthOf(context, map, root, path));
    runSync(update(context, root, changesOf(others)), map);
    // New leaves may stand a level deeper than what was there.
    expect(scheme.pairCalls).toBeLessThanOrEqual(4 * (Math.max(...depths) + 1));
  });

  it("of proofs come from the cache too", () => {
    const scheme = new CountingScheme();
    const cache = new NodeCache();
    const context: TreeContext = { scheme, format: compactNodes(), cache };
    const { root } = build(context);
    const loaded = cache.get(root);
    scheme.pairs = 0;
    const node = loaded?.node as InternalNode;
    const cached = childAndSiblings(node, 7, scheme, loaded?.inner);
    expect(scheme.pairs).toBe(0);
    expect(childAndSiblings(node, 7, scheme)).toEqual(cached);
    expect(scheme.pairs).toBe(15);
  });
});
