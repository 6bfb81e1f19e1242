import { CountingStore, FailingStore } from "@x/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { type Reading, runAsync, runSync, together } from "../src/index.ts";

// Follows links: each value is the key of the next, an empty value ends. Returns how many there were.
function* follow(from: number): Reading<number> {
  let key = Uint8Array.of(from);
  for (let count = 0; ; count++) {
    const [value] = yield [key];
    if (value === undefined) throw new RangeError(`nothing at ${key[0]}`);
    if (value.length === 0) return count;
    key = new Uint8Array(value);
  }
}

/** Links 9 → 8 → … → 0. */
async function chain(): Promise<CountingStore<FailingStore>> {
  const store = new CountingStore(new FailingStore());
  await store.batch(
    Array.from({ length: 10 }, (_, i) => ({
      type: "put",
      key: Uint8Array.of(i),
      value: i === 0 ? new Uint8Array() : Uint8Array.of(i - 1),
    })),
  );
  store.take();
  return store;
}

/** What a call gives or throws. */
async function outcomeOf<T>(
  call: () => T | Promise<T>,
): Promise<{ result: T } | { error: unknown }> {
  try {
    return { result: await call() };
  } catch (error) {
    return { error };
  }
}

/** The outcome of a reading, which both drivers must agree on. */
async function both<T>(
  make: () => Reading<T>,
  store: FailingStore,
): Promise<{ result: T } | { error: unknown }> {
  const outcome = await outcomeOf(() => runSync(make(), store));
  expect(await outcomeOf(() => runAsync(make(), store))).toEqual(outcome);
  return outcome;
}

function* idle(steps: number): Reading<string> {
  for (let i = 0; i < steps; i++) expect(yield []).toEqual([]);
  return "done";
}

function* triesThrice(): Reading<number> {
  for (let attempt = 0; ; attempt++) {
    try {
      yield [Uint8Array.of(1)];
    } catch {
      if (attempt === 2) return attempt;
    }
  }
}

function* asks(plan: readonly (readonly number[])[]): Reading<unknown> {
  const seen: unknown[] = [];
  for (const keys of plan) seen.push(yield keys.map((key) => Uint8Array.of(key)));
  return seen;
}

describe("the drivers", () => {
  test("run a reading with one read per step", async () => {
    const store = await chain();
    expect(runSync(follow(4), store)).toBe(4);
    expect(store.take()).toMatchObject({ getMany: 5, keys: 5, get: 0 });
    expect(await runAsync(follow(4), store)).toBe(4);
    expect(store.take()).toMatchObject({ getMany: 5, keys: 5, get: 0 });
  });

  test("give values in the order of the keys, undefined where there is none", async () => {
    const store = new FailingStore();
    await store.batch([{ type: "put", key: Uint8Array.of(1), value: Uint8Array.of(7) }]);
    expect(await both(() => asks([[2, 1, 1]]), store)).toEqual({
      result: [[undefined, Uint8Array.of(7), Uint8Array.of(7)]],
    });
  });

  test("ask nothing of the store for a step without keys, or a reading without steps", async () => {
    const store = await chain();
    for (const steps of [0, 3]) {
      expect(runSync(idle(steps), store)).toBe("done");
      expect(await runAsync(idle(steps), store)).toBe("done");
    }
    expect(store.take()).toMatchObject({ getMany: 0 });
  });

  test("let out what a reading throws", async () => {
    expect(await both(() => follow(3), new FailingStore())).toEqual({
      error: new RangeError("nothing at 3"),
    });
  });

  test("throw what a read throws into the reading, which may clean up or go on", async () => {
    const store = await chain();
    await store.close();
    const seen: unknown[] = [];
    function* cleansUp(): Reading<void> {
      try {
        yield [Uint8Array.of(1)];
      } finally {
        seen.push("cleaned");
      }
    }
    expect(() => runSync(cleansUp(), store)).toThrow(
      expect.objectContaining({ code: "STORE_CLOSED" }),
    );
    await expect(runAsync(cleansUp(), store)).rejects.toMatchObject({ code: "STORE_CLOSED" });
    expect(seen).toEqual(["cleaned", "cleaned"]);
    expect(runSync(triesThrice(), store)).toBe(2);
    expect(await runAsync(triesThrice(), store)).toBe(2);
  });

  test("an asynchronous one stops at the next step when it is aborted", async () => {
    const store = await chain();
    const controller = new AbortController();
    function* stopsItself(): Reading<void> {
      yield [Uint8Array.of(1)];
      controller.abort(new Error("enough"));
      yield [Uint8Array.of(2)];
    }
    const running = runAsync(stopsItself(), store, { signal: controller.signal });
    await expect(running).rejects.toThrow("enough");
    expect(store.take()).toMatchObject({ getMany: 1 });
  });
});

describe("together", () => {
  test("reads what all readings need in as many calls as the longest of them", async () => {
    const store = await chain();
    const starts = [3, 9, 0, 9, 5];
    expect(runSync(together(starts.map(follow)), store)).toEqual(starts);
    expect(store.take()).toMatchObject({ getMany: 10, keys: 4 + 10 + 1 + 10 + 6 });
    expect(runSync(together([]), store)).toEqual([]);
    expect(store.take()).toMatchObject({ getMany: 0 });
  });

  test("gives each reading what it would have got alone", async () => {
    const store = await chain();
    const shape = fc.array(fc.array(fc.array(fc.nat({ max: 12 }), { maxLength: 4 })));
    await fc.assert(
      fc.asyncProperty(shape, async (plans) => {
        const alone = plans.map((plan) => runSync(asks(plan), store));
        expect(runSync(together(plans.map(asks)), store)).toEqual(alone);
        expect(await runAsync(together(plans.map(asks)), store)).toEqual(alone);
      }),
    );
  });

  test("ends the others when one throws, and all when it is given up", async () => {
    const store = await chain();
    const ended: string[] = [];
    function* waits(name: string): Reading<void> {
      try {
        for (;;) yield [Uint8Array.of(1)];
      } finally {
        ended.push(name);
      }
    }
    expect(() => runSync(together<unknown>([waits("a"), follow(200), waits("b")]), store)).toThrow(
      RangeError,
    );
    expect(ended).toEqual(["a", "b"]);
    const given = together([waits("c")]);
    given.next([]);
    given.return([]);
    expect(ended).toEqual(["a", "b", "c"]);
  });
});
