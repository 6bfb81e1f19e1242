import { collectGarbage } from "@x/testing";
import { describe, expect, test } from "vitest";

import { BufferedIterator, type EntrySource, OpenIterators } from "../../src/adapter/index.ts";
import { type Entry, type StoreIterator } from "../../src/index.ts";

const entry = (value: number): Entry => [Uint8Array.of(value), Uint8Array.of(value)];

/** Gives reads of these sizes, then the end, and notes what it was asked. */
class Source implements EntrySource {
  readonly calls: string[] = [];
  readonly #sizes: number[];
  #given = 0;
  #isRunning = false;

  constructor(...sizes: number[]) {
    this.#sizes = sizes;
  }

  async read(): Promise<Entry[]> {
    this.calls.push("read");
    if (this.#isRunning) throw new Error("two reads at once");
    this.#isRunning = true;
    await Promise.resolve();
    this.#isRunning = false;
    return Array.from({ length: this.#sizes.shift() ?? 0 }, () => entry(this.#given++));
  }

  release(): void {
    this.calls.push("release");
  }
}

async function take(walk: StoreIterator, count: number): Promise<(number | undefined)[]> {
  const steps = await Promise.all(Array.from({ length: count }, () => walk.next()));
  return steps.map((step) => step.value?.[0][0]);
}

describe("a buffered iterator", () => {
  test("reads when it has nothing left, one read at a time, and releases at the end", async () => {
    const source = new Source(2, 3);
    const walk = new BufferedIterator(source);
    expect(await take(walk, 4)).toEqual([0, 1, 2, 3]);
    expect(source.calls).toEqual(["read", "read"]);
    expect(await take(walk, 3)).toEqual([4, undefined, undefined]);
    expect(source.calls).toEqual(["read", "read", "read", "release"]);
  });

  test("answers a return after the calls before it", async () => {
    const source = new Source(2, 2);
    const walk = new BufferedIterator(source);
    const [steps, returned, after] = await Promise.all([
      take(walk, 3),
      walk.return(),
      take(walk, 1),
    ]);
    expect(steps).toEqual([0, 1, 2]);
    expect(returned).toEqual({ done: true, value: undefined });
    expect(after).toEqual([undefined]);
    expect(source.calls.filter((call) => call === "release").length).toBe(1);
  });

  test("goes on failing after a read failed, and releases once", async () => {
    const calls: string[] = [];
    const walk = new BufferedIterator({
      read() {
        calls.push("read");
        throw new Error("unreadable");
      },
      release() {
        calls.push("release");
      },
    });
    const outcomes = await Promise.allSettled([walk.next(), walk.next(), walk.next()]);
    expect(outcomes.every((one) => one.status === "rejected")).toBe(true);
    await expect(walk.next()).rejects.toThrow("unreadable");
    await expect(walk.return()).resolves.toEqual({ done: true, value: undefined });
    expect(calls).toEqual(["read", "release"]);
  });

  test("does not give what it has read once its source may not go on", async () => {
    let isOpen = true;
    const source = Object.assign(new Source(5), {
      check(): void {
        if (!isOpen) throw new Error("closed");
      },
    });
    const walk = new BufferedIterator(source);
    expect(await take(walk, 1)).toEqual([0]);
    isOpen = false;
    await expect(walk.next()).rejects.toThrow("closed");
    isOpen = true;
    await expect(walk.next()).rejects.toThrow("closed");
  });

  test("tells when releasing failed, and not twice", async () => {
    const walk = new BufferedIterator({
      read: () => [],
      release() {
        throw new Error("stuck");
      },
    });
    await expect(walk.next()).rejects.toThrow("stuck");
    await expect(walk.return()).rejects.toThrow("stuck");
    expect(await walk.next()).toEqual({ done: true, value: undefined });
  });
});

describe("open iterators", () => {
  test("are bounded, and a place is free again when one ends", async () => {
    const open = new OpenIterators(2);
    const [first] = [open.open(() => new Source(1)), open.open(() => new Source(1))];
    const opened: string[] = [];
    const third = (): StoreIterator =>
      open.open(() => {
        opened.push("third");
        return new Source(1);
      });
    expect(third).toThrow(expect.objectContaining({ code: "STORE_ITERATOR_LIMIT" }));
    expect(opened).toEqual([]);
    await first.return();
    expect(open.count).toBe(1);
    expect(await take(third(), 2)).toEqual([0, undefined]);
    expect(open.count).toBe(1);
  });

  test("release their snapshots when nobody holds them", async () => {
    const open = new OpenIterators();
    const source = new Source(1);
    const failing = {
      read: () => [],
      release: () => Promise.reject(new Error("nobody hears this")),
    };
    forget(() => open.open(() => source));
    forget(() => open.open(() => failing));
    expect(open.count).toBe(2);
    await collectGarbage(() => open.count === 0);
    expect(source.calls).toEqual(["release"]);
  });

  test("fail when all are closed, also in the middle of a read, and are released once", async () => {
    const open = new OpenIterators();
    const [idle, busy] = [new Source(1), new Source(1)];
    const walks = [open.open(() => idle), open.open(() => busy)] as const;
    const step = walks[1].next();
    await open.close();
    await expect(walks[0].next()).rejects.toMatchObject({ code: "STORE_CLOSED" });
    expect((await step).done).toBe(false);
    await expect(walks[1].next()).rejects.toMatchObject({ code: "STORE_CLOSED" });
    await walks[0].return();
    expect(idle.calls).toEqual(["release"]);
    expect(busy.calls).toEqual(["read", "release"]);
    expect(open.count).toBe(0);
  });

  test("a read that fails because its snapshot was taken away fails with STORE_CLOSED", async () => {
    const open = new OpenIterators();
    const rejecters: ((error: Error) => void)[] = [];
    const walk = open.open(() => ({
      read: () => new Promise<Entry[]>((_, reject) => rejecters.push(reject)),
      release: () => rejecters[0]?.(new Error("iterator is not open")),
    }));
    const step = walk.next();
    await open.close();
    await expect(step).rejects.toMatchObject({ code: "STORE_CLOSED" });
  });

  test("their bound is a positive count", () => {
    for (const count of [0, -1, 0.5, Number.NaN, Infinity])
      expect(() => new OpenIterators(count)).toThrow(RangeError);
  });
});

/** In a function of its own, so that nothing on the stack holds the result. */
function forget(make: () => unknown): void {
  make();
}
