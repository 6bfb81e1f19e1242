import fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  FailingStore,
  hexOf,
  type OpenedStore,
  Random,
  type StoreImage,
  storeLaws,
  StoreModel,
  type StoreSubject,
} from "../../src/index.ts";

const put = (key: number, ...value: number[]) => ({
  type: "put" as const,
  key: Uint8Array.of(key),
  value: Uint8Array.from(value),
});

const subject: StoreSubject = {
  canFail: true,
  isBounded: false,
  largeBatchCount: 2000,
  async open(): Promise<OpenedStore> {
    let store = new FailingStore();
    return {
      store,
      iteratorCount: () => store.walkCount,
      async reopen() {
        await store.close();
        store = store.killed();
        return store;
      },
      failNextWrite: () => store.plan({ at: 1, kinds: ["batch"] }),
      dispose: () => store.close(),
    };
  },
};

describe("the failing store, nothing planned", () => {
  for (const law of storeLaws(subject))
    test(`keeps the contract: ${law.name}`, async () => {
      await expect(law.run(subject)).resolves.toBeUndefined();
    });
});

describe("the failing store, a failure planned", () => {
  test("exactly the n-th call of the kinds asked for fails, for every n", async () => {
    for (let at = 1; at <= 12; at++)
      for (const kinds of [["read"], ["walk"], ["batch"], ["read", "walk", "batch"]] as const) {
        const store = new FailingStore({ at, kinds });
        const outcomes: { kind: string; failed: boolean }[] = [];
        const call = async (kind: string, made: () => Promise<unknown>): Promise<void> => {
          outcomes.push({ kind, failed: await made().then(() => false, codeIsAFailure) });
        };
        for (let round = 0; round < 4; round++) {
          await call("batch", () => store.batch([put(round, round)]));
          await call("read", () => store.getMany([Uint8Array.of(round)]));
          await call("walk", () => store.iterator().next());
        }
        const counted = outcomes.filter(({ kind }) => (kinds as readonly string[]).includes(kind));
        const first = counted.findIndex(({ failed }) => failed);
        expect(first).toBe(at <= counted.length ? at - 1 : -1);
        // What came after a batch that failed is refused; reads that failed leave no trace.
        const failures = outcomes.filter(({ failed }) => failed);
        const poisons = counted[first]?.kind === "batch";
        expect(store.state).toBe(poisons ? "poisoned" : "open");
        expect(poisons ? 1 : failures.length).toBe(first === -1 ? 0 : 1);
      }
  });

  test("a batch that failed is not shown; reopened it is there only if it was written", async () => {
    for (const written of [false, true]) {
      const store = new FailingStore({ at: 2, kinds: ["batch"], written });
      await store.batch([put(1, 1)]);
      await expect(store.batch([put(1, 2)])).rejects.toMatchObject({
        code: "STORE_DURABILITY_UNKNOWN",
      });
      expect(store.digest()).toBe("01=01");
      expect(store.killed().digest()).toBe(written ? "01=02" : "01=01");
      expect(store.cutToSynced().digest()).toBe("01=01");
    }
  });

  test("a walk that failed goes on failing", async () => {
    const store = new FailingStore({ at: 2, kinds: ["walk"] });
    await store.batch([put(1), put(2), put(3)]);
    const walk = store.iterator();
    await walk.next();
    for (let i = 0; i < 2; i++)
      await expect(walk.next()).rejects.toMatchObject({ code: "STORE_IO" });
    expect(store.walkCount).toBe(0);
    expect((await store.iterator().next()).done).toBe(false);
  });
});

describe("crash images", () => {
  test("a kill leaves all, a power cut without barriers nothing after the last synced batch", async () => {
    const store = await storeOf(["not", "sync", "not", "not"]);
    expect(store.killed().content().length).toBe(4);
    expect(
      store
        .cutToSynced()
        .content()
        .map(([key]) => key),
    ).toEqual(["00", "01"]);
  });

  test("prefixes never lose a synced batch or what was written before it", async () => {
    const store = await storeOf(["not", "sync", "not", "not"]);
    const images = [...store.crashImages(new Random(1))].filter(({ name }) =>
      name.startsWith("prefix"),
    );
    expect(images.map(held)).toEqual(["01", "012"]);
  });

  test("a synced batch stays while any subset of the unsynced ones before it goes", async () => {
    const store = await storeOf(["not", "not", "sync"]);
    const images = [...store.crashImages(new Random(1))].map(held);
    expect(new Set(images)).toEqual(new Set(["012", "02", "12", "2"]));
  });

  test("what was written before a barrier stays", async () => {
    const store = await storeOf(["not", "not", "barrier", "not", "sync"]);
    const images = [...store.crashImages(new Random(1))].map(held);
    expect(new Set(images)).toEqual(new Set(["0134", "014"]));
  });

  test("too many subsets are sampled, with the seed deciding which", async () => {
    const store = await storeOf(Array.from({ length: 12 }, () => "not" as const));
    const sampled = (seed: number): string[] =>
      [...store.crashImages(new Random(seed), 10)].map((image) => image.name);
    expect(sampled(1).length).toBe(12 + 1 + 10);
    expect(sampled(1)).toEqual(sampled(1));
    expect(sampled(1)).not.toEqual(sampled(2));
  });

  test("an image is a store of its own, and its state is where it begins", async () => {
    const store = await storeOf(["not", "sync"]);
    const image = store.killed();
    await image.batch([put(9)], { sync: false });
    expect(image.cutToSynced().digest()).toBe(store.digest());
    expect(store.content().length).toBe(2);
  });
});

describe("damage", () => {
  test("one batch of the middle is missing, and only it", async () => {
    const store = new FailingStore();
    for (let i = 0; i < 5; i++) await store.batch([put(i, 1), put(0, i)]);
    const expected = new StoreModel();
    for (const i of [0, 1, 3, 4]) expected.batch([put(i, 1), put(0, i)]);
    expect(store.withoutBatch(2).digest()).toBe(expected.digest());
  });

  test("exactly one bit of one value is flipped", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(), (value, at) => {
        const key = Uint8Array.of(1);
        const begin = new StoreModel([[hexOf(key), value]]);
        const bit = at % (8 * value.length);
        const damaged = new FailingStore(undefined, begin).withFlippedBit(key, bit).getSync(key);
        const distance = value.reduce(
          (sum, byte, i) => sum + bitCount(byte ^ (damaged?.[i] ?? 0)),
          0,
        );
        expect(distance).toBe(1);
        expect((value[bit >> 3] ?? 0) ^ (damaged?.[bit >> 3] ?? 0)).toBe(1 << (bit & 7));
      }),
    );
  });

  test("an older value comes back where there was one", async () => {
    const store = new FailingStore(undefined, new StoreModel([["01", Uint8Array.of(7)]]));
    expect(store.withOlderValue(Uint8Array.of(1))).toBeUndefined();
    await store.batch([put(1, 8), put(2, 1)]);
    expect(store.withOlderValue(Uint8Array.of(1))?.digest()).toBe("01=07,02=01");
    await store.batch([put(1, 9)]);
    expect(store.withOlderValue(Uint8Array.of(1))?.digest()).toBe("01=08,02=01");
    expect(store.withOlderValue(Uint8Array.of(2))).toBeUndefined();
  });
});

function codeIsAFailure(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : error;
  expect(code).toBeOneOf(["STORE_IO", "STORE_DURABILITY_UNKNOWN", "STORE_POISONED"]);
  return true;
}

function bitCount(byte: number): number {
  return [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => (byte & (1 << bit)) !== 0).length;
}

/** Each batch puts its own number under its own key, so that a state tells which batches it holds. */
async function storeOf(syncs: readonly ("sync" | "not" | "barrier")[]): Promise<FailingStore> {
  const store = new FailingStore();
  for (const [index, sync] of syncs.entries())
    await store.batch(sync === "barrier" ? [] : [put(index)], { sync: sync !== "not" });
  return store;
}

/** The batches an image holds, as digits. */
function held({ store }: StoreImage): string {
  return store
    .content()
    .map(([key]) => Number.parseInt(key, 16))
    .join("");
}
