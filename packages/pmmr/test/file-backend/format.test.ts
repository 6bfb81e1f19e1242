import { readFileSync } from "node:fs";
import { MemoryFileSystem } from "@x/append-only-file";
import { Bitmap } from "@x/bitmap";
import { toHex } from "@x/hash";
import { describe, expect, test } from "vitest";
import { bytesCodec } from "../../src/codec.ts";
import { encodeSetDelta } from "../../src/file-backend/delta.ts";
import { openPmmr } from "../../src/file-backend/index.ts";
import { encodeStateMeta, STATE_META_SIZE } from "../../src/file-backend/state-meta.ts";
import { allFiles, readFile } from "./support/memory-folder.ts";

const format = readFileSync(new URL("../../FORMAT.md", import.meta.url), "utf8");

describe("the examples of FORMAT.md", () => {
  test("a folder of nine leaves, four of them compacted", async () => {
    const fs = new MemoryFileSystem();
    const folder = await openPmmr(fs, { codec: bytesCodec(4), prunable: true });
    folder.pmmr.pushMany(Array.from({ length: 9 }, (_, i) => Uint8Array.of(0, 0, 0, i)));
    for (const pos0 of [0, 1, 3, 4]) folder.pmmr.prune(pos0);
    await folder.commit();
    await folder.compact();
    await folder.close({ handOver: true });
    const names = Object.keys(allFiles(fs)).toSorted();
    expect(names).toEqual(["pmmr_data.bin", "pmmr_hash.bin", "pmmr_leaf.bin", "pmmr_prun.bin"]);
    for (const name of names) expect(format).toContain(`\`${name}\``);
    const roots = [...Bitmap.deserialize(readFile(fs, "pmmr_prun.bin"))];
    const unspent = [...Bitmap.deserialize(readFile(fs, "pmmr_leaf.bin"))];
    expect(format).toContain(`R = {pos1 ${roots.join(", ")}}, S = {${unspent.join(", ")}}`);
    expect(format.replaceAll("\n", " ")).toContain(
      `pos0 6 to 15, ${readFile(fs, "pmmr_hash.bin").length} bytes`,
    );
    expect(format).toContain(`leaves 4 to 8, ${readFile(fs, "pmmr_data.bin").length} bytes`);
  });

  test("two bitmaps", () => {
    expect(format).toContain(`The empty set is \`${toHex(new Bitmap().serialize())}\``);
    expect(format).toContain(`{1, 4} is \`${toHex(Bitmap.from([1, 4]).serialize())}\``);
  });

  test("a set delta, and the size of a state", () => {
    const delta = toHex(encodeSetDelta({ added: [8], removed: [1] }));
    expect(format).toContain(`\`${delta.replaceAll(/(.{8})(?=.)/g, "$1 ")}\``);
    expect(format).toContain(`${STATE_META_SIZE} bytes:`);
    expect(encodeStateMeta({ size: 1, root: new Uint8Array(32) }).length).toBe(STATE_META_SIZE);
  });
});
