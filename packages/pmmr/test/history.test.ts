import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bytesCodec,
  isValidSize,
  leafPosition,
  MemoryBackend,
  Pmmr,
  ReadonlyPmmr,
} from "../src/index.ts";
import { hexOf, RangeModel } from "./range-model.ts";
import { CAMPAIGN_TIMEOUT, codeOf, SCALE } from "./support.ts";

/** Histories per kind of range; `TEST_SCALE` multiplies it. */
const RUNS = 1000 * SCALE;

/** A step. Numbers that choose something are taken modulo what there is to choose from. */
type Step =
  | { readonly kind: "push"; readonly count: number }
  | { readonly kind: "pushMany"; readonly count: number }
  | { readonly kind: "prune"; readonly from: number; readonly count: number }
  | { readonly kind: "rewind"; readonly size: number; readonly restore: number }
  | { readonly kind: "pushPruned"; readonly height: number; readonly times: number }
  | { readonly kind: "compact"; readonly horizon: number; readonly keep: number }
  | { readonly kind: "commit" }
  | { readonly kind: "discard" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("pushMany" as const), count: fc.nat(20) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("prune" as const),
      from: fc.nat(1000),
      count: fc.nat(12),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("rewind" as const),
      size: fc.nat(1000),
      restore: fc.nat(7),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("pushPruned" as const),
      height: fc.nat(3),
      times: fc.nat(4),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("compact" as const),
      horizon: fc.nat(1000),
      keep: fc.nat(7),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("commit" as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("discard" as const) }) },
);

interface Kind {
  readonly prunable: boolean;
  readonly hashOnly: boolean;
}

/** How often something really happened, so that a history cannot pass by doing nothing. */
type Tally = Map<string, number>;

/** Range and model side by side. */
class Pair {
  readonly model = new RangeModel();
  readonly backend: MemoryBackend<Uint8Array, Uint8Array>;
  readonly pmmr: Pmmr<Uint8Array, Uint8Array>;
  readonly kind: Kind;
  readonly #tally: Tally;
  #elements = 0;

  constructor(kind: Kind, tally: Tally) {
    this.kind = kind;
    this.#tally = tally;
    this.backend = new MemoryBackend({ codec: bytesCodec(), ...kind });
    this.pmmr = new Pmmr(this.backend);
  }

  #count(what: string): void {
    this.#tally.set(what, (this.#tally.get(what) ?? 0) + 1);
  }

  /** Elements of different lengths, no two alike. */
  #element(): Uint8Array {
    const number = this.#elements++;
    const bytes = new Uint8Array(1 + (number % 3)).fill(number >> 8);
    bytes[0] = number;
    return bytes;
  }

  apply(action: Step): void {
    switch (action.kind) {
      case "push":
        for (let i = 0; i < action.count; i++) this.#push();
        break;
      case "pushMany":
        this.#pushMany(action.count);
        break;
      case "prune":
        for (let i = 0; i < action.count; i++) this.#prune(action.from + i);
        break;
      case "rewind":
        this.#rewind(action.size % (this.model.size + 1), action.restore);
        break;
      case "pushPruned":
        for (let i = 0; i < action.times; i++) this.#pushPruned(action.height);
        break;
      case "compact":
        this.#compact(action.horizon % (this.model.size + 1), action.keep);
        break;
      case "commit":
        this.model.commit();
        this.backend.commit();
        break;
      case "discard":
        this.model.discard();
        this.backend.discard();
        break;
    }
  }

  #push(): void {
    const element = this.#element();
    assert.equal(this.pmmr.push(element), this.model.size);
    this.model.push(element);
  }

  #pushMany(count: number): void {
    const elements = Array.from({ length: count }, () => this.#element());
    const begin = this.model.leaves.length;
    assert.deepEqual(this.pmmr.pushMany(elements), { begin, end: begin + count });
    for (const element of elements) this.model.push(element);
  }

  #prune(choice: number): void {
    if (this.model.leaves.length === 0) return;
    const index = choice % this.model.leaves.length;
    const pos0 = leafPosition(index);
    if (!this.kind.prunable) {
      assert.equal(
        codeOf(() => this.pmmr.prune(pos0)),
        "PMMR_NOT_PRUNABLE",
      );
      return;
    }
    this.#count(this.model.spent.has(index) ? "spent again" : "spent");
    assert.equal(this.pmmr.prune(pos0), !this.model.spent.has(index));
    this.model.spent.add(index);
  }

  #rewind(size: number, restore: number): void {
    const target = this.#roundUp(size);
    const restored = this.#chosen(restore, 7).filter((index) => this.model.spent.has(index));
    const positions = restored.map((index) => leafPosition(index));
    const kept = positions.filter((pos0) => pos0 < target.size);
    const refused =
      this.model.cutsPruned(target.leafTotal) ||
      kept.some((pos0) => this.model.pruned.has(this.model.node(pos0).first));
    assert.equal(
      codeOf(() => this.pmmr.rewind(size, positions)),
      refused ? "PMMR_COMPACTED" : "none",
    );
    this.#count(refused ? "rewind refused" : "rewound");
    if (refused) return;
    if (this.model.nodes.some((_, pos0) => target.size <= pos0 && this.model.isPruned(pos0))) {
      this.#count("rewound past pruned subtrees");
    }
    if (kept.length > 0) this.#count("rewound with leaves brought back");
    this.model.rewind(
      target.leafTotal,
      restored.filter((index) => index < target.leafTotal),
    );
  }

  #pushPruned(height: number): void {
    const { model } = this;
    const begin = model.leaves.length;
    const position = leafPosition(begin + 2 ** height - 1) + height;
    if (!this.kind.prunable) {
      assert.equal(
        codeOf(() => this.pmmr.pushPrunedSubtree(new Uint8Array(32), position)),
        "PMMR_NOT_PRUNABLE",
      );
      return;
    }
    // Only a subtree that begins at the end can be pushed; a lone leaf only next to a pruned one.
    const fits = begin % 2 ** height === 0;
    if (!fits || (height === 0 && (begin % 2 === 0 || !model.pruned.has(begin - 1)))) {
      assert.throws(() => this.pmmr.pushPrunedSubtree(new Uint8Array(32), position), RangeError);
      return;
    }
    this.#count("pruned subtree pushed");
    const left = Array.from({ length: 2 ** height }, (_, i) => begin - 1 - i);
    if ((begin >> height) % 2 === 1 && left.every((index) => model.pruned.has(index))) {
      this.#count("rolled up");
    }
    for (let i = 0; i < 2 ** height; i++) {
      model.push(this.#element());
      model.spent.add(begin + i);
      model.pruned.add(begin + i);
    }
    this.pmmr.pushPrunedSubtree(model.hash(position), position);
  }

  #compact(horizon: number, keep: number): void {
    const restorable = this.#chosen(keep, 5);
    const run = (): void =>
      this.backend.compact({ horizon, restorable: restorable.map((index) => leafPosition(index)) });
    assert.equal(codeOf(run), this.kind.prunable ? "none" : "PMMR_NOT_PRUNABLE");
    if (!this.kind.prunable) return;
    const before = this.model.pruned.size;
    this.model.compact(horizon, new Set(restorable));
    if (before < this.model.pruned.size) this.#count("compacted");
  }

  /** Every `stride`-th leaf index, from `choice` on; none where leaves cannot be spent. */
  #chosen(choice: number, stride: number): number[] {
    if (!this.kind.prunable) return [];
    return [...this.model.leaves.keys()].filter((index) => index % stride === choice % stride);
  }

  #roundUp(size: number): { readonly size: number; readonly leafTotal: number } {
    let valid = size;
    while (!isValidSize(valid)) valid++;
    const leafTotal = this.model.nodes.slice(0, valid).filter((node) => node.height === 0).length;
    return { size: valid, leafTotal };
  }

  /** What can be compared at little cost. */
  checkCounts(): void {
    const { model, pmmr } = this;
    assert.equal(pmmr.size, model.size);
    assert.equal(pmmr.leafCount, model.leaves.length);
    assert.equal(pmmr.unspentCount(), model.unspent().length);
    assert.equal(hexOf(pmmr.root()), hexOf(model.root()));
  }

  /** Everything a view tells of every node, and one position beyond. */
  checkNodes(): void {
    const { model, pmmr } = this;
    assert.deepEqual(
      pmmr.peaks().map(hexOf),
      model.peaks().map((peak) => hexOf(model.hash(peak))),
    );
    assert.deepEqual([...pmmr.unspentIndexes()], model.unspent());
    const seen = [];
    const wanted = [];
    for (let pos0 = 0; pos0 < model.size; pos0++) {
      seen.push(seenAt(pmmr, pos0));
      wanted.push(wantedAt(model, pos0, this.kind));
    }
    assert.deepEqual(seen, wanted);
    assert.deepEqual(seenAt(pmmr, model.size), {
      hash: undefined,
      hashAt: undefined,
      record: undefined,
      element: undefined,
      unspent: false,
      compacted: false,
    });
  }
}

type NodeFacts = Record<string, string | boolean | undefined>;

function seenAt(view: ReadonlyPmmr<Uint8Array> | Pmmr<Uint8Array>, pos0: number): NodeFacts {
  return {
    hash: hexOf(view.hash(pos0)),
    hashAt: hexOf(view.hashAt(pos0)),
    record: hexOf(view.recordAt(pos0)),
    element: hexOf(view.element(pos0)),
    unspent: view.isUnspent(pos0),
    compacted: view.isCompacted(pos0),
  };
}

function wantedAt(model: RangeModel, pos0: number, kind: Kind): NodeFacts {
  const { height, first } = model.node(pos0);
  const stored = model.isStored(pos0);
  const hashAt = stored ? hexOf(model.hash(pos0)) : undefined;
  const unspent = model.isUnspent(pos0);
  const hasRecord = height === 0 && stored && !kind.hashOnly;
  const record = hasRecord ? hexOf(model.leaves[first]?.element) : undefined;
  return {
    hash: height === 0 && !unspent ? undefined : hashAt,
    hashAt,
    record,
    element: unspent ? record : undefined,
    unspent,
    compacted: model.isPruned(pos0),
  };
}

/** What histories of a kind are about. */
function happenings(kind: Kind): string[] {
  if (!kind.prunable) return ["rewound"];
  return [
    "spent",
    "spent again",
    "rewound",
    "rewind refused",
    "rewound past pruned subtrees",
    "rewound with leaves brought back",
    "pruned subtree pushed",
    "rolled up",
    "compacted",
  ];
}

describe("after any history a range reads as a list of leaves and a set would", () => {
  const kinds: readonly (readonly [string, Kind])[] = [
    ["prunable", { prunable: true, hashOnly: false }],
    ["not prunable", { prunable: false, hashOnly: false }],
    ["prunable, hashes alone", { prunable: true, hashOnly: true }],
  ];
  test.each(kinds)("%s", { timeout: CAMPAIGN_TIMEOUT }, (_, kind) => {
    const tally: Tally = new Map();
    fc.assert(
      fc.property(fc.array(step, { minLength: 8, maxLength: 24, size: "max" }), (steps) => {
        const pair = new Pair(kind, tally);
        for (const action of steps) {
          pair.apply(action);
          pair.checkCounts();
        }
        pair.checkNodes();
      }),
      { numRuns: RUNS },
    );
    const rare = happenings(kind).filter((what) => (tally.get(what) ?? 0) < RUNS / 20);
    expect(rare).toEqual([]);
  });
});

test("every earlier size of a growing range keeps its root in a view", () => {
  const backend = new MemoryBackend({ codec: bytesCodec(2) });
  const pmmr = new Pmmr(backend);
  const roots: [number, string | undefined][] = [[0, hexOf(pmmr.root())]];
  const model = new RangeModel();
  for (let i = 0; i < 130; i++) {
    const element = Uint8Array.of(i >> 8, i);
    model.push(element);
    pmmr.push(element);
    expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
    roots.push([pmmr.size, hexOf(pmmr.root())]);
  }
  for (const [size, root] of roots) {
    expect(hexOf(new ReadonlyPmmr(backend, { size }).root())).toBe(root);
  }
});
