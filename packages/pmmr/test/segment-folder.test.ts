import { MemoryFileSystem } from "@x/append-only-file";
import { toHex } from "@x/hash";
import { printCounts, scaled } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { BitmapAccumulator } from "../src/bitmap-accumulator.ts";
import { bytesCodec, type ElementCodec } from "../src/codec.ts";
import { openPmmr } from "../src/file-backend/open.ts";
import type { PmmrFolder } from "../src/file-backend/pmmr-folder.ts";
import { kernelCodec } from "../src/grin/kernel.ts";
import { CHAIN_FOLDERS } from "../src/grin/layout.ts";
import { outputCodec } from "../src/grin/output.ts";
import { MemoryBackend } from "../src/memory-backend.ts";
import { Pmmr } from "../src/pmmr.ts";
import { leafPosition } from "../src/position.ts";
import { decodeSegment, encodeSegment } from "../src/segment-codec.ts";
import { makeSegment } from "../src/segment-make.ts";
import { SegmentSync, type SyncTarget } from "../src/segment-sync.ts";
import { formatFiles, folderOf } from "./file-backend/support/memory-folder.ts";
import { readChainFile } from "./grin/chain-files.ts";
import { word } from "./support.ts";

vi.setConfig({ testTimeout: 120_000 });

/** A copy of one of the real chain's folders. */
function chainFolder(folder: string, names: readonly string[]): MemoryFileSystem {
  return folderOf(
    Object.fromEntries(names.map((name) => [name, readChainFile(`${folder}/${name}`)])),
  );
}

function hexFiles(fs: MemoryFileSystem): Record<string, string> {
  return Object.fromEntries(
    Object.entries(formatFiles(fs)).map(([name, bytes]) => [name, toHex(bytes)]),
  );
}

/**
 * Syncs a folder from another one; every third segment is followed by a commit, and every fifth by the end of the process
 * before it, so that what was not committed is asked for again.
 */
async function syncFolder<E>(
  sender: PmmrFolder<E>,
  target: SyncTarget,
  options: { readonly codec: ElementCodec<E>; readonly prunable: boolean },
): Promise<{ readonly fs: MemoryFileSystem; readonly asked: number; readonly restarts: number }> {
  const fs = new MemoryFileSystem();
  let folder = await openPmmr(fs, options);
  let asked = 0;
  let restarts = 0;
  let sync = new SegmentSync(folder.pmmr, target);
  for (let id = sync.next; id !== undefined; id = sync.next) {
    const bytes = encodeSegment(makeSegment(sender.pmmr, id));
    sync.apply(decodeSegment(bytes, options.codec));
    asked++;
    if (asked % 3 === 0) await folder.commit();
    if (asked % 5 === 0) {
      await folder.close();
      folder = await openPmmr(fs, options);
      sync = new SegmentSync(folder.pmmr, target);
      restarts++;
    }
  }
  sync.finish();
  await folder.commit();
  expect((await folder.verify()).ok).toBe(true);
  if (options.prunable) await folder.compact();
  await folder.close();
  return { fs, asked, restarts };
}

describe("a folder brought about from segments", () => {
  test("outputs of the real chain, half of them spent: in the end the sender's files, byte for byte", async () => {
    const fs = chainFolder(CHAIN_FOLDERS.output, [
      "pmmr_data.bin",
      "pmmr_hash.bin",
      "pmmr_leaf.bin",
    ]);
    const options = { codec: outputCodec, prunable: true };
    const sender = await openPmmr(fs, options);
    for (let index = 0; index < 1053; index++) {
      if (index < 400 || index % 3 !== 0) sender.pmmr.prune(leafPosition(index));
    }
    await sender.commit();
    await sender.compact();
    await sender.checkpoint();
    const { size } = sender.pmmr;
    const unspent = BitmapAccumulator.from(sender.pmmr.unspentIndexes());
    const target = { size, root: sender.pmmr.root(), height: 5, unspent };
    const result = await syncFolder(sender, target, options);
    expect(hexFiles(result.fs)).toEqual(hexFiles(fs));
    expect(Object.keys(hexFiles(fs)).length).toBe(4);
    await sender.close();
    printCounts("outputs synced into a folder", { asked: result.asked, restarts: result.restarts });
    expect(result.restarts).toBeGreaterThan(2);
  });

  test("whatever the sender spends and compacts meanwhile, and wherever the process ends", async () => {
    const codec = bytesCodec(4);
    const counts = { syncs: 0, asked: 0, restarts: 0 };
    const script = fc.record({
      leaves: fc.integer({ min: 1, max: 60 }),
      kept: fc.array(fc.nat(59), { maxLength: 15 }),
      height: fc.nat(4),
      // After each segment: 0 and 1 nothing, 2 commit, 3 the process ends, 4 and more the sender compacts up to a leaf.
      events: fc.array(fc.nat(30), { minLength: 60, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(script, async ({ leaves, kept, height, events }) => {
        const backend = new MemoryBackend({ codec, prunable: true });
        const sent = new Pmmr(backend);
        sent.pushMany(Array.from({ length: leaves }, (_, i) => word(i)));
        for (let i = 0; i < leaves; i++) if (!kept.includes(i)) sent.prune(leafPosition(i));
        const { size } = sent;
        const unspent = BitmapAccumulator.from(sent.unspentIndexes());
        const target = { size, root: sent.root(), height, unspent };
        const fs = new MemoryFileSystem();
        let folder = await openPmmr(fs, { codec, prunable: true });
        for (let asked = 0; ; asked++) {
          const sync = new SegmentSync(folder.pmmr, target);
          const { next } = sync;
          if (next === undefined) break;
          // Every event happens once, and then each segment is committed.
          expect(asked).toBeLessThan(events.length + sync.required + 1);
          sync.apply(makeSegment(sent, next));
          counts.asked++;
          const event = events[asked] ?? 2;
          if (event === 2) await folder.commit();
          if (event === 3) {
            await folder.close();
            folder = await openPmmr(fs, { codec, prunable: true });
            counts.restarts++;
          }
          if (3 < event) backend.compact({ horizon: Math.min(size, leafPosition(2 * event)) });
        }
        new SegmentSync(folder.pmmr, target).finish();
        await folder.commit();
        await folder.close();
        const reopened = await openPmmr(fs, { codec, prunable: true });
        expect(toHex(reopened.pmmr.root())).toBe(toHex(sent.root()));
        expect([...reopened.pmmr.unspentIndexes()]).toEqual([...sent.unspentIndexes()]);
        expect((await reopened.verify()).ok).toBe(true);
        await reopened.close();
        counts.syncs++;
      }),
      { numRuns: scaled(40) },
    );
    printCounts("syncs into folders", counts);
    expect(counts.restarts).toBeGreaterThan(5);
  });

  test("kernels of the real chain: in the end the node's files, byte for byte", async () => {
    const names = ["pmmr_data.bin", "pmmr_hash.bin", "pmmr_size.bin"];
    const fs = chainFolder(CHAIN_FOLDERS.kernel, names);
    const options = { codec: kernelCodec(), prunable: false };
    const sender = await openPmmr(fs, options);
    const target = { size: sender.pmmr.size, root: sender.pmmr.root(), height: 6 };
    const result = await syncFolder(sender, target, options);
    const files = hexFiles(result.fs);
    for (const name of names) {
      expect(files[name]).toBe(toHex(readChainFile(`${CHAIN_FOLDERS.kernel}/${name}`)));
    }
    await sender.close();
    printCounts("kernels synced into a folder", { asked: result.asked, restarts: result.restarts });
  });
});
