import { expect, test } from "vitest";
import { bytesCodec, MemoryBackend, Pmmr } from "../src/index.ts";
import { fromHex, toHex, vectors } from "./vectors.ts";
test("x", () => {
  for (const row of vectors.hash16.rootsBySize) {
    const p = new Pmmr(new MemoryBackend({ codec: bytesCodec(16), prunable: true }));
    for (const e of vectors.hash16.elements.slice(0, row.leaves)) p.push(fromHex(e));
    expect(toHex(p.root())).toBe(row.root);
    const q = new Pmmr(new MemoryBackend({ codec: bytesCodec(16), prunable: true }));
    q.pushMany(vectors.hash16.elements.slice(0, row.leaves).map((e) => fromHex(e)));
    expect(toHex(q.root())).toBe(row.root);
  }
});
