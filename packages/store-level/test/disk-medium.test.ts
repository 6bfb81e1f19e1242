import { describe, expect, test } from "vitest";

import { DiskMedium, type LogFolder } from "../src/disk-medium.ts";

const BUFFER_SIZE = 100_000;

/** A folder that notes what it is asked. */
class Recorded implements LogFolder {
  readonly calls: string[] = [];
  names: readonly string[];

  constructor(...names: readonly string[]) {
    this.names = names;
  }

  async logs(): Promise<readonly string[]> {
    this.calls.push("list");
    return this.names;
  }

  async syncFile(name: string): Promise<void> {
    this.calls.push(`begin ${name}`);
    await Promise.resolve();
    this.calls.push(`end ${name}`);
  }

  async sync(): Promise<void> {
    this.calls.push("folder");
  }

  take(): string[] {
    return this.calls.splice(0);
  }
}

function mediumOf(folder: Recorded, closed: number[] = []): DiskMedium {
  return new DiskMedium(folder, folder.names, BUFFER_SIZE, async (sequence) => {
    closed.push(sequence);
  });
}

describe("the disk under a LevelDB", () => {
  test("syncs every log, the oldest first and one after the other, at a barrier", async () => {
    const folder = new Recorded("4.log", "7.log");
    await mediumOf(folder).barrier();
    expect(folder.take()).toEqual(["list", "begin 4.log", "end 4.log", "begin 7.log", "end 7.log"]);
  });

  test("makes the name of a new log durable, once", async () => {
    const folder = new Recorded("4.log");
    const medium = mediumOf(folder);
    folder.names = ["4.log", "7.log"];
    await medium.barrier();
    expect(folder.take().at(-1)).toBe("folder");
    await medium.barrier();
    expect(folder.take()).not.toContain("folder");
  });

  test("costs nothing for writes that cannot have filled the buffer", async () => {
    const folder = new Recorded("4.log");
    const medium = mediumOf(folder);
    for (let i = 0; i < 50; i++) await medium.written(100, 2);
    expect(folder.take()).toEqual([]);
  });

  test("looks for a new log once the buffer may be full, and syncs all when there is one", async () => {
    const folder = new Recorded("4.log");
    const medium = mediumOf(folder);
    await medium.written(BUFFER_SIZE, 1);
    await medium.written(1, 1);
    expect(folder.take()).toEqual(["list", "list"]);
    folder.names = ["4.log", "9.log"];
    await medium.written(1, 1);
    expect(folder.take()).toEqual([
      "list",
      "begin 4.log",
      "end 4.log",
      "begin 9.log",
      "end 9.log",
      "folder",
    ]);
    // The new buffer is nearly empty.
    await medium.written(1, 1);
    expect(folder.take()).toEqual([]);
  });

  test("lets the write that began a log count for its buffer", async () => {
    const folder = new Recorded("4.log");
    const medium = mediumOf(folder);
    folder.names = ["9.log"];
    await medium.written(BUFFER_SIZE, 1);
    folder.take();
    await medium.written(1, 1);
    expect(folder.take()).toEqual(["list"]);
  });

  test("hands on how many batches there are when it is closed", async () => {
    const closed: number[] = [];
    await mediumOf(new Recorded(), closed).closing(7);
    expect(closed).toEqual([7]);
  });
});
