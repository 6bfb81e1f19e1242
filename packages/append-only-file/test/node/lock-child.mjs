// Takes and gives back one lock for ever, and looks whether anybody else has it at the same time.
// Writes one letter per event to standard output: `a` taken, `r` refused, `k` about to die while holding, `D` double
// ownership. Arguments: the folder, a seed, and `broken` to go without the lock.
import { readFileSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

import { nodeFileSystem } from "@x/append-only-file/node";

const [folder, seed] = [process.argv[2], Number(process.argv[3])];
const fs = nodeFileSystem(folder);
const guard = join(folder, "guard");
const me = `${process.pid} ${startOf(process.pid)}`;
let state = seed >>> 0;

for (;;) {
  const unlock = attempt();
  if (unlock === undefined) {
    say("r");
    wait(random() * 2);
    continue;
  }
  say("a");
  if (isHeld(read())) say("D");
  writeFileSync(guard, me);
  wait(random() * 3);
  if (read() !== me) say("D");
  if (random() < 0.05) {
    say("k");
    process.kill(process.pid, "SIGKILL");
  }
  writeFileSync(guard, "free");
  unlock();
}

function attempt() {
  if (process.argv[4] === "broken") return () => undefined;
  try {
    return fs.lock("x_lock");
  } catch (error) {
    if (error.code !== "AOF_LOCKED") throw error;
    return undefined;
  }
}

/** Whether the guard names a process that runs, other than this one. */
function isHeld(text) {
  if (text === "free" || text === "") return false;
  const [pid, start] = text.split(" ");
  return startOf(pid) === start;
}

function read() {
  return readFileSync(guard, "utf8");
}

function startOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? "dead" : fields[19];
  } catch {
    return "dead";
  }
}

function say(letter) {
  writeSync(1, letter);
}

function wait(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
