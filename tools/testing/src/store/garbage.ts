import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

import { sleep } from "../child.ts";

/** Turns the collector is given before what should be collected counts as held. */
const TURNS_MAX = 200;

/** Collects garbage until something that is expected of it has happened, and throws if it never does. */
export async function collectGarbage(happened: () => boolean): Promise<void> {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  if (typeof collect !== "function") throw new Error("this engine cannot be asked to collect");
  for (let turn = 0; turn < TURNS_MAX; turn++) {
    // Collected objects are announced in tasks of their own.
    await sleep(1);
    if (happened()) return;
    collect();
  }
  throw new Error("what should have been collected is still held");
}
