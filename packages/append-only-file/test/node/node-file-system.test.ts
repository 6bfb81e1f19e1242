import { execFileSync } from "node:child_process";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { nodeFileSystem } from "../../src/node/index.ts";
import { bytesOf, codeOf, filled } from "../file-system-contract.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "aof-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe("the folder", () => {
  test("is made with all folders above it, for its owner only", () => {
    const path = join(folder, "a", "b");
    nodeFileSystem(path);
    for (const made of [join(folder, "a"), path]) {
      expect(statSync(made).mode & 0o777).toBe(0o700);
    }
  });

  test("is not made when that is not wanted", () => {
    const path = join(folder, "a");
    expect(codeOf(() => nodeFileSystem(path, { create: false }))).toBe("AOF_MISSING");
    expect(readdirSync(folder)).toEqual([]);
    nodeFileSystem(folder, { create: false });
  });

  test("is not a file", () => {
    const path = join(folder, "a");
    writeFileSync(path, "");
    expect(codeOf(() => nodeFileSystem(path))).toBe("AOF_IO");
    expect(codeOf(() => nodeFileSystem(path, { create: false }))).toBe("AOF_IO");
  });

  test("stays the same when the process moves elsewhere", () => {
    const before = process.cwd();
    process.chdir(folder);
    try {
      const fs = nodeFileSystem("here");
      process.chdir(tmpdir());
      fs.open("a", "create").close();
    } finally {
      process.chdir(before);
    }
    expect(readdirSync(join(folder, "here"))).toEqual(["a"]);
  });

  test("may be reached through a link", () => {
    mkdirSync(join(folder, "real"));
    symlinkSync(join(folder, "real"), join(folder, "link"));
    nodeFileSystem(join(folder, "link")).open("a", "create").close();
    expect(readdirSync(join(folder, "real"))).toEqual(["a"]);
  });

  test("lists only names that can be opened", () => {
    for (const name of ["a", ".hidden", "with space", "b.bin"]) {
      writeFileSync(join(folder, name), "");
    }
    expect(nodeFileSystem(folder).list().toSorted()).toEqual(["a", "b.bin"]);
  });

  test("reports a sync that the system refuses", async () => {
    const path = join(folder, "gone");
    const fs = nodeFileSystem(path);
    rmSync(path, { recursive: true });
    await expect(fs.sync()).rejects.toMatchObject({ code: "AOF_MISSING" });
    expect(codeOf(() => fs.syncNow())).toBe("AOF_MISSING");
    expect(codeOf(() => fs.list())).toBe("AOF_MISSING");
    expect(codeOf(() => fs.lock("lock"))).toBe("AOF_MISSING");
  });
});

describe("a file", () => {
  test("is made for its owner only", () => {
    nodeFileSystem(folder).open("a", "createNew").close();
    expect(statSync(join(folder, "a")).mode & 0o777).toBe(0o600);
  });

  test("is what other programs see", () => {
    filled(nodeFileSystem(folder), "a", Uint8Array.of(1, 2)).close();
    expect(Uint8Array.from(readFileSync(join(folder, "a")))).toEqual(Uint8Array.of(1, 2));
  });

  test("is read where it may not be written, and only that", () => {
    writeFileSync(join(folder, "a"), Uint8Array.of(1));
    const program = `
      const { nodeFileSystem } = await import(${JSON.stringify(DIST)});
      process.setuid?.(65534);
      const file = nodeFileSystem(".", { create: false }).open("a", "existing");
      let code;
      try { file.write(0, Uint8Array.of(2)); } catch (error) { code = error.code; }
      console.log(file.read(0, new Uint8Array(2)), code);`;
    chmodSync(join(folder, "a"), 0o444);
    chmodSync(folder, 0o755);
    const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
      cwd: folder,
      encoding: "utf8",
    });
    expect(output).toBe("1 AOF_IO\n");
  });
});

const DIST = new URL("../../dist/node/index.js", import.meta.url).href;

describe("what is not a regular file is not opened", () => {
  test("a folder", () => {
    mkdirSync(join(folder, "a"));
    expect(codesOfOpening()).toEqual(REFUSED);
  });

  test("a pipe, without waiting for its other end", () => {
    execFileSync("mkfifo", [join(folder, "a")]);
    expect(codesOfOpening()).toEqual(REFUSED);
  });

  test("a device", () => {
    symlinkSync("/dev/null", join(folder, "a"));
    expect(codesOfOpening()).toEqual(REFUSED);
  });

  test("a symbolic link, wherever it leads", () => {
    writeFileSync(join(folder, "real"), "kept");
    for (const target of ["real", "nothing", "a", "/etc/passwd"]) {
      symlinkSync(target, join(folder, "a"));
      expect(codesOfOpening()).toEqual(REFUSED);
      rmSync(join(folder, "a"));
    }
    expect(readdirSync(folder)).toEqual(["real"]);
    expect(readFileSync(join(folder, "real"), "utf8")).toBe("kept");
  });

  test("a socket", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(join(folder, "a"), resolve);
    });
    expect(codesOfOpening()).toEqual(REFUSED);
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
});

/** Codes for opening the name `a` in each mode. */
function codesOfOpening(): unknown[] {
  const fs = nodeFileSystem(folder);
  return (["existing", "create", "createNew"] as const).map((mode) =>
    codeOf(() => fs.open("a", mode)),
  );
}

// A name that is taken is refused as such before anybody looks what it is.
const REFUSED = ["AOF_NOT_A_FILE", "AOF_NOT_A_FILE", "AOF_IO"];

describe("the lock", () => {
  test("is a file that names its owner, and nothing is left when it is given back", () => {
    const unlock = nodeFileSystem(folder).lock("x_lock");
    expect(readdirSync(folder)).toEqual(["x_lock"]);
    const owner: unknown = JSON.parse(readFileSync(join(folder, "x_lock"), "utf8"));
    expect(owner).toMatchObject({ pid: process.pid });
    expect(statSync(join(folder, "x_lock")).mode & 0o777).toBe(0o600);
    unlock();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("holds within the process too, also when its file was removed and by another path", () => {
    const unlock = nodeFileSystem(folder).lock("x_lock");
    rmSync(join(folder, "x_lock"));
    symlinkSync(folder, `${folder}-link`);
    try {
      for (const path of [folder, `${folder}-link`]) {
        expect(codeOf(() => nodeFileSystem(path).lock("x_lock"))).toBe("AOF_LOCKED");
      }
    } finally {
      rmSync(`${folder}-link`);
    }
    unlock();
    nodeFileSystem(folder).lock("x_lock")();
  });

  test("of a process that ended is taken over, of one that runs it is not", () => {
    const owner = { token: "00000000000000aa", pid: process.ppid, start: "", boot: "" };
    writeFileSync(join(folder, "x_lock"), JSON.stringify(owner));
    expect(codeOf(() => nodeFileSystem(folder).lock("x_lock"))).toBe("AOF_LOCKED");
    const ended = Number(
      execFileSync(process.execPath, ["-p", "process.pid"], { encoding: "utf8" }),
    );
    writeFileSync(join(folder, "x_lock"), JSON.stringify({ ...owner, pid: ended }));
    nodeFileSystem(folder).lock("x_lock")();
  });

  test("of another start of the machine, or of an earlier process with the same id, is taken over", () => {
    const unlock = nodeFileSystem(folder).lock("x_lock");
    const text = readFileSync(join(folder, "x_lock"), "utf8");
    unlock();
    const owner = JSON.parse(text) as { readonly start: string; readonly boot: string };
    // Elsewhere there is nothing but the process id to tell.
    if (owner.start === "" || owner.boot === "") return;
    for (const change of [{ start: "1" }, { boot: "00000000-0000-0000-0000-000000000000" }]) {
      writeFileSync(join(folder, "x_lock"), JSON.stringify({ ...owner, ...change }));
      nodeFileSystem(folder).lock("x_lock")();
    }
    writeFileSync(join(folder, "x_lock"), text);
    expect(codeOf(() => nodeFileSystem(folder).lock("x_lock"))).toBe("AOF_LOCKED");
  });

  test("that is not a regular file is refused, not removed", () => {
    for (const make of [
      () => mkdirSync(join(folder, "x_lock")),
      () => symlinkSync("/etc/passwd", join(folder, "x_lock")),
      () => execFileSync("mkfifo", [join(folder, "x_lock")]),
    ]) {
      make();
      expect(codeOf(() => nodeFileSystem(folder).lock("x_lock"))).toBe("AOF_NOT_A_FILE");
      expect(readdirSync(folder)).toEqual(["x_lock"]);
      rmSync(join(folder, "x_lock"), { recursive: true });
    }
  });
});

test("open files and running syncs end with their descriptors", async () => {
  const fs = nodeFileSystem(folder);
  const before = openDescriptors();
  for (let i = 0; i < 50; i++) {
    const file = filled(fs, "a", Uint8Array.of(i));
    const running = [file.sync(), fs.sync(), file.sync()];
    file.close();
    await Promise.all(running);
    const again = fs.open("a", "existing");
    expect(bytesOf(again)).toEqual(Uint8Array.of(i));
    again.close();
    expect(codeOf(() => fs.open("a", "createNew"))).toBe("AOF_IO");
    fs.lock("x_lock")();
  }
  expect(openDescriptors()).toBe(before);
});

function openDescriptors(): number {
  return readdirSync("/dev/fd").length;
}
