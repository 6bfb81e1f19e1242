import { FailingStore, Random, scaled } from "@x/testing";
import { describe, expect, test } from "vitest";

import { type MapFault, VerMap } from "../src/index.ts";
import { RecordKeys, RecordKind } from "../src/records/record-keys.ts";
import { commitOf, openText } from "./opened.ts";

const KEYS = new RecordKeys(new Uint8Array());
const NOUNS = ["format", "state", "commit", "mentions", "branch"] as const;

/** Branches, a merge, a commit mentioned twice, trees of two levels. */
async function filled(): Promise<FailingStore> {
  const store = new FailingStore();
  const map = await openText(store);
  const entries = Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`k${i + 100}`, "v"]));
  await commitOf(map, "main", entries);
  await map.createBranch("dev", "main");
  await commitOf(map, "main", { a: "1" });
  await commitOf(map, "dev", { b: "2" });
  await map.merge("dev", "main");
  await map.createBranch("other", "dev");
  await map.branch("other").set("uncommitted", "3");
  return store;
}

function records(store: FailingStore): { key: Uint8Array; value: Uint8Array }[] {
  return store.content().map(([key, value]) => ({ key: bytesOf(key), value }));
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

async function firstBad(store: FailingStore): Promise<MapFault | undefined> {
  const report = await VerMap.verify(store);
  expect(report.ok).toBe(report.firstBad === undefined);
  return report.firstBad;
}

describe("verify", () => {
  test("finds nothing in a map that is whole, and counts what there is", async () => {
    const report = await VerMap.verify(await filled());
    expect(report).toMatchObject({ ok: true, commits: 4, branches: 3, anchors: 0, faultCount: 0 });
    expect(report.nodes).toBeGreaterThan(5);
    expect(report.bytes).toBeGreaterThan(1000);
  });

  test("names the record in which one bit is another, whichever it is", async () => {
    const store = await filled();
    let damaged = 0;
    for (const { key, value } of records(store)) {
      const kind = KEYS.kindOf(key);
      if (kind >= RecordKind.nodes) continue;
      for (let bit = 0; bit < value.length * 8; bit++) {
        const id = KEYS.idOf(key) ?? 0;
        const found = await firstBad(store.withFlippedBit(key, bit));
        expect(found).toMatchObject({ kind: "corrupt", at: NOUNS[kind], id });
        damaged++;
      }
    }
    expect(damaged).toBeGreaterThan(800);
  });

  test("names the record that is missing", async () => {
    const store = await filled();
    const expected: Readonly<Record<number, (id: number) => Partial<MapFault>>> = {
      [RecordKind.format]: () => ({ kind: "missing", at: "format" }),
      [RecordKind.state]: () => ({ kind: "missing", at: "state" }),
      [RecordKind.commit]: (id) => ({ kind: "missing", at: "commit", id }),
      // Absent, it says one.
      [RecordKind.mentions]: (id) => ({ kind: "mention-count", at: "commit", id, found: 1 }),
    };
    for (const { key } of records(store)) {
      const image = store.killed();
      await image.batch([{ type: "del", key }]);
      const found = await firstBad(image);
      const of = expected[KEYS.kindOf(key)];
      expect(found).toMatchObject(of?.(KEYS.idOf(key) ?? 0) ?? {});
    }
    const image = store.killed();
    await image.batch([{ type: "del", key: KEYS.branch(1) }]);
    expect(await firstBad(image)).toMatchObject({ kind: "missing", at: "branch", id: 1 });
  });

  test("finds a node of the tree that is damaged or missing", async () => {
    const store = await filled();
    const nodes = records(store).filter(({ key }) => KEYS.kindOf(key) === RecordKind.nodes);
    for (const { key } of nodes) {
      const image = store.killed();
      await image.batch([{ type: "put", key, value: Uint8Array.of(0xff) }]);
      expect(await firstBad(image)).toMatchObject({ kind: "tree" });
    }
  });

  test("finds commits that nothing leads to, and ids that were not given out; repair takes the former", async () => {
    const store = await filled();
    const old = store.killed();
    const map = await openText(old);
    await map.deleteBranch("other");
    const orphan = records(store).find(({ key }) => KEYS.idOf(key) === 3);
    expect(orphan).toBeDefined();
    const image = store.killed();
    await image.batch([{ type: "del", key: KEYS.branch(3) }]);
    // The head of the lost branch is counted once too often, and its working tree is nobody's.
    const found = await VerMap.verify(image);
    expect(found.firstBad).toMatchObject({ kind: "mention-count", at: "commit", id: 3 });
    const mended = await openText(image);
    const report = await mended.repair();
    expect(report.countsWritten).toBe(1);
    expect(report.nodesDeleted).toBeGreaterThan(0);
    expect((await mended.verify()).firstBad).toBeUndefined();
    expect(await mended.repair()).toEqual({ commitsDeleted: 0, countsWritten: 0, nodesDeleted: 0 });
  });

  test("of a map that lost one batch in the middle says so, unless later ones made up for it", async () => {
    const store = await filled();
    let found = 0;
    for (let index = 0; index < store.history.length - 1; index++) {
      const image = store.withoutBatch(index);
      const report = await VerMap.verify(image);
      if (!report.ok) found++;
      expect(report.ok ? image.digest() : store.digest()).toBe(store.digest());
    }
    expect(found).toBeGreaterThan(3);
  });

  test("finds a record that is as it was before, but for the two that only count", async () => {
    const store = await filled();
    let found = 0;
    for (const { key } of records(store)) {
      const image = store.withOlderValue(key);
      const isCounter = key.length === 1 && key[0] === RecordKind.state;
      const isPool = key.length === 2 && key[0] === RecordKind.nodes;
      if (image === undefined || isCounter || isPool) continue;
      found++;
      expect((await VerMap.verify(image)).ok).toBe(false);
    }
    expect(found).toBeGreaterThan(3);
  });

  test("and opening give an answer to any damage: an error with a code, never a hang", async () => {
    const store = await filled();
    const all = records(store);
    const random = new Random(5);
    for (let run = 0; run < scaled(600); run++) {
      const { key, value } = random.pick(all);
      const bytes = random.chance(0.5) ? random.bytes(random.below(40)) : new Uint8Array(value);
      if (bytes.length > 0) bytes[random.below(bytes.length)] = random.below(256);
      const image = store.killed();
      await image.batch([{ type: "put", key, value: bytes }]);
      const report = await VerMap.verify(image);
      expect(typeof report.ok).toBe("boolean");
      const outcome = await openText(image).then(
        () => "opened",
        (error: { code: string }) => error.code,
      );
      expect(outcome).toMatch(/^(opened|VERMAP_(CORRUPT|MISSING)|BTREE_(CORRUPT|FORMAT))$/);
    }
  });

  test("stops when it is told to, and says how far it is", async () => {
    const store = await filled();
    const reason = new Error("enough");
    await expect(VerMap.verify(store, { signal: { aborted: true, reason } })).rejects.toBe(reason);
    const seen: number[] = [];
    await VerMap.verify(store, { onProgress: (count) => seen.push(count) });
    expect(seen.length).toBeGreaterThan(5);
  });
});

test("repair does not touch a map whose records are damaged themselves", async () => {
  const store = await filled();
  const map = await openText(store);
  const before = store.digest();
  const { value } = records(store).find(({ key }) => KEYS.idOf(key) === 2) ?? {};
  expect(value).toBeDefined();
  await store.batch([{ type: "put", key: KEYS.commit(2), value: Uint8Array.of(1, 2, 3) }]);
  await expect(map.repair()).rejects.toMatchObject({ code: "VERMAP_CORRUPT" });
  await store.batch([{ type: "del", key: KEYS.commit(2) }]);
  await expect(map.repair()).rejects.toMatchObject({ code: "VERMAP_MISSING" });
  expect(store.digest()).not.toBe(before);
});
