import { FailingStore } from "@x/testing";
import { expect, test } from "vitest";

import { openText } from "./opened.ts";

test("a transaction that goes on after a read has failed loses none of its writes", async () => {
  const store = new FailingStore();
  const before = await openText(store);
  await before.main.update((tx) => {
    for (let i = 0; i < 500; i++) tx.set(`k${i}`, "v");
  });
  const map = await openText(store);
  await map.main.update(async (tx) => {
    tx.set("k3", "old").set("k5", "set");
    store.plan({ at: 1, kinds: ["read"] });
    const applied = tx.apply();
    tx.set("k3", "new");
    await expect(applied).rejects.toMatchObject({ code: "STORE_IO" });
    expect(await tx.get("k5")).toBe("set");
  });
  expect(await map.main.getMany(["k3", "k5", "k6"])).toEqual(["new", "set", "v"]);
});
