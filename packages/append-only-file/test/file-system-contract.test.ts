import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { SimulatedDisk, type SimulatedFile } from "@x/testing";
import { describe, expect, expectTypeOf, test } from "vitest";

import { type FileSystem, MemoryFileSystem, type OpenFile } from "../src/index.ts";
import { nodeFileSystem } from "../src/node/index.ts";
import { FILE_SYSTEM_LAWS, type FolderUnderTest } from "./file-system-contract.ts";

const FOLDERS: Readonly<Record<string, () => FolderUnderTest>> = {
  "a folder of the operating system": () => {
    const folder = mkdtempSync(join(tmpdir(), "aof-"));
    return { fs: nodeFileSystem(folder), close: () => rmSync(folder, { recursive: true }) };
  },
  "a folder in memory": () => ({ fs: new MemoryFileSystem(), close: () => undefined }),
  "the simulated disk": () => ({ fs: new SimulatedDisk(), close: () => undefined }),
};

describe.each(Object.entries(FOLDERS))("%s", (_, open) => {
  test.each(Object.entries(FILE_SYSTEM_LAWS))("%s", async (_claim, law) => {
    expect.hasAssertions();
    await law(open);
  });
});

test("the simulated disk has the shape of a file system", () => {
  expectTypeOf<SimulatedDisk>().toExtend<FileSystem>();
  expectTypeOf<SimulatedFile>().toExtend<OpenFile>();
});
