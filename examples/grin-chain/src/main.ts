// The main job: a real chain's ranges opened, proved right, spent, compacted, killed, recovered, rewound and appended again.
//
//   npm run demo [-- --json]
//
// Exits with 0 only if all of it held.

import { equalBytes } from "@x/hash";
import { parseArgs } from "node:util";
import { closeChain, copyChain, foldersOf, openChain, readCommitments } from "./chain.ts";
import { Report } from "./report.ts";
import {
  compact,
  compareRoots,
  dieCompacting,
  HORIZON_BLOCKS,
  proveOutput,
  recomputeHashes,
  rewindAndAppend,
  spendHalf,
} from "./steps.ts";

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
const report = new Report({ quiet: values.json });
const begin = performance.now();

const { path, remove } = await copyChain();
try {
  const commitments = readCommitments();
  const horizon = commitments.at(-1 - HORIZON_BLOCKS)?.outputMmrSize ?? 0;
  report.heading(
    "A real Grin chain in a temporary copy: 1054 headers, and an output, a range proof and a kernel for each block after the first",
  );

  const chain = await openChain(path);
  await report.step("open", async () => {
    const counts = foldersOf(chain).map(
      ({ name, folder }) => `${folder.stats().leafCount} ${name}`,
    );
    return {
      held: foldersOf(chain).every(({ folder }) => folder.stats().leafCount > 0),
      summary: `${counts.join(", ")}; judged strictly before anything was touched`,
      facts: { ranges: counts },
    };
  });
  await recomputeHashes(chain, commitments, report);
  await compareRoots(chain, commitments, report);
  await proveOutput(chain, 700, "prove", report);
  await spendHalf(chain, horizon, report);
  const root = chain.outputs.pmmr.root();
  await dieCompacting(path, root, horizon, report);
  await compact(chain, path, horizon, report);
  await proveOutput(chain, 704, "prove", report);
  await rewindAndAppend(chain, commitments, report);
  await closeChain(chain);

  await report.step("reopen", async () => {
    const again = await openChain(path);
    const verdicts = [];
    for (const { folder } of foldersOf(again)) verdicts.push(await folder.verify({ all: true }));
    const sameRoot = equalBytes(again.outputs.pmmr.root(), root);
    await closeChain(again);
    return {
      held: sameRoot && verdicts.every(({ ok }) => ok),
      summary: "all four ranges opened once more, every hash verified, the same root",
      facts: { sameRoot },
    };
  });
} finally {
  await remove();
}

const seconds = (performance.now() - begin) / 1000;
if (values.json) {
  process.stdout.write(
    `${JSON.stringify({ held: report.held, seconds, steps: report.findings }, undefined, 2)}\n`,
  );
} else {
  process.stdout.write(
    `\n${report.held ? "All of it held" : "NOT all of it held"}, in ${seconds.toFixed(1)} s.\n`,
  );
}
process.exitCode = report.held ? 0 : 1;
