import { describe, expect, test } from "vitest";

import { type Outcome, WriteQueue } from "../../src/wrap/write-queue.ts";

/** Writes that end when they are told to. */
class Writes {
  readonly groups: (readonly number[])[] = [];
  readonly #ends: ((outcomes: readonly Outcome[]) => void)[] = [];

  readonly write = (group: readonly number[]): Promise<readonly Outcome[]> => {
    this.groups.push(group);
    return new Promise((resolve) => this.#ends.push(resolve));
  };

  async end(outcomes: readonly Outcome[] = []): Promise<void> {
    this.#ends.shift()?.(outcomes);
    // The queue goes on in turns of its own.
    for (let i = 0; i < 10; i++) await Promise.resolve();
  }
}

function queueOf(writes: Writes, weightMax = 100): WriteQueue<number> {
  return new WriteQueue(writes.write, (item) => item, weightMax);
}

describe("a queue of writes", () => {
  test("begins at once when nothing is under way, and takes together what came meanwhile", async () => {
    const writes = new Writes();
    const queue = queueOf(writes);
    const added = [1, 2, 3].map((item) => queue.add(item));
    expect(writes.groups).toEqual([[1]]);
    await writes.end();
    expect(writes.groups).toEqual([[1], [2, 3]]);
    added.push(queue.add(4));
    await writes.end();
    await writes.end();
    expect(writes.groups).toEqual([[1], [2, 3], [4]]);
    await Promise.all(added);
  });

  test("takes no more together than the limit, and alone what is over it", async () => {
    const writes = new Writes();
    const queue = queueOf(writes, 10);
    const added = [50, 6, 4, 1, 11, 10, 0, 3].map((item) => queue.add(item));
    for (let i = 0; i < 6; i++) await writes.end();
    expect(writes.groups).toEqual([[50], [6, 4], [1], [11], [10, 0], [3]]);
    await Promise.all(added);
  });

  test("tells each what became of it, and goes on after failures", async () => {
    const writes = new Writes();
    const queue = queueOf(writes);
    const first = queue.add(1);
    const others = Promise.allSettled([2, 3, 4].map((item) => queue.add(item)));
    await writes.end();
    await writes.end([undefined, { error: "conflict" }, undefined]);
    await first;
    expect(
      (await others).map((one) => (one.status === "rejected" ? one.reason : "written")),
    ).toEqual(["written", "conflict", "written"]);
    const failing = new WriteQueue<number>(
      () => Promise.reject(new Error("all")),
      () => 1,
      9,
    );
    const failed = await Promise.allSettled([failing.add(1), failing.add(2)]);
    expect(failed.map((one) => one.status)).toEqual(["rejected", "rejected"]);
  });

  test("is idle when all is written, also what is added while it is waited for", async () => {
    const writes = new Writes();
    const queue = queueOf(writes);
    await queue.idle();
    const seen: string[] = [];
    const added = queue.add(1);
    const idle = queue.idle().then(() => seen.push("idle"));
    const later = queue.add(2).then(() => seen.push("two"));
    await writes.end();
    expect(seen).toEqual([]);
    await writes.end();
    await Promise.all([added, idle, later]);
    expect(seen).toEqual(["two", "idle"]);
  });
});
