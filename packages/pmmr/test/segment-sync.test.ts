import { Random, printCounts, scaled, seedOf } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { BitmapAccumulator, bitmapMmrSize } from "../src/bitmap-accumulator.ts";
import { decodeBitmapSegment, encodeBitmapSegment } from "../src/bitmap-segment.ts";
import { BitmapSync } from "../src/bitmap-sync.ts";
import { MemoryBackend } from "../src/memory-backend.ts";
import { Pmmr } from "../src/pmmr.ts";
import { leafPosition } from "../src/position.ts";
import { decodeSegment, encodeSegment } from "../src/segment-codec.ts";
import { makeSegment } from "../src/segment-make.ts";
import { SegmentSync, type SyncTarget } from "../src/segment-sync.ts";
import type { Segment, SegmentId } from "../src/segment.ts";
import { fuzzInput } from "./fuzz.ts";
import { NaiveIndexSet, bytesCodec } from "./segment-model.ts";
import { codeOf, word } from "./support.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

const codec = bytesCodec(4);

interface Peer {
  readonly backend: MemoryBackend<Uint8Array>;
  readonly pmmr: Pmmr<Uint8Array>;
}

function emptyPeer(prunable = true): Peer {
  const backend = new MemoryBackend({ codec, prunable });
  return { backend, pmmr: new Pmmr(backend) };
}

function peerOf(leaves: number, prunable = true): Peer {
  const peer = emptyPeer(prunable);
  peer.pmmr.pushMany(Array.from({ length: leaves }, (_, i) => word(i + 1)));
  return peer;
}

function spend({ pmmr }: Peer, indexes: Iterable<number>): void {
  for (const index of indexes) if (index < pmmr.leafCount) pmmr.prune(leafPosition(index));
}

function unspentOf({ pmmr }: Peer): NaiveIndexSet {
  return new NaiveIndexSet(pmmr.unspentIndexes());
}

function targetOf(sender: Peer, height: number): SyncTarget {
  const { size } = sender.pmmr;
  const known = { size, root: sender.pmmr.root(), height };
  return sender.pmmr.prunable ? { ...known, unspent: unspentOf(sender) } : known;
}

/** A segment as it comes over the wire. */
function ask(sender: Peer, id: SegmentId | undefined): Segment {
  if (id === undefined) throw new Error("nothing to ask for");
  return decodeSegment(encodeSegment(makeSegment(sender.pmmr, id)), codec, { heightMax: 15 });
}

/** Fetches everything; at most as many segments as there are. */
function fetchAll(sender: Peer, sync: SegmentSync<Uint8Array>): void {
  for (let asked = 0; !sync.done; asked++) {
    expect(asked).toBeLessThan(sync.required);
    sync.apply(ask(sender, sync.next));
  }
}

/** Same root, same unspent leaves, same elements; and it can go on: prove, append, segments of its own. */
function expectSame(receiver: Peer, sender: Peer): void {
  expect(receiver.pmmr.size).toBe(sender.pmmr.size);
  expect(receiver.pmmr.root()).toEqual(sender.pmmr.root());
  const unspent = [...sender.pmmr.unspentIndexes()];
  expect([...receiver.pmmr.unspentIndexes()]).toEqual(unspent);
  for (const index of [unspent[0], unspent[Math.floor(unspent.length / 2)], unspent.at(-1)]) {
    if (index === undefined) continue;
    const pos0 = leafPosition(index);
    expect(receiver.pmmr.element(pos0)).toEqual(sender.pmmr.element(pos0));
    expect(receiver.pmmr.merkleProof(pos0)).toEqual(sender.pmmr.merkleProof(pos0));
  }
}

/** Each index below `end` with a chance of three in four. */
function mostIndexes(end: number): fc.Arbitrary<number[]> {
  return fc
    .array(fc.nat(3), { minLength: end, maxLength: end })
    .map((draws) => draws.flatMap((draw, index) => (draw === 0 ? [] : [index])));
}

const history = fc.record({
  leaves: fc.integer({ min: 1, max: 60 }),
  compacted: mostIndexes(60),
  spent: fc.array(fc.nat(59), { maxLength: 30 }),
  height: fc.nat(7),
});

describe("a sync", () => {
  test("ends with the sender's root, unspent leaves, elements and proofs, whatever was pruned", async () => {
    const counts = { syncs: 0, withPrunedParts: 0 };
    await fc.assert(
      fc.asyncProperty(history, async ({ leaves, compacted, spent, height }) => {
        const sender = peerOf(leaves);
        spend(sender, compacted);
        sender.backend.compact();
        spend(sender, spent);
        const receiver = emptyPeer();
        const sync = new SegmentSync(receiver.pmmr, targetOf(sender, height));
        fetchAll(sender, sync);
        sync.finish();
        expectSame(receiver, sender);
        await receiver.pmmr.validate();
        // What was synced is a sender like any other.
        for (let index = 0; index < sync.required; index++) {
          expect(ask(receiver, { height, index })).toEqual(ask(sender, { height, index }));
        }
        sender.pmmr.push(word(0));
        receiver.pmmr.push(word(0));
        expect(receiver.pmmr.root()).toEqual(sender.pmmr.root());
        counts.syncs++;
        const positions = Array.from({ length: leaves }, (_, i) => leafPosition(i));
        const gone = positions.filter((pos0) => receiver.pmmr.recordAt(pos0) === undefined);
        if (0 < gone.length) counts.withPrunedParts++;
      }),
      { numRuns: scaled(80) },
    );
    printCounts("segment syncs", counts);
    expect(counts.withPrunedParts).toBeGreaterThan(10);
  });

  test("works for ranges that are not prunable", () => {
    for (const leaves of [1, 2, 7, 8, 33]) {
      for (const height of [0, 1, 3, 6]) {
        const sender = peerOf(leaves, false);
        const receiver = emptyPeer(false);
        const sync = new SegmentSync(receiver.pmmr, targetOf(sender, height));
        fetchAll(sender, sync);
        sync.finish();
        expectSame(receiver, sender);
        expect([...receiver.pmmr.unspentIndexes()].length).toBe(leaves);
      }
    }
  });

  test("goes on after each single leaf", () => {
    const sender = peerOf(5);
    spend(sender, [0]);
    const receiver = emptyPeer();
    for (let index = 0; index < 5; index++) {
      const sync = new SegmentSync(receiver.pmmr, targetOf(sender, 0));
      expect(sync.next).toEqual({ height: 0, index });
      sync.apply(ask(sender, sync.next));
    }
    new SegmentSync(receiver.pmmr, targetOf(sender, 0)).finish();
    expectSame(receiver, sender);
  });

  test("goes on where it stopped, in a new object over the same range", () => {
    const sender = peerOf(45);
    spend(sender, [0, 1, 2, 3, 4, 5, 9, 20, 21, 22, 23, 40]);
    sender.backend.compact();
    const receiver = emptyPeer();
    const asked: number[] = [];
    for (let pauses = 0; pauses < 20; pauses++) {
      const sync = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
      if (sync.done) break;
      asked.push((sync.next as SegmentId).index);
      sync.apply(ask(sender, sync.next));
    }
    expect(asked).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    new SegmentSync(receiver.pmmr, targetOf(sender, 2)).finish();
    expectSame(receiver, sender);
  });

  test("applying a segment again changes nothing", () => {
    const sender = peerOf(20);
    spend(sender, [0, 1, 2, 3, 7, 12, 13]);
    sender.backend.compact();
    const receiver = emptyPeer();
    const sync = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
    for (let index = 0; index < sync.required; index++) {
      for (let again = 0; again < 3; again++) {
        for (let i = 0; i <= index; i++) sync.apply(ask(sender, { height: 2, index: i }));
      }
    }
    expect(sync.next).toBeUndefined();
    sync.finish();
    sync.finish();
    expectSame(receiver, sender);
  });

  test("a new chain's first element may be there already, spent at the sender or not", () => {
    for (const height of [0, 1, 3]) {
      for (const spent of [[], [0], [0, 1], [0, 1, 2, 3]]) {
        const sender = peerOf(9);
        spend(sender, spent);
        sender.backend.compact();
        const receiver = peerOf(1);
        const sync = new SegmentSync(receiver.pmmr, targetOf(sender, height));
        // Of segments with one leaf the first is there; another element would be noticed in the end.
        expect(sync.next).toEqual({ height, index: height === 0 ? 1 : 0 });
        fetchAll(sender, sync);
        sync.finish();
        expectSame(receiver, sender);
      }
    }
    // The one element is all there is.
    const receiver = peerOf(1);
    const sync = new SegmentSync(receiver.pmmr, targetOf(peerOf(1), 3));
    expect(sync.done).toBe(true);
    sync.finish();
  });

  test("the sender may compact between two segments", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 70 }),
        fc.uniqueArray(fc.nat(69), { maxLength: 70 }),
        fc.nat(4),
        fc.array(fc.nat(69), { maxLength: 20 }),
        (leaves, spent, height, horizons) => {
          const sender = peerOf(leaves);
          spend(sender, spent);
          const target = targetOf(sender, height);
          const receiver = emptyPeer();
          const sync = new SegmentSync(receiver.pmmr, target);
          for (let asked = 0; !sync.done; asked++) {
            expect(asked).toBeLessThanOrEqual(sync.required);
            sync.apply(ask(sender, sync.next));
            const horizon = horizons[asked];
            if (horizon !== undefined) {
              sender.backend.compact({ horizon: Math.min(leafPosition(horizon), target.size) });
            }
          }
          sync.finish();
          expectSame(receiver, sender);
        },
      ),
      { numRuns: scaled(80) },
    );
  });

  test("a part that is pruned as a whole replaces what was already there of it", () => {
    const sender = peerOf(8);
    spend(sender, [0, 1, 2, 3]);
    const target = targetOf(sender, 1);
    const receiver = emptyPeer();
    const sync = new SegmentSync(receiver.pmmr, target);
    sync.apply(ask(sender, sync.next));
    expect(receiver.pmmr.recordAt(0)).toEqual(word(1));
    sender.backend.compact();
    // The second segment is now the root at 6, which covers the first as well.
    sync.apply(ask(sender, sync.next));
    expect(receiver.pmmr.size).toBe(7);
    expect(receiver.pmmr.recordAt(0)).toBeUndefined();
    expect(receiver.pmmr.isCompacted(6)).toBe(true);
    fetchAll(sender, sync);
    sync.finish();
    expectSame(receiver, sender);
  });

  test("a later state can be asked for half way: what was spent since is spent in the end", () => {
    const sender = peerOf(10);
    spend(sender, [0, 1]);
    const receiver = emptyPeer();
    const first = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
    fetchAll(sender, first);
    first.finish();
    sender.pmmr.pushMany([word(50), word(51), word(52)]);
    spend(sender, [2, 3, 9, 11]);
    sender.backend.compact();
    const second = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
    expect(second.next).toEqual({ height: 2, index: 2 });
    fetchAll(sender, second);
    second.finish();
    expectSame(receiver, sender);
  });
});

describe("hostile and mistaken senders", () => {
  test("T-FUZZ: a mutated segment leaves the range as it was, or was a true one", () => {
    const { sender, receiver, target } = half();
    const sync = new SegmentSync(receiver.pmmr, target);
    const ids = Array.from({ length: sync.required }, (_, index) => ({ height: 2, index }));
    const honest = ids.map((id) => encodeSegment(makeSegment(sender.pmmr, id)));
    const known = new Set(honest.map(String));
    const before = stateOf(receiver);
    const random = new Random(seedOf("sync"));
    const counts = { inputs: scaled(20_000), decoded: 0, accepted: 0 };
    for (let i = 0; i < counts.inputs; i++) {
      const input = fuzzInput(random, honest);
      if (known.has(String(input))) continue;
      const code = codeOf(() => {
        const segment = decodeSegment(input, codec);
        counts.decoded++;
        sync.apply(segment);
      });
      expect(code).not.toBe("none");
    }
    printCounts("T-FUZZ segment sync", counts);
    expect(stateOf(receiver)).toEqual(before);
    fetchAll(sender, sync);
    sync.finish();
    expectSame(receiver, sender);
  });

  test("a segment out of turn or of another height is refused, true as it is", () => {
    const { sender, receiver, target } = half();
    const before = stateOf(receiver);
    const sync = new SegmentSync(receiver.pmmr, target);
    expect(sync.next).toEqual({ height: 2, index: 2 });
    for (const id of [
      { height: 2, index: 3 },
      { height: 2, index: 5 },
      { height: 1, index: 4 },
      { height: 3, index: 1 },
    ]) {
      expect(codeOf(() => sync.apply(ask(sender, id)))).toBe("PMMR_OUT_OF_RANGE");
    }
    expect(stateOf(receiver)).toEqual(before);
  });

  test("a range of another history is noticed before anything is written", () => {
    const sender = peerOf(9);
    const receiver = emptyPeer();
    receiver.pmmr.pushMany([word(1), word(2), word(99)]);
    const before = stateOf(receiver);
    const sync = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
    expect(codeOf(() => sync.apply(ask(sender, { height: 2, index: 0 })))).toBe(
      "PMMR_ROOT_MISMATCH",
    );
    expect(stateOf(receiver)).toEqual(before);
  });

  test("a range of another history that no segment touches is noticed in the end", () => {
    const receiver = emptyPeer();
    receiver.pmmr.pushMany([word(99), word(2), word(3)]);
    const sync = new SegmentSync(receiver.pmmr, targetOf(peerOf(3), 2));
    expect(sync.done).toBe(true);
    expect(codeOf(() => sync.finish())).toBe("PMMR_ROOT_MISMATCH");
  });

  test("it does not end early, nor with a leaf spent that should not be", () => {
    const sender = peerOf(8);
    const receiver = emptyPeer();
    const sync = new SegmentSync(receiver.pmmr, targetOf(sender, 2));
    expect(codeOf(() => sync.finish())).toBe("PMMR_SEGMENT_MISSING");
    fetchAll(sender, sync);
    spend(receiver, [3]);
    expect(codeOf(() => sync.finish())).toBe("PMMR_SEGMENT_MISSING");
    // Without a set every leaf is to be unspent.
    const { size, root } = targetOf(sender, 2);
    const all = new SegmentSync(receiver.pmmr, { size, root, height: 2 });
    expect(codeOf(() => all.finish())).toBe("PMMR_SEGMENT_MISSING");
  });

  test("a target that is none, and a range longer than it, are the caller's mistakes", () => {
    const { pmmr } = peerOf(4);
    const target = targetOf(peerOf(8), 2);
    for (const wrong of [{ size: 9 }, { root: new Uint8Array(31) }, { height: 53 }, { size: 4 }]) {
      expect(() => new SegmentSync(pmmr, { ...target, ...wrong })).toThrow(RangeError);
    }
  });

  test("what the range holds may be changed while the sync waits", () => {
    const { sender, receiver, target } = half();
    const sync = new SegmentSync(receiver.pmmr, target);
    receiver.pmmr.rewind(0);
    expect(sync.next).toEqual({ height: 2, index: 0 });
    fetchAll(sender, sync);
    sync.finish();
    expectSame(receiver, sender);
  });
});

describe("state exchange", () => {
  test("bitmap first, then outputs, both against one commitment", () => {
    const sender = peerOf(3000);
    spend(
      sender,
      Array.from({ length: 2200 }, (_, i) => i).filter((i) => i % 7 !== 0),
    );
    sender.backend.compact();
    spend(sender, [0, 7, 14, 2500]);
    const { size, hashing } = sender.pmmr;
    const outputRoot = sender.pmmr.root();
    const served = BitmapAccumulator.from(sender.pmmr.unspentIndexes(), sender.pmmr.leafCount);
    const root = hashing.bag(size, outputRoot, served.root());

    const otherRoot = outputRoot.slice();
    const bitmapSync = new BitmapSync({
      size: bitmapMmrSize(size),
      root,
      height: 1,
      paired: { size, root: otherRoot, side: "left" },
    });
    otherRoot.fill(0);
    while (bitmapSync.next !== undefined) {
      const bytes = encodeBitmapSegment(served.segment(bitmapSync.next));
      bitmapSync.apply(decodeBitmapSegment(bytes));
    }
    const unspent = bitmapSync.finish();
    expect(unspent.root()).toEqual(served.root());
    expect(unspent.size).toBe(sender.pmmr.unspentCount());

    const receiver = emptyPeer();
    const bitmapRoot = unspent.root();
    const given = root.slice();
    const sync = new SegmentSync(receiver.pmmr, {
      size,
      root: given,
      height: 8,
      unspent,
      paired: { size, root: bitmapRoot, side: "right" },
    });
    // What was passed in may be used again.
    for (const bytes of [given, bitmapRoot]) bytes.fill(0);
    fetchAll(sender, sync);
    sync.finish();
    expectSame(receiver, sender);
  });
});

describe("a bitmap sync", () => {
  test("takes each segment once and in turn", () => {
    const source = servedAccumulator();
    const target = { size: source.mmrSize, root: source.root(), height: 2 };
    const sync = new BitmapSync(target);
    expect(sync.required).toBe(3);
    expect(codeOf(() => sync.apply(source.segment({ height: 2, index: 1 })))).toBe(
      "PMMR_OUT_OF_RANGE",
    );
    expect(codeOf(() => sync.apply(source.segment({ height: 1, index: 0 })))).toBe(
      "PMMR_OUT_OF_RANGE",
    );
    expect(codeOf(() => sync.finish())).toBe("PMMR_SEGMENT_MISSING");
    for (let index = 0; index < 3; index++) {
      expect(sync.next).toEqual({ height: 2, index });
      for (let i = 0; i <= index; i++) sync.apply(source.segment({ height: 2, index: i }));
    }
    expect(sync.done).toBe(true);
    sync.apply(source.segment({ height: 2, index: 2 }));
    expect([...sync.finish()]).toEqual([...source]);
  });

  test("keeps nothing of a segment with a bit changed", () => {
    const source = servedAccumulator();
    const sync = new BitmapSync({ size: source.mmrSize, root: source.root(), height: 3 });
    const segment = source.segment({ height: 3, index: 0 });
    segment.leaves.forEach(({ pos0, record }, i) => {
      const changed = record.with(i, (record[i] as number) ^ 1);
      const leaves = segment.leaves.with(i, { pos0, record: changed });
      expect(codeOf(() => sync.apply({ ...segment, leaves }))).toBe("PMMR_ROOT_MISMATCH");
    });
    expect(sync.next).toEqual({ height: 3, index: 0 });
  });

  test("a target that is none is the caller's mistake", () => {
    const target = { size: 3, root: new Uint8Array(32), height: 2 };
    for (const wrong of [{ size: 2 }, { height: -1 }, { root: new Uint8Array(3) }]) {
      expect(() => new BitmapSync({ ...target, ...wrong })).toThrow(RangeError);
    }
  });
});

function half(): { readonly sender: Peer; readonly receiver: Peer; readonly target: SyncTarget } {
  const sender = peerOf(23);
  spend(sender, [0, 1, 2, 3, 9, 16, 17, 18, 19]);
  sender.backend.compact();
  spend(sender, [8]);
  const target = targetOf(sender, 2);
  const receiver = emptyPeer();
  const sync = new SegmentSync(receiver.pmmr, target);
  for (let i = 0; i < 2; i++) sync.apply(ask(sender, sync.next));
  return { sender, receiver, target };
}

/** Everything that a range shows. */
function stateOf({ pmmr }: Peer): unknown {
  const positions = Array.from({ length: pmmr.size }, (_, pos0) => pos0);
  return [
    positions.map((pos0) => [pmmr.hashAt(pos0), pmmr.recordAt(pos0), pmmr.isCompacted(pos0)]),
    [...pmmr.unspentIndexes()],
  ];
}

function servedAccumulator(): BitmapAccumulator {
  const members = Array.from({ length: 9000 }, (_, i) => i).filter((i) => i % 5 !== 0);
  return BitmapAccumulator.from(members);
}
