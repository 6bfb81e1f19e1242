import { sha256 } from "@x/hash";
import { describe, expect, test } from "vitest";
import {
  bytesCodec,
  type ElementCodec,
  grinHashing,
  heightOf,
  leafIndexAt,
  leafPosition,
  MemoryBackend,
  Pmmr,
} from "../src/index.ts";
import { hexOf, RangeModel } from "./range-model.ts";
import { codeOf, verdictOf, word } from "./support.ts";
import { fromHex, type StageRow, vectors } from "./vectors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

function openRange(recordSize?: number): {
  backend: MemoryBackend<Uint8Array, Bytes>;
  pmmr: Pmmr<Uint8Array, Bytes>;
} {
  const backend = new MemoryBackend({ codec: bytesCodec(recordSize), prunable: true });
  return { backend, pmmr: new Pmmr(backend) };
}

/** Everything stored, in the order of the files. */
function stored(pmmr: Pmmr<Uint8Array, Bytes>): {
  hashes: string;
  records: string;
  leaves: number[];
} {
  const positions = Array.from({ length: pmmr.size }, (_, pos0) => pos0);
  const text = (read: (pos0: number) => Uint8Array | undefined): string =>
    positions.map((pos0) => hexOf(read(pos0)) ?? "").join("");
  return {
    hashes: text((pos0) => pmmr.hashAt(pos0)),
    records: text((pos0) => pmmr.recordAt(pos0)),
    leaves: [...pmmr.unspentPositions()],
  };
}

/** Roots of what was compacted, as 1-based positions. */
function prunedRoots1(pmmr: Pmmr<Uint8Array, Bytes>): number[] {
  const roots: number[] = [];
  for (let pos0 = 0; pos0 < pmmr.size; pos0++) {
    if (!pmmr.isCompacted(pos0)) continue;
    while (roots.length > 0 && (roots.at(-1) ?? 0) > pos0 + 2 - 2 ** (heightOf(pos0) + 1)) {
      roots.pop();
    }
    roots.push(pos0 + 1);
  }
  return roots;
}

function numbers(text = ""): number[] {
  return text.split(",").filter(Boolean).map(Number);
}

/** Four words: the quotients of a number by 7, 5, 3 and 1. */
function words(number: number): Uint8Array {
  const bytes = new Uint8Array(16);
  for (const [i, divisor] of [7, 5, 3, 1].entries()) {
    bytes.set(word(Math.floor(number / divisor)), 4 * i);
  }
  return bytes;
}

/** Applies one step of a life cycle as the vectors write it. */
function applyStep(
  { step }: StageRow,
  elementOf: (index: number) => Uint8Array,
  { backend, pmmr }: ReturnType<typeof openRange>,
): void {
  const append = /^append (\d+) elements?(?: starting at element number (\d+))?, sync$/.exec(step);
  const prune = /^prune pos0 ([\d,]+), sync$/.exec(step);
  const compact = /^check_compact cutoff (\d+) rewind_rm_pos \[([\d,]*)\]$/.exec(step);
  const rewind = /^rewind to (\d+) rewind_rm_pos \[([\d,]*)\], sync$/.exec(step);
  if (append !== null) {
    const first = append[2] === undefined ? pmmr.leafCount : Number(append[2]);
    for (let i = 0; i < Number(append[1]); i++) pmmr.push(elementOf(first + i));
  } else if (prune !== null) {
    for (const pos0 of numbers(prune[1])) pmmr.prune(pos0);
  } else if (compact !== null) {
    backend.compact({
      horizon: Number(compact[1]),
      restorable: numbers(compact[2]).map((pos1) => pos1 - 1),
    });
  } else if (rewind !== null) {
    pmmr.rewind(
      Number(rewind[1]),
      numbers(rewind[2]).map((pos1) => pos1 - 1),
    );
  } else {
    throw new Error(`unknown step: ${step}`);
  }
}

describe("the life cycles of the original", () => {
  test.each(vectors.backends.map((life) => [life.name, life] as const))("%s", (_, life) => {
    const range = openRange();
    const isSingle = life.elementKind.startsWith("u32be i");
    // A step that names an element number counts as the element kind does: from 1 for single words.
    const elementOf = (index: number): Uint8Array => (isSingle ? word(index) : words(index));
    expect(life.stages.length).toBeGreaterThan(3);
    for (const stage of life.stages) {
      const named = stage.step.includes("starting at element number");
      applyStep(stage, (index) => elementOf(isSingle && !named ? index + 1 : index), range);
      const { hashes, records, leaves } = stored(range.pmmr);
      expect(range.pmmr.size).toBe(stage.mmrSize);
      expect(hexOf(range.pmmr.root())).toBe(stage.root);
      expect(hashes).toBe(stage.files["pmmr_hash.bin"]);
      expect(records).toBe(stage.files["pmmr_data.bin"]);
      expect(hashes.length / 64).toBe(stage.hashCount);
      expect(leaves).toEqual(stage.leafPos0);
      expect(prunedRoots1(range.pmmr)).toEqual(stage.pruneRoots1);
    }
  });

  test("pruned subtrees between leaves", () => {
    const { pmmr } = openRange(4);
    const { operations, mmrSize, root, files, leafPos0, pruneRoots1 } = vectors.prunedSubtrees;
    expect(operations.length).toBe(8);
    for (const { push, pushPrunedSubtree } of operations) {
      if (push !== undefined) pmmr.push(fromHex(push));
      if (pushPrunedSubtree !== undefined) {
        pmmr.pushPrunedSubtree(fromHex(pushPrunedSubtree.hash), pushPrunedSubtree.pos0);
      }
    }
    expect(pmmr.size).toBe(mmrSize);
    expect(hexOf(pmmr.root())).toBe(root);
    const { hashes, records, leaves } = stored(pmmr);
    expect(hashes).toBe(files["pmmr_hash.bin"]);
    expect(records).toBe(files["pmmr_data.bin"]);
    expect(leaves).toEqual(leafPos0);
    expect(prunedRoots1(pmmr)).toEqual(pruneRoots1);
  });

  test("elements of variable size", () => {
    const { elements, root } = vectors.variableSize;
    const { pmmr } = openRange();
    pmmr.pushMany(elements.map((element) => fromHex(element)));
    expect(hexOf(pmmr.root())).toBe(root);
  });
});

describe("push", () => {
  test("gives the position of the leaf", () => {
    const { pmmr } = openRange(4);
    expect([1, 2, 3, 4, 5].map((i) => pmmr.push(word(i)))).toEqual([0, 1, 3, 4, 7]);
    expect(pmmr.pushMany([word(6), word(7)])).toEqual({ begin: 5, end: 7 });
    expect(pmmr.pushMany([])).toEqual({ begin: 7, end: 7 });
    expect(pmmr.size).toBe(11);
  });

  test("a record of the wrong size is refused and nothing is appended", () => {
    const { pmmr } = openRange(4);
    pmmr.push(word(1));
    const root = hexOf(pmmr.root());
    expect(codeOf(() => pmmr.push(new Uint8Array(5)))).toBe("PMMR_CAPACITY");
    expect(codeOf(() => pmmr.pushMany([word(2), new Uint8Array(3)]))).toBe("PMMR_CAPACITY");
    expect(pmmr.size).toBe(1);
    const variable = openRange().pmmr;
    expect(codeOf(() => variable.push(new Uint8Array(0)))).toBe("PMMR_CAPACITY");
    expect(codeOf(() => variable.push(new Uint8Array(65_536)))).toBe("PMMR_CAPACITY");
    expect(variable.size).toBe(0);
    expect(variable.push(new Uint8Array(65_535))).toBe(0);
    expect(hexOf(pmmr.root())).toBe(root);
  });

  test("keeps none of the caller's buffers, and gives out none of its own", () => {
    const { pmmr } = openRange(4);
    const element = word(1);
    pmmr.push(element);
    pmmr.push(word(2));
    const root = hexOf(pmmr.root());
    element.fill(9);
    for (const read of [
      () => pmmr.hashAt(0),
      () => pmmr.recordAt(0),
      () => pmmr.element(0),
      () => pmmr.root(),
      () => pmmr.peaks()[0],
      () => pmmr.merkleProof(0).path[0],
    ]) {
      read()?.fill(7);
    }
    expect(hexOf(pmmr.element(0))).toBe(hexOf(word(1)));
    expect(hexOf(pmmr.root())).toBe(root);
    expect(hexOf(pmmr.merkleProof(0).path[0])).toBe(hexOf(pmmr.hashAt(1)));
  });

  test("stored form and hash form may differ", () => {
    const codec: ElementCodec<number, number> = {
      recordSize: 1,
      store: (element) => Uint8Array.of(element),
      hashForm: (element) => Uint8Array.of(0, 0, 0, element),
      load: (record) => record[0] ?? 0,
      storedHashForm: (element) => Uint8Array.of(0, 0, 0, element),
    };
    const pmmr = new Pmmr(new MemoryBackend({ codec }));
    const model = new RangeModel();
    for (const i of [5, 6, 7]) {
      pmmr.push(i);
      model.push(word(i));
    }
    expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
    expect(pmmr.element(3)).toBe(7);
  });

  test("another hash function gives another root, pushed alone or together", () => {
    const hashing = grinHashing(sha256());
    const alone = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }), { hashing });
    const together = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }), { hashing });
    const elements = Array.from({ length: 11 }, (_, i) => word(i));
    for (const element of elements) alone.push(element);
    together.pushMany(elements);
    expect(hexOf(together.root())).toBe(hexOf(alone.root()));
    const { pmmr } = openRange(4);
    pmmr.pushMany(elements);
    expect(hexOf(pmmr.root())).not.toBe(hexOf(alone.root()));
  });
});

describe("a codec that throws", () => {
  class Refused extends Error {}
  /** Throws at the n-th call of one of its functions. */
  function failing(
    what: "store" | "hashForm",
    nth: number,
  ): ElementCodec<Uint8Array, Uint8Array> & { arm(): void } {
    let calls = Infinity;
    const base = bytesCodec(4);
    const counted = (name: string, run: (bytes: Uint8Array) => Bytes) => (bytes: Uint8Array) => {
      if (name === what && --calls === 0) throw new Refused();
      return run(bytes);
    };
    return {
      ...base,
      store: counted("store", (bytes) => new Uint8Array(bytes)),
      hashForm: counted("hashForm", (bytes) => new Uint8Array(bytes)),
      arm: () => {
        calls = nth;
      },
    };
  }

  test("during a write reaches the caller, and nothing has changed", () => {
    for (const what of ["store", "hashForm"] as const) {
      for (let nth = 1; nth <= 5; nth++) {
        const codec = failing(what, nth);
        const pmmr = new Pmmr(new MemoryBackend({ codec, prunable: true }));
        pmmr.pushMany([1, 2, 3].map((i) => word(i)));
        const before = [pmmr.size, hexOf(pmmr.root()), [...pmmr.unspentIndexes()]];
        codec.arm();
        expect(() => pmmr.pushMany([4, 5, 6, 7, 8].map((i) => word(i)))).toThrow(Refused);
        expect([pmmr.size, hexOf(pmmr.root()), [...pmmr.unspentIndexes()]]).toEqual(before);
        expect(pmmr.push(word(4))).toBe(4);
      }
    }
  });

  test("and a hash function that throws leave nothing behind either", () => {
    const hasher = sha256();
    for (let nth = 1; nth <= 3; nth++) {
      let calls = Infinity;
      const hashing = grinHashing({
        ...hasher,
        outputSize: 32,
        name: "failing",
        hash: (message) => {
          if (--calls === 0) throw new Refused();
          return hasher.hash(message);
        },
        hashMany: (messages, size, count, output) => {
          if (--calls <= 0) throw new Refused();
          hasher.hashMany(messages, size, count, output);
        },
      });
      const backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
      const pmmr = new Pmmr(backend, { hashing });
      pmmr.pushMany([1, 2, 3].map((i) => word(i)));
      const root = hexOf(pmmr.root());
      for (const write of [
        () => pmmr.push(word(4)),
        () => pmmr.pushMany([4, 5, 6, 7, 8].map((i) => word(i))),
      ]) {
        calls = nth;
        expect(write).toThrow(Refused);
        calls = Infinity;
        expect([pmmr.size, hexOf(pmmr.root())]).toEqual([4, root]);
      }
    }
  });

  test("an iterable that throws leaves nothing behind either", () => {
    const { pmmr } = openRange(4);
    function* elements(): Generator<Uint8Array> {
      yield word(1);
      throw new Refused();
    }
    expect(() => pmmr.pushMany(elements())).toThrow(Refused);
    expect(pmmr.size).toBe(0);
  });

  test("a codec that pushes while it is asked appends in the order of completion", () => {
    const base = bytesCodec(4);
    const range: { pmmr?: Pmmr<Uint8Array, Bytes> } = {};
    const codec: ElementCodec<Uint8Array, Bytes> = {
      ...base,
      store: (element) => {
        if (element[3] === 2) range.pmmr?.push(word(9));
        return base.store(element);
      },
    };
    range.pmmr = new Pmmr(new MemoryBackend({ codec }));
    range.pmmr.push(word(1));
    range.pmmr.push(word(2));
    const model = new RangeModel();
    for (const i of [1, 9, 2]) model.push(word(i));
    expect(hexOf(range.pmmr.root())).toBe(hexOf(model.root()));
  });

  test("a hash form that is no bytes is the codec's mistake, and nothing is appended", () => {
    const codec = { ...bytesCodec(), hashForm: () => "text" as unknown as Uint8Array };
    const pmmr = new Pmmr(new MemoryBackend({ codec }));
    expect(() => pmmr.push(word(1))).toThrow(TypeError);
    expect(() => pmmr.pushMany([word(1), word(2)])).toThrow(TypeError);
    expect(pmmr.size).toBe(0);
  });

  test("a record that cannot be read is damage, with the codec's error as cause", () => {
    const codec: ElementCodec<Uint8Array, Uint8Array> = {
      ...bytesCodec(4),
      load: () => {
        throw new Refused();
      },
    };
    const pmmr = new Pmmr(new MemoryBackend({ codec }));
    pmmr.push(word(1));
    expect(codeOf(() => pmmr.element(0))).toBe("PMMR_DAMAGED");
    expect(() => pmmr.element(0)).toThrow(expect.objectContaining({ cause: expect.any(Refused) }));
  });
});

describe("prune", () => {
  test("tells whether the leaf was unspent, and leaves the root alone", () => {
    const { pmmr } = openRange(4);
    pmmr.pushMany([1, 2, 3].map((i) => word(i)));
    const root = hexOf(pmmr.root());
    expect(pmmr.prune(1)).toBe(true);
    expect(pmmr.prune(1)).toBe(false);
    expect(hexOf(pmmr.root())).toBe(root);
    expect(pmmr.element(1)).toBeUndefined();
    expect(hexOf(pmmr.storedElement(1))).toBe(hexOf(word(2)));
  });

  test("refuses inner nodes, positions beyond the end, and ranges that cannot be pruned", () => {
    const { pmmr } = openRange(4);
    pmmr.pushMany([1, 2, 3].map((i) => word(i)));
    for (const pos0 of [2, 4, 5, 100, -1, 0.5]) expect(() => pmmr.prune(pos0)).toThrow(RangeError);
    const fixed = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    fixed.push(word(1));
    expect(codeOf(() => fixed.prune(0))).toBe("PMMR_NOT_PRUNABLE");
  });
});

describe("rewind", () => {
  test("rounds up to a valid size", () => {
    for (let size = 0; size <= 25; size++) {
      const { pmmr } = openRange(4);
      pmmr.pushMany(Array.from({ length: 14 }, (_, i) => word(i)));
      const valid = [0, 1, 3, 4, 7, 8, 10, 11, 15, 16, 18, 19, 22, 23, 25];
      pmmr.rewind(size);
      expect(pmmr.size).toBe(valid.find((candidate) => size <= candidate));
    }
  });

  test("and appending the same again gives the same root", () => {
    const elements = Array.from({ length: 40 }, (_, i) => word(i));
    const whole = openRange(4).pmmr;
    whole.pushMany(elements);
    for (let kept = 0; kept <= 40; kept++) {
      const { pmmr } = openRange(4);
      pmmr.pushMany(elements);
      pmmr.rewind(leafPosition(kept));
      pmmr.pushMany(elements.slice(kept));
      expect(hexOf(pmmr.root())).toBe(hexOf(whole.root()));
    }
  });

  test("brings back the leaves that are named, and passes over those beyond the end", () => {
    const { pmmr } = openRange(4);
    pmmr.pushMany([1, 2, 3, 4, 5].map((i) => word(i)));
    for (const pos0 of [0, 1, 3, 7]) pmmr.prune(pos0);
    pmmr.rewind(7, [1, 7]);
    expect([...pmmr.unspentPositions()]).toEqual([1, 4]);
    // Beyond the end: not unspent now, and not born spent later.
    expect(pmmr.push(word(6))).toBe(7);
    expect([...pmmr.unspentPositions()]).toEqual([1, 4, 7]);
  });

  test("refuses inner nodes, larger sizes, and leaves where none can be spent", () => {
    const { pmmr } = openRange(4);
    pmmr.pushMany([1, 2, 3].map((i) => word(i)));
    pmmr.prune(0);
    expect(() => pmmr.rewind(3, [0, 2])).toThrow(RangeError);
    expect(() => pmmr.rewind(5)).toThrow(RangeError);
    expect([pmmr.size, pmmr.unspentCount()]).toEqual([4, 2]);
    const fixed = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    fixed.push(word(1));
    fixed.push(word(2));
    expect(codeOf(() => fixed.rewind(1, [0]))).toBe("PMMR_NOT_PRUNABLE");
    fixed.rewind(1);
    expect(fixed.size).toBe(1);
  });

  test("refuses to end inside a compacted subtree, and to bring back a compacted leaf", () => {
    const { backend, pmmr } = openRange(4);
    pmmr.pushMany(Array.from({ length: 8 }, (_, i) => word(i)));
    for (const pos0 of [0, 1, 3, 4, 10]) pmmr.prune(pos0);
    backend.compact();
    for (const size of [1, 2, 3, 4]) {
      expect(codeOf(() => pmmr.rewind(size))).toBe("PMMR_COMPACTED");
    }
    expect(codeOf(() => pmmr.rewind(10, [0]))).toBe("PMMR_COMPACTED");
    expect(codeOf(() => pmmr.rewind(15, [10]))).toBe("PMMR_COMPACTED");
    expect([pmmr.size, pmmr.unspentCount()]).toEqual([15, 3]);
    pmmr.rewind(7, [10]);
    expect(pmmr.size).toBe(7);
  });
});

/** A range whose first leaves are there, and the hash of what would follow. */
function rangeBefore(
  leaves: number,
  height: number,
): {
  pmmr: Pmmr<Uint8Array, Bytes>;
  model: RangeModel;
  pos0: number;
} {
  const { pmmr } = openRange(4);
  const model = new RangeModel();
  for (let i = 0; i < leaves + 2 ** height; i++) {
    if (i < leaves) pmmr.push(word(i));
    model.push(word(i));
  }
  return { pmmr, model, pos0: leafPosition(leaves + 2 ** height - 1) + height };
}

describe("a pruned subtree", () => {
  test("stands for its leaves, wherever it is pushed", () => {
    for (let height = 1; height <= 4; height++) {
      for (let leaves = 0; leaves <= 48; leaves += 2 ** height) {
        const { pmmr, model, pos0 } = rangeBefore(leaves, height);
        pmmr.pushPrunedSubtree(model.hash(pos0), pos0);
        expect(pmmr.size).toBe(model.size);
        expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
        expect(pmmr.unspentCount()).toBe(leaves);
        expect(pmmr.isCompacted(pos0)).toBe(true);
        expect(pmmr.hashAt(pos0 - 1)).toBeUndefined();
      }
    }
  });

  test("goes to the right of a spent leaf, which the original refuses", () => {
    const { pmmr, model } = rangeBefore(1, 0);
    pmmr.rewind(0);
    pmmr.push(word(0));
    pmmr.push(word(1));
    pmmr.push(word(2));
    pmmr.push(word(3));
    pmmr.prune(4);
    for (let i = 2; i < 8; i++) model.push(word(i));
    pmmr.pushPrunedSubtree(model.hash(13), 13);
    expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
  });

  test("merges with a compacted sibling: the parent stands for both", () => {
    const { pmmr, model } = rangeBefore(0, 4);
    for (const pos0 of [6, 13, 21, 28]) {
      expect(pmmr.isCompacted(pos0)).toBe(false);
      pmmr.pushPrunedSubtree(model.hash(pos0), pos0);
    }
    expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
    expect(prunedRoots1(pmmr)).toEqual([31]);
    expect(stored(pmmr).hashes).toBe(hexOf(model.hash(30)));
  });

  test("that is one leaf is taken only next to a compacted leaf", () => {
    const { backend, pmmr } = openRange(4);
    const model = new RangeModel();
    for (let i = 0; i < 2; i++) model.push(word(i));
    pmmr.push(word(0));
    expect(() => pmmr.pushPrunedSubtree(model.hash(1), 1)).toThrow(RangeError);
    pmmr.prune(0);
    expect(() => pmmr.pushPrunedSubtree(model.hash(1), 1)).toThrow(RangeError);
    backend.compact();
    pmmr.pushPrunedSubtree(model.hash(1), 1);
    expect(hexOf(pmmr.root())).toBe(hexOf(model.root()));
    expect(stored(pmmr)).toEqual({ hashes: hexOf(model.hash(2)), records: "", leaves: [] });
  });

  test("that does not begin at the end is refused and nothing is appended", () => {
    const { pmmr } = openRange(4);
    pmmr.pushMany([1, 2, 3].map((i) => word(i)));
    const hash = new Uint8Array(32);
    for (let pos0 = 0; pos0 < 40; pos0++) {
      const verdict = verdictOf(() => pmmr.pushPrunedSubtree(hash, pos0));
      // The next leaf has index 3: only a leaf can begin there, and a leaf cannot be pushed as pruned.
      expect(verdict).toBe("RangeError");
    }
    expect(() => pmmr.pushPrunedSubtree(new Uint8Array(31), 5)).toThrow(RangeError);
    expect(pmmr.size).toBe(4);
    pmmr.push(word(4));
    const misplaced = Array.from({ length: 40 }, (_, pos0) => pos0).filter((pos0) => {
      const height = heightOf(pos0);
      const beginsAtTheEnd = leafIndexAt(pos0 - height) === 4 + 2 ** height - 1;
      return !beginsAtTheEnd || height === 0;
    });
    expect(misplaced.length).toBe(38);
    for (const pos0 of misplaced) {
      expect(() => pmmr.pushPrunedSubtree(hash, pos0)).toThrow(RangeError);
    }
    expect(pmmr.size).toBe(7);
  });

  test("with 2^31 leaves fills a prunable range, and one more does not fit", () => {
    const { pmmr } = openRange(4);
    pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 2 ** 32 - 2);
    expect(pmmr.size).toBe(2 ** 32 - 1);
    expect(pmmr.leafCount).toBe(2 ** 31);
    expect(codeOf(() => pmmr.push(word(1)))).toBe("PMMR_CAPACITY");
    expect(codeOf(() => pmmr.pushPrunedSubtree(new Uint8Array(32), 2 ** 32 + 1))).toBe(
      "PMMR_CAPACITY",
    );
    expect(pmmr.size).toBe(2 ** 32 - 1);
    expect(hexOf(pmmr.root())).toBe("01".repeat(32));
    pmmr.rewind(0);
    expect(pmmr.push(word(1))).toBe(0);
  });

  test("is refused where leaves cannot be spent", () => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    expect(codeOf(() => pmmr.pushPrunedSubtree(new Uint8Array(32), 2))).toBe("PMMR_NOT_PRUNABLE");
  });
});

describe("a backend that lost something", () => {
  test("without the left sibling nothing can be appended", () => {
    const { backend, pmmr } = openRange(4);
    pmmr.push(word(1));
    const broken = new Pmmr(
      Object.create(backend, {
        size: { get: () => backend.size },
        hashAt: { value: () => undefined },
        codec: { value: backend.codec },
      }) as typeof backend,
    );
    expect(codeOf(() => broken.push(word(2)))).toBe("PMMR_MISSING_HASH");
    expect(pmmr.size).toBe(1);
  });

  test("of a size that no range has is not opened", () => {
    const { backend } = openRange(4);
    const broken = Object.create(backend, { size: { value: 2 } }) as typeof backend;
    expect(codeOf(() => new Pmmr(broken))).toBe("PMMR_INVALID_SIZE");
  });
});
