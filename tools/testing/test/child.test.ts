import { describe, expect, test } from "vitest";

import { Child, sleep } from "../src/index.ts";

describe("a child process", () => {
  test("reports what it wrote and how it ended", async () => {
    const pieces: string[] = [];
    const program = "console.log(process.env.GIVEN); console.error('bad'); process.exit(3)";
    const child = Child.start(["-e", program], {
      environment: { GIVEN: "here" },
      onOutput: (text) => pieces.push(text),
    });
    expect(await child.ended).toEqual({
      code: 3,
      signal: undefined,
      output: "here\n",
      errors: "bad\n",
    });
    expect(pieces.join("")).toBe("here\n");
  });

  test("can be killed, also when it has ended already", async () => {
    const child = Child.start(["-e", "setInterval(() => {}, 1000)"]);
    await sleep(10);
    expect(await child.kill()).toMatchObject({ code: undefined, signal: "SIGKILL" });
    expect(await child.kill()).toMatchObject({ signal: "SIGKILL" });
  });

  test("that cannot be started says so", async () => {
    const child = Child.start([], { command: "/nonexistent/program" });
    expect((await child.ended).signal).toMatch(/ENOENT/);
  });
});
