import { concatBytes, fromHex, toHex } from "@x/hash";
import { type Reading, runSync } from "@x/store";
import { type Random, Random as Seeded, scaled } from "@x/testing";
import { describe, expect, it } from "vitest";
import {
  compactNodes,
  type InternalNode,
  NodeCache,
  rooch,
  type TreeContext,
  update,
} from "../../src/index.ts";
import { getWithProof, proveExclusion, proveInclusion } from "../../src/proof/path.ts";
import { proveBatch, proveUpdate } from "../../src/proof/partial.ts";
import {
  proveExclusionByNeighbours,
  proveRange,
  proveRightSiblings,
} from "../../src/proof/range.ts";
import {
  updatedRoot,
  verifyBatch,
  verifyExclusion,
  verifyExclusionByNeighbours,
  verifyInclusion,
  verifyRange,
  verifyUpdate,
} from "../../src/verify/index.ts";
import { vectors } from "../vectors.ts";
import { flipped } from "../verify/edits.ts";
import { codeOf, NaiveTree } from "../verify/naive-tree.ts";
import { PATHS, type Setting, SETTINGS, smallTrees } from "../verify/small-trees.ts";

const ONE = Uint8Array.of(1);

/** A tree kept by the real update over a map of nodes, beside its naive twin. */
class Twin {
  readonly context: TreeContext;
  readonly nodes = new Map<string, Uint8Array>();
  naive: NaiveTree;
  root: Uint8Array;
  readCount = 0;

  constructor({ scheme }: Setting, cache?: NodeCache) {
    this.context = { scheme, format: compactNodes(), cache };
    this.naive = new NaiveTree(scheme, []);
    this.root = scheme.placeholder;
  }

  run<T>(reading: Reading<T>): T {
    return runSync(reading, {
      viewManySync: (keys) => {
        this.readCount++;
        return keys.map((key) => this.nodes.get(toHex(key)));
      },
    });
  }

  apply(changes: readonly { path: Uint8Array; value: Uint8Array | undefined }[]): void {
    const { root, nodes } = this.run(update(this.context, this.root, changes));
    for (const [hash, bytes] of nodes) this.nodes.set(toHex(hash), bytes);
    this.root = root;
    this.naive = this.naive.with(changes);
  }
}

describe("the original's range proofs", () => {
  interface TreeVector {
    readonly name: string;
    readonly entries: readonly (readonly [string, string])[];
    readonly rangeProofs: readonly {
      readonly rightmost: string;
      readonly rightSiblings: readonly string[];
    }[];
  }
  const { cases } = vectors("trees") as { readonly cases: readonly TreeVector[] };

  it.each(cases)("are made as there: $name", ({ entries, rangeProofs }) => {
    const twin = new Twin({ scheme: rooch(), form: "revealed" });
    twin.apply(entries.map(([key, raw]) => ({ path: fromHex(key), value: fromHex(raw) })));
    for (const { rightmost, rightSiblings } of rangeProofs) {
      const siblings = twin.run(proveRightSiblings(twin.context, twin.root, fromHex(rightmost)));
      expect(siblings.map(toHex)).toEqual(rightSiblings);
    }
    const absent = fromHex("5a".repeat(32));
    expect(codeOf(() => twin.run(proveRightSiblings(twin.context, twin.root, absent)))).toBe(
      "JELLYFISH_KEY_ABSENT",
    );
  });
});

describe.each(SETTINGS)("provers under $scheme.name", (setting: Setting) => {
  const { scheme, form } = setting;

  it("give on every small tree what the definition gives, and it verifies", () => {
    for (const naive of smallTrees(scheme)) {
      const twin = new Twin(setting);
      twin.apply(naive.entries);
      const root = twin.root;
      for (const path of PATHS) {
        const { value, proof } = twin.run(getWithProof(twin.context, root, path));
        expect(value).toEqual(naive.get(path));
        const expected = naive.pathProof(path, value === undefined ? form : "hashed");
        expect(proof).toEqual(expected);
      }
      for (const from of [undefined, ...PATHS.filter((_, i) => i % 3 === 0)]) {
        for (const to of [undefined, ...PATHS.filter((_, i) => i % 3 === 2)]) {
          if (from !== undefined && to !== undefined && toHex(to) < toHex(from)) continue;
          const { entries, proof } = twin.run(proveRange(twin.context, root, { from, to }));
          expect({ entries, proof }).toEqual(naive.range(from, to, form));
        }
      }
      const paths = PATHS.filter((_, i) => i % 2 === 0);
      expect(twin.run(proveBatch(twin.context, root, paths))).toEqual(
        naive.batchProof(paths, form),
      );
    }
  });

  it("prove every step of random histories: reads, ranges, batches, updates (seed 404)", () => {
    const random = new Seeded(404);
    for (let history = 0; history < scaled(12); history++) {
      const twin = new Twin(setting, history % 2 === 0 ? new NodeCache() : undefined);
      for (let step = 0; step < 12; step++) {
        const changes = randomChanges(random, twin.naive);
        const before = twin.root;
        const proof = twin.run(proveUpdate(twin.context, before, changes));
        expect(proof).toEqual(twin.naive.updateProof(changes, form));
        twin.apply(changes);
        expect(toHex(twin.root)).toBe(toHex(twin.naive.root));
        verifyUpdate({ scheme, root: before, newRoot: twin.root, changes, proof });
        checkReads(twin, random);
      }
    }
  });

  it("prove absence for every neighbour in 8 bits after random removals", () => {
    const random = new Seeded(17);
    const twin = new Twin(setting);
    const entries = Array.from({ length: 60 }, () => ({
      path: random.bytes(32),
      value: random.bytes(3),
    }));
    twin.apply(entries);
    twin.apply(
      entries.filter((_, i) => i % 3 !== 0).map(({ path }) => ({ path, value: undefined })),
    );
    for (const { path } of entries.slice(0, 20)) {
      for (let bit = 0; bit < 8; bit++) {
        const near = flipped(path, 0, 128 >>> bit);
        const { value, proof } = twin.run(getWithProof(twin.context, twin.root, near));
        expect(value).toBeUndefined();
        const claim = { scheme, root: twin.root, path: near };
        expect(verifyExclusion({ ...claim, proof }).kind).toBe("absent");
        const beside = twin.run(proveExclusionByNeighbours(twin.context, twin.root, near));
        expect(verifyExclusionByNeighbours({ ...claim, proof: beside }).kind).toBe("absent");
      }
    }
  });

  it("cut a range at its limit, and the rest follows from there", () => {
    const random = new Seeded(23);
    const twin = new Twin(setting);
    twin.apply(
      Array.from({ length: 100 }, () => ({ path: random.bytes(32), value: random.bytes(4) })),
    );
    const all: Uint8Array[] = [];
    let from: Uint8Array | undefined;
    for (;;) {
      const query = { from, limit: 7 };
      const { entries, to, proof } = twin.run(proveRange(twin.context, twin.root, query));
      const claim = { scheme, root: twin.root, from, to, entries, proof };
      const { isFirst, isLast } = verifyRange(claim);
      expect(isFirst).toBe(from === undefined);
      // The bound of a chunk belongs to the next one too.
      all.push(...entries.slice(from === undefined ? 0 : 1).map(({ path }) => path));
      if (isLast) break;
      from = to;
    }
    expect(all).toEqual(twin.naive.entries.map(({ path }) => path));
  });

  it("refuse to prove what is not so", () => {
    const twin = new Twin(setting);
    const [present, absent] = PATHS as [Uint8Array, Uint8Array];
    twin.apply([{ path: present, value: Uint8Array.of(1) }]);
    const { context, root } = twin;
    const code = (reading: Reading<unknown>): string | undefined => codeOf(() => twin.run(reading));
    expect(code(proveInclusion(context, root, absent))).toBe("JELLYFISH_KEY_ABSENT");
    expect(code(proveExclusion(context, root, present))).toBe("JELLYFISH_KEY_PRESENT");
    expect(code(proveExclusionByNeighbours(context, root, present))).toBe("JELLYFISH_KEY_PRESENT");
    expect(code(proveInclusion(context, root, present))).toBeUndefined();
    expect(code(proveExclusion(context, root, absent))).toBeUndefined();
    const unknown = new Uint8Array(32);
    expect(code(proveRange(context, unknown))).toBe("JELLYFISH_MISSING_NODE");
    expect(() => twin.run(proveRange(context, root, { from: absent, to: present }))).toThrow(
      RangeError,
    );
    expect(() => twin.run(proveRange(context, root, { limit: 0 }))).toThrow(RangeError);
  });

  it("end in a damaged store too: a node that leads to itself twice is misplaced", () => {
    const twin = new Twin(setting);
    const entries = [0x00, 0x01, 0x10, 0x11].map((byte) => ({
      path: new Uint8Array(32).fill(byte),
      value: ONE,
    }));
    twin.apply(entries);
    const { context, root } = twin;
    const node = context.format.decode(twin.nodes.get(toHex(root)) as Uint8Array) as InternalNode;
    const hashes = concatBytes([root, root]);
    expect(node.hashes).toHaveLength(hashes.length);
    twin.nodes.set(toHex(root), context.format.encode({ ...node, hashes }));
    const { path } = entries[0] as { path: Uint8Array };
    for (const reading of [
      proveRange(context, root),
      getWithProof(context, root, path),
      proveBatch(context, root, [path]),
    ])
      expect(codeOf(() => twin.run<unknown>(reading))).toBe("JELLYFISH_NODE_MISPLACED");
  });

  it("read once per level of nodes, however many paths are asked", () => {
    const random = new Seeded(5);
    const twin = new Twin(setting);
    const entries = Array.from({ length: 500 }, () => ({
      path: random.bytes(32),
      value: random.bytes(4),
    }));
    twin.apply(entries);
    const paths = entries.slice(0, 100).map(({ path }) => path);
    twin.readCount = 0;
    twin.run(proveBatch(twin.context, twin.root, paths));
    const levels = twin.readCount;
    twin.readCount = 0;
    for (const path of paths) twin.run(getWithProof(twin.context, twin.root, path));
    expect(levels).toBeLessThanOrEqual(6);
    expect(twin.readCount).toBeGreaterThan(levels * 40);
  });

  let hashed = 0;
  const counting = {
    ...scheme,
    hashInners: (...[pairs, count, ...output]: Parameters<typeof scheme.hashInners>) => {
      hashed += count;
      scheme.hashInners(pairs, count, ...output);
    },
  };

  it("hash along both ends of a range, and nothing in it", () => {
    const random = new Seeded(8);
    const twin = new Twin({ scheme: counting, form });
    twin.apply(Array.from({ length: 1000 }, () => ({ path: random.bytes(32), value: ONE })));
    hashed = 0;
    const { entries } = twin.run(proveRange(twin.context, twin.root));
    expect(entries).toHaveLength(1000);
    // Two paths of at most five internal nodes.
    expect(hashed).toBeLessThanOrEqual(2 * 5 * 15);
  });

  it("read and hash nothing again that a cache has", () => {
    const random = new Seeded(6);
    const writer = new Twin(setting);
    const entries = Array.from({ length: 200 }, () => ({ path: random.bytes(32), value: ONE }));
    writer.apply(entries);
    const reader = new Twin({ scheme: counting, form }, new NodeCache());
    for (const [hash, bytes] of writer.nodes) reader.nodes.set(hash, bytes);
    const { path } = entries[0] as { path: Uint8Array };
    hashed = 0;
    const first = reader.run(getWithProof(reader.context, writer.root, path));
    expect(hashed).toBeGreaterThan(0);
    expect(reader.readCount).toBeGreaterThan(0);
    [hashed, reader.readCount] = [0, 0];
    expect(reader.run(getWithProof(reader.context, writer.root, path))).toEqual(first);
    expect([hashed, reader.readCount]).toEqual([0, 0]);
  });

  it("are refused under another root, older or newer", () => {
    const twin = new Twin(setting);
    const [path, other] = PATHS as [Uint8Array, Uint8Array];
    const value = Uint8Array.of(1);
    twin.apply([{ path, value }]);
    const older = twin.root;
    twin.apply([{ path: other, value }]);
    const proof = twin.run(proveInclusion(twin.context, twin.root, path));
    const code = codeOf(() => verifyInclusion({ scheme, root: older, path, value, proof }));
    expect(code).toBe("JELLYFISH_PROOF_ROOT");
  });
});

/** Every kind of read of the present root, verified. */
function checkReads(twin: Twin, random: Random): void {
  const { context, root, naive } = twin;
  const { scheme } = naive;
  const paths = [...naive.entries.map(({ path }) => path), ...randomPaths(random, 6)];
  for (const path of paths) {
    const { value, proof } = twin.run(getWithProof(context, root, path));
    const claim = { scheme, root, path, proof };
    expect(value).toEqual(naive.get(path));
    if (value === undefined) verifyExclusion(claim);
    else verifyInclusion({ ...claim, value });
  }
  const batch = twin.run(proveBatch(context, root, paths));
  const results = verifyBatch({ scheme, root, paths, proof: batch });
  expect(results.map((each) => (each.kind === "present" ? each.value : undefined))).toEqual(
    paths.map((path) => naive.get(path)),
  );
  const [a, b] = randomPaths(random, 2).toSorted((x, y) => (toHex(x) < toHex(y) ? -1 : 1));
  const range = twin.run(proveRange(context, root, { from: a, to: b }));
  verifyRange({ scheme, root, ...range });
  expect(updatedRoot({ scheme, root, changes: [], proof: hiddenRoot(naive) })).toEqual(root);
}

function hiddenRoot(naive: NaiveTree): Parameters<typeof updatedRoot>[0]["proof"] {
  return naive.top.kind === "empty" ? { kind: "empty" } : { kind: "hash", hash: naive.root };
}

/** Paths that collide: few first bytes, and now and then one that differs in a late bit. */
function randomPaths(random: Random, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => {
    const path = new Uint8Array(32).fill(7);
    path[0] = random.pick([0, 1, 128, 255]);
    path[1] = random.below(4);
    path[random.below(32)] = random.below(3);
    return path;
  });
}

function randomChanges(
  random: Random,
  naive: NaiveTree,
): { path: Uint8Array; value: Uint8Array | undefined }[] {
  const changes = new Map<string, { path: Uint8Array; value: Uint8Array | undefined }>();
  for (const path of randomPaths(random, random.below(8))) {
    const value = random.chance(0.7) ? random.bytes(random.below(20)) : undefined;
    changes.set(toHex(path), { path, value });
  }
  for (const { path } of naive.entries) {
    if (random.chance(0.3)) changes.set(toHex(path), { path, value: undefined });
  }
  return [...changes.values()];
}
