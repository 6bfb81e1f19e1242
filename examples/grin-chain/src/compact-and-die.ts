// A process of its own: compacts the outputs in a folder and kills itself before one operation on the disk.
//
//   node compact-and-die.js <folder> <horizon> <operation number>
//
// Number 0 lets it live; the operations are counted on standard output either way.

import { argv } from "node:process";
import { writeSync } from "node:fs";
import { openOutputs } from "./chain.ts";
import { announced } from "./killing-file-system.ts";

const [path = "", horizon = "", target = ""] = argv.slice(2);
let isCompacting = false;
let count = 0;

const outputs = await openOutputs(path, (fs) =>
  announced(fs, (operation) => {
    if (!isCompacting) return;
    count++;
    // Straight to the pipe: a stream's buffer would die with the process.
    writeSync(1, `${operation}\n`);
    if (count === Number(target)) process.kill(process.pid, "SIGKILL");
  }),
);
isCompacting = true;
await outputs.compact({ horizon: Number(horizon) });
isCompacting = false;
await outputs.close();
