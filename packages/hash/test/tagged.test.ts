import { expect, test } from "vitest";
import { sha256, taggedSha256, toHex } from "../src/index.ts";

test("an empty message under SMTNode has its published digest", () => {
  expect(toHex(sha256().hash(new TextEncoder().encode("SMTNode")))).toBe(
    "142f804193cc3f5ae4528582f157de21e00cdce94d943a64a851ed57befdde2d",
  );
  expect(toHex(taggedSha256("SMTNode").hash(new Uint8Array()))).toBe(
    "14dac625db5746f54f1b30b92fcfd249abbec0ed7c5da8e2e8ef7b053c2ab0d9",
  );
});
