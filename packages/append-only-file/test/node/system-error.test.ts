import { constants } from "node:os";

import { describe, expect, test } from "vitest";

import { systemCode, systemError } from "../../src/node/system-error.ts";

describe("an error of the system", () => {
  test.each([
    ["ENOSPC", "AOF_NO_SPACE"],
    ["EDQUOT", "AOF_NO_SPACE"],
    ["EFBIG", "AOF_NO_SPACE"],
    ["ENOENT", "AOF_MISSING"],
    ["ELOOP", "AOF_NOT_A_FILE"],
    ["EMLINK", "AOF_NOT_A_FILE"],
    ["EISDIR", "AOF_NOT_A_FILE"],
    ["ENXIO", "AOF_NOT_A_FILE"],
    ["EIO", "AOF_IO"],
    ["EMFILE", "AOF_IO"],
    ["EACCES", "AOF_IO"],
  ])("%s is %s, with the original as its cause", (code, wanted) => {
    const cause = Object.assign(new Error("system"), { code });
    const error = systemError("read of a", cause);
    expect(error).toMatchObject({ name: "AofError", code: wanted, message: "read of a failed" });
    expect(error.cause).toBe(cause);
  });

  test("that Node.js has no name for is told by its number", () => {
    const quota = Object.assign(new Error("system"), {
      code: "UNKNOWN",
      errno: -constants.errno.EDQUOT,
    });
    expect(systemError("write of a", quota).code).toBe("AOF_NO_SPACE");
    expect(systemError("write of a", Object.assign(quota, { errno: -9999 })).code).toBe("AOF_IO");
  });

  test("without a code is AOF_IO", () => {
    for (const cause of [new Error("plain"), "text", undefined, { code: 7 }]) {
      expect(systemError("read of a", cause).code).toBe("AOF_IO");
      expect(systemCode(cause)).toBeUndefined();
    }
  });
});
