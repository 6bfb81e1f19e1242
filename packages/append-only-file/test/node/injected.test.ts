import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { printSkip, runInjected, straceRefusal } from "@x/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const MODULE = new URL("../../dist/node/index.js", import.meta.url).href;

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aof-injected-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs one statement on a folder with a file `a`; prints its result, or the codes of its error and of the cause. */
function program(statement: string): readonly string[] {
  const text = `
    const { nodeFileSystem } = await import(${JSON.stringify(MODULE)});
    const fs = nodeFileSystem(${JSON.stringify(folder)});
    const file = fs.open("a", "create");
    file.write(0, new Uint8Array(10));
    try {
      console.log(await (${statement}));
    } catch (error) {
      console.log(error.code, error.cause?.code);
    }`;
  return ["--input-type=module", "-e", text];
}

/** What the statement answers when the system's answer is replaced. */
async function answer(statement: string, call: string, fault: string, when = 1): Promise<string> {
  const shared = call === "openat" ? { paths: [join(folder, "b")] } : {};
  const end = await runInjected(program(statement), { call, fault, when, ...shared });
  expect(end).toMatchObject({ code: 0, errors: "", injected: 1 });
  return end.output.trim();
}

const refusal = straceRefusal();
if (refusal !== undefined) printSkip("system calls of the Node file system", refusal);

describe.skipIf(refusal !== undefined)("what the kernel says is passed on:", () => {
  const write = "file.write(10, new Uint8Array(5))";
  const read = "file.read(0, new Uint8Array(5))";
  const rename = "?rename,?renameat,?renameat2";
  const link = "?link,?linkat";
  const unlink = "?unlink,?unlinkat";

  test.each<[what: string, statement: string, call: string, fault: string, answer: string]>([
    ["a failed write", write, "pwrite64", "EIO", "AOF_IO EIO"],
    ["a full disk", write, "pwrite64", "ENOSPC", "AOF_NO_SPACE ENOSPC"],
    ["a used-up quota", write, "pwrite64", "EDQUOT", "AOF_NO_SPACE UNKNOWN"],
    ["a file that is too large", write, "pwrite64", "EFBIG", "AOF_NO_SPACE EFBIG"],
    ["a write of nothing", write, "pwrite64", "zero", "0"],
    ["a failed sync", "file.sync()", "fdatasync", "EIO", "AOF_IO EIO"],
    ["a failed sync at once", "file.syncNow()", "fdatasync", "EIO", "AOF_IO EIO"],
    ["a failed sync of the folder", "fs.sync()", "fsync", "EIO", "AOF_IO EIO"],
    ["a failed sync of the folder at once", "fs.syncNow()", "fsync", "EIO", "AOF_IO EIO"],
    ["a failed cut", "file.truncate(3)", "ftruncate", "EIO", "AOF_IO EIO"],
    ["a failed rename", 'fs.rename("a", "b")', rename, "ENOSPC", "AOF_NO_SPACE ENOSPC"],
    ["a failed removal", 'fs.remove("a")', unlink, "EIO", "AOF_IO EIO"],
    ["no free descriptor", 'fs.open("b", "create")', "openat", "EMFILE", "AOF_IO EMFILE"],
    ["a forbidden creation", 'fs.open("b", "create")', "openat", "EACCES", "AOF_IO EACCES"],
    ["a failed lock", 'fs.lock("lock")', link, "EIO", "AOF_IO EIO"],
  ])("%s", async (_, statement, call, fault, wanted) => {
    // The first write of the program itself is not the one to fail.
    const when = call === "pwrite64" ? 2 : 1;
    expect(await answer(statement, call, fault, when)).toBe(wanted);
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test.each([
    ["a failed read", "EIO", "AOF_IO EIO"],
    ["a read of nothing", "zero", "0"],
  ])("%s", async (_, fault, wanted) => {
    // Node.js reads with this call too; this file's name tells them apart.
    const paths = [join(folder, "a")];
    const end = await runInjected(program(read), { call: "pread64", fault, when: 1, paths });
    expect(end).toMatchObject({ code: 0, output: `${wanted}\n`, injected: 1 });
  });

  test("a folder without hard links can be locked", async () => {
    const statement = '(fs.lock("lock"), fs.list().toSorted().join())';
    for (const fault of ["EPERM", "EOPNOTSUPP"]) {
      expect(await answer(statement, link, fault)).toBe("a,lock");
    }
  });
});
