import { describe, expect, test } from "vitest";
import {
  bytesCodec,
  type DamagedNode,
  type ElementCodec,
  heightOf,
  leafPosition,
  MemoryBackend,
  Pmmr,
  type PmmrReader,
  type Progress,
  ReadonlyPmmr,
} from "../src/index.ts";
import { CAMPAIGN_TIMEOUT, codeOfAsync, word } from "./support.ts";

type Backend = MemoryBackend<Uint8Array, Uint8Array<ArrayBuffer>>;

/** What a damaged backend answers at one position; nothing stands for what is not stored. */
interface Damage {
  readonly pos0: readonly number[];
  readonly hash?: (hash: Uint8Array | undefined) => Uint8Array | undefined;
  readonly record?: (record: Uint8Array | undefined) => Uint8Array | undefined;
}

/** A reader of the same range, damaged. */
function damaged(backend: Backend, damage: Damage): ReadonlyPmmr<Uint8Array, Uint8Array> {
  const { pos0: positions, hash, record } = damage;
  const reader: PmmrReader<Uint8Array, Uint8Array> = {
    codec: backend.codec,
    prunable: backend.prunable,
    hashOnly: backend.hashOnly,
    size: backend.size,
    epoch: backend.epoch,
    hashAt: (pos0) => {
      const stored: Uint8Array | undefined = backend.hashAt(pos0);
      const answer = hash !== undefined && positions.includes(pos0) ? hash(stored) : stored;
      return answer === undefined ? undefined : new Uint8Array(answer);
    },
    recordAt: (pos0) => {
      const stored: Uint8Array | undefined = backend.recordAt(pos0);
      const answer = record !== undefined && positions.includes(pos0) ? record(stored) : stored;
      return answer === undefined ? undefined : new Uint8Array(answer);
    },
    isUnspent: (pos0) => backend.isUnspent(pos0),
    unspentCount: (end) => backend.unspentCount(end),
    unspentIndexes: (begin, end) => backend.unspentIndexes(begin, end),
    isCompacted: (pos0) => backend.isCompacted(pos0),
  };
  return new ReadonlyPmmr(reader);
}

/** For {@link Damage}: nothing is stored. */
function nothing(): undefined {
  return undefined;
}

async function findings(view: ReadonlyPmmr<Uint8Array, Uint8Array>): Promise<DamagedNode[]> {
  const found: DamagedNode[] = [];
  const report = await view.validate({ onDamage: (node) => found.push(node) });
  expect(report.damagedCount).toBe(found.length);
  return found;
}

function flipped(bytes: Uint8Array | undefined, at: number): Uint8Array | undefined {
  const copy = bytes === undefined ? undefined : new Uint8Array(bytes);
  if (copy !== undefined) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** Ranges of many shapes: sizes, spending, compaction, pruned subtrees. */
function ranges(): Backend[] {
  const made: Backend[] = [];
  for (const leaves of [1, 2, 3, 5, 8, 11, 23]) {
    for (const stride of [0, 1, 2, 3]) {
      const backend: Backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
      const pmmr = new Pmmr(backend);
      if (stride === 3) pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 14);
      pmmr.pushMany(Array.from({ length: leaves }, (_, i) => word(i)));
      for (let i = 0; i < leaves; i++) {
        if (i % 4 < stride) pmmr.prune(leafPosition(stride === 3 ? 8 + i : i));
      }
      if (stride > 1) backend.compact();
      made.push(backend);
    }
  }
  return made;
}

function storedPositions(backend: Backend): number[] {
  return Array.from({ length: backend.size }, (_, pos0) => pos0).filter(
    (pos0) => backend.hashAt(pos0) !== undefined,
  );
}

describe("a sound range", () => {
  test("has every stored leaf and every inner node over stored children recomputed", async () => {
    for (const backend of ranges()) {
      const stored = storedPositions(backend);
      const leaves = stored.filter((pos0) => backend.recordAt(pos0) !== undefined);
      const inner = stored.filter((pos0) => {
        const height = heightOf(pos0);
        return height > 0 && stored.includes(pos0 - 1) && stored.includes(pos0 - 2 ** height);
      });
      expect(await new Pmmr(backend).validate()).toEqual({
        innerCount: inner.length,
        leafCount: leaves.length,
        leafCountUnchecked: 0,
        damagedCount: 0,
      });
    }
  });

  test("of several steps, most of it compacted, is walked in steps", async () => {
    const backend: Backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
    const pmmr = new Pmmr(backend);
    pmmr.pushPrunedSubtree(new Uint8Array(32).fill(1), 2 ** 30 - 2);
    pmmr.pushMany(Array.from({ length: 3000 }, (_, i) => word(i)));
    const seen: Progress[] = [];
    const report = await pmmr.validate({
      onProgress: (progress) => {
        seen.push(progress);
      },
    });
    // 2^29 compacted leaves cost one step, not 2^29.
    expect(report.leafCount).toBe(3000);
    expect(report.innerCount).toBe(pmmr.size - (2 ** 30 - 1) - 3000);
    expect(seen[0]).toEqual({ done: 0, total: pmmr.size });
    expect(seen.at(-1)).toEqual({ done: pmmr.size, total: pmmr.size });
    expect(seen.length).toBeLessThan(10);
    expect(seen.map(({ done }) => done)).toEqual(
      seen.map(({ done }) => done).toSorted((a, b) => a - b),
    );
  });

  test("whose records do not determine the hash says how many were not checked", async () => {
    const codec: ElementCodec<Uint8Array, Uint8Array> = {
      ...bytesCodec(4),
      storedHashForm: () => undefined,
    };
    const pmmr = new Pmmr(new MemoryBackend({ codec }));
    pmmr.pushMany([1, 2, 3].map((i) => word(i)));
    const report = { innerCount: 1, leafCount: 0, leafCountUnchecked: 3, damagedCount: 0 };
    expect(await pmmr.validate()).toEqual(report);
    const hashOnly = new Pmmr(new MemoryBackend({ codec: bytesCodec(4), hashOnly: true }));
    hashOnly.pushMany([1, 2, 3].map((i) => word(i)));
    expect(await hashOnly.validate()).toEqual(report);
  });

  test("whose end lies inside a compacted subtree is sound as far as it is stored", async () => {
    for (let leaves = 1; leaves <= 24; leaves++) {
      const backend: Backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
      const pmmr = new Pmmr(backend);
      pmmr.pushMany(Array.from({ length: 24 }, (_, i) => word(i)));
      for (let i = 4; i < 16; i++) pmmr.prune(leafPosition(i));
      backend.compact();
      const view = new ReadonlyPmmr(backend, { size: leafPosition(leaves) });
      expect(await findings(view)).toEqual([]);
      const { leafCount: checked } = await view.validate();
      expect(checked).toBe(Math.min(leaves, 4) + Math.max(leaves - 16, 0));
    }
  });

  test("without nodes is valid", async () => {
    const report = await new Pmmr(new MemoryBackend({ codec: bytesCodec(4) })).validate();
    expect(report).toEqual({ innerCount: 0, leafCount: 0, leafCountUnchecked: 0, damagedCount: 0 });
  });
});

describe("damage is named exactly", { timeout: CAMPAIGN_TIMEOUT }, () => {
  test("a wrong hash, anywhere, by its position and nothing else", async () => {
    for (const backend of ranges()) {
      const stored = new Set(storedPositions(backend));
      for (const bad of stored) {
        const view = damaged(backend, { pos0: [bad], hash: (hash) => flipped(hash, bad % 32) });
        const height = heightOf(bad);
        const hasChildren = height > 0 && stored.has(bad - 1);
        const hasParent = [...stored].some(
          (pos0) =>
            heightOf(pos0) === height + 1 && [pos0 - 1, pos0 - 2 ** (height + 1)].includes(bad),
        );
        // A pruned root is known by its parent alone; as a peak by nothing but the root of the range.
        const wanted =
          height === 0
            ? [{ pos0: bad, kind: "element" }]
            : hasChildren
              ? [{ pos0: bad, kind: "hash" }]
              : hasParent
                ? [{ pos0: heightsParent(bad, height), kind: "hash" }]
                : [];
        expect(await findings(view)).toEqual(wanted);
      }
    }
  });

  test("a wrong record, anywhere, by the position of its leaf", async () => {
    for (const backend of ranges()) {
      for (const bad of storedPositions(backend)) {
        if (backend.recordAt(bad) === undefined) continue;
        const view = damaged(backend, { pos0: [bad], record: (record) => flipped(record, 2) });
        expect(await findings(view)).toEqual([{ pos0: bad, kind: "element" }]);
      }
    }
  });

  test("what is missing, though it was not compacted away", async () => {
    for (const backend of ranges()) {
      for (const bad of storedPositions(backend)) {
        const noHash = damaged(backend, { pos0: [bad], hash: nothing });
        expect(await findings(noHash)).toEqual([{ pos0: bad, kind: "missing-hash" }]);
        if (backend.recordAt(bad) === undefined) continue;
        const noRecord = damaged(backend, { pos0: [bad], record: nothing });
        expect(await findings(noRecord)).toEqual([{ pos0: bad, kind: "missing-record" }]);
      }
    }
  });

  test("a record that the codec refuses", async () => {
    const backend = ranges()[5];
    if (backend === undefined) throw new Error("there are more ranges");
    const view = damaged(backend, { pos0: [1], record: () => word(9) });
    const picky = {
      ...bytesCodec(4),
      load: (record: Uint8Array) => {
        if (record[3] === 9) throw new Error("nine is refused");
        return new Uint8Array(record);
      },
    };
    Object.defineProperty(view, "codec", { value: picky, configurable: true });
    expect(await findings(view)).toEqual([{ pos0: 1, kind: "unreadable" }]);
    const pickyLater = { ...bytesCodec(4), storedHashForm: picky.load };
    Object.defineProperty(view, "codec", { value: pickyLater });
    expect(await findings(view)).toEqual([{ pos0: 1, kind: "unreadable" }]);
  });

  test("several wrong places are all named, in order", async () => {
    const backend = ranges()[24];
    if (backend === undefined) throw new Error("there are more ranges");
    const bad = [0, 5, 10, 14, 21, 30];
    const view = damaged(backend, { pos0: bad, hash: (hash) => flipped(hash, 0) });
    expect((await findings(view)).map(({ pos0 }) => pos0)).toEqual(bad);
  });

  test("without a listener the first one ends the validation", async () => {
    const backend = ranges()[24];
    if (backend === undefined) throw new Error("there are more ranges");
    const view = damaged(backend, { pos0: [5, 21], hash: () => new Uint8Array(32) });
    await expect(view.validate()).rejects.toMatchObject({
      code: "PMMR_DAMAGED",
      message: expect.stringContaining("position 5 "),
    });
  });
});

/** Parent of an inner node in ranges whose pruned roots are left children. */
function heightsParent(pos0: number, height: number): number {
  return heightOf(pos0 + 1) === height + 1 ? pos0 + 1 : pos0 + 2 ** (height + 1);
}

describe("a validation", () => {
  test("stops when asked, with the reason as cause", async () => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    pmmr.pushMany(Array.from({ length: 5000 }, (_, i) => word(i)));
    const controller = new AbortController();
    const reason = new Error("enough");
    let steps = 0;
    const run = pmmr.validate({
      signal: controller.signal,
      onProgress: ({ done }) => {
        steps++;
        if (done > 0) controller.abort(reason);
      },
    });
    await expect(run).rejects.toMatchObject({ code: "PMMR_ABORTED", cause: reason });
    expect(steps).toBe(2);
    const aborted = { aborted: true };
    expect(await codeOfAsync(async () => pmmr.validate({ signal: aborted }))).toBe("PMMR_ABORTED");
  });

  test("lets others run between steps, and notices what they did to the nodes", async () => {
    const backend: Backend = new MemoryBackend({ codec: bytesCodec(4), prunable: true });
    const pmmr = new Pmmr(backend);
    pmmr.pushMany(Array.from({ length: 5000 }, (_, i) => word(i)));
    const view = new ReadonlyPmmr(backend);
    const turn = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      if (pmmr.size === view.size) pmmr.push(word(7));
    };
    expect((await view.validate({ onProgress: turn })).leafCount).toBe(5000);
    expect(pmmr.leafCount).toBe(5001);
    const rewinding = async (): Promise<unknown> =>
      view.validate({
        onProgress: ({ done }) => {
          if (done > 0 && pmmr.size > 0) pmmr.rewind(0);
        },
      });
    expect(await codeOfAsync(rewinding)).toBe("PMMR_STALE_VIEW");
  });

  test("through the writer's own view notices a rewind too", async () => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    pmmr.pushMany(Array.from({ length: 5000 }, (_, i) => word(i)));
    const rewinding = async (): Promise<unknown> =>
      pmmr.validate({
        onProgress: ({ done }) => {
          if (done > 0) pmmr.rewind(1000);
        },
        onDamage: () => {
          throw new Error("nothing is damaged");
        },
      });
    expect(await codeOfAsync(rewinding)).toBe("PMMR_STALE_VIEW");
  });

  test("of a range that grows meanwhile covers what was there at the call", async () => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    pmmr.pushMany(Array.from({ length: 3000 }, (_, i) => word(i)));
    const report = await pmmr.validate({
      onProgress: () => {
        pmmr.push(word(1));
      },
    });
    expect(report.leafCount).toBe(3000);
  });

  test("is ended by what a listener throws", async () => {
    const pmmr = new Pmmr(new MemoryBackend({ codec: bytesCodec(4) }));
    pmmr.push(word(1));
    const stop = new Error("stop");
    const run = pmmr.validate({
      onProgress: () => {
        throw stop;
      },
    });
    await expect(run).rejects.toBe(stop);
  });
});
