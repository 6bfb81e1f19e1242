import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { equalBytes } from "@x/hash";
import {
  BitmapAccumulator,
  decodeMerkleProof,
  encodeMerkleProof,
  leafIndexAt,
  leafPosition,
  type Pmmr,
} from "@x/pmmr";
import { CHAIN_FOLDERS, headerHash, headerOutputRoot, outputCodec } from "@x/pmmr/grin";
import { verifyMerkleProof } from "@x/pmmr/verify";
import { type Chain, type Commitment, foldersOf, openOutputs } from "./chain.ts";
import type { Report } from "./report.ts";

/** Blocks that stay rewindable when outputs are compacted. */
export const HORIZON_BLOCKS = 100;

/** Recomputes every stored hash of the four ranges, header leaves from their proofs of work. */
export async function recomputeHashes(
  chain: Chain,
  commitments: readonly Commitment[],
  report: Report,
): Promise<void> {
  await report.step("recompute", async () => {
    let hashes = 0;
    let problems = 0;
    for (const { folder } of foldersOf(chain)) {
      const verdict = await folder.verify({ all: true });
      hashes += verdict.hashCount;
      problems += verdict.problems.length;
    }
    // A header's record does not hold what its leaf hashes, the proof of work does; and the header's own hash is of it too.
    const { pmmr } = chain.headers;
    let headers = 0;
    for (const { height, packedProof, hash } of commitments) {
      const pos0 = leafPosition(height);
      const leafHash = pmmr.hashing.hashLeaf(pos0, packedProof);
      const entry = pmmr.element(pos0);
      if (entry === undefined || !equalBytes(entry.hash, hash)) continue;
      if (!equalBytes(headerHash(packedProof), hash)) continue;
      if (equalBytes(pmmr.hashAt(pos0) ?? new Uint8Array(32), leafHash)) headers++;
    }
    return {
      held: problems === 0 && headers === commitments.length,
      summary: `${hashes} hashes of four ranges made anew, ${problems} differ; ${headers} of ${commitments.length} headers are their proof of work`,
      facts: { hashes, problems, headers },
    };
  });
}

/** Compares the roots of all ranges, as they were at every height, with what that height's header commits to. */
export async function compareRoots(
  chain: Chain,
  commitments: readonly Commitment[],
  report: Report,
): Promise<void> {
  await report.step("heights", async () => {
    const accumulator = new BitmapAccumulator();
    let equal = 0;
    let firstWrong: number | undefined;
    for (const [done, commitment] of commitments.entries()) {
      if (rootsHold(chain, accumulator, commitment)) equal++;
      else firstWrong ??= commitment.height;
      if (done % 20 === 0) report.progress("heights", done, commitments.length);
    }
    const wrong = firstWrong === undefined ? "" : `, first wrong at height ${firstWrong}`;
    return {
      held: equal === commitments.length,
      summary: `${equal} of ${commitments.length}: the roots of all four ranges and of the unspent set are what the headers commit to${wrong}`,
      facts: { heights: commitments.length, equal },
    };
  });
}

function rootsHold(chain: Chain, accumulator: BitmapAccumulator, commitment: Commitment): boolean {
  const { height, version, outputMmrSize, kernelMmrSize } = commitment;
  const outputCount = chain.outputs.view(outputMmrSize).leafCount;
  if (0 < outputCount) {
    // Every block of this chain adds one output and spends none, so only the last index is new.
    const changed = outputCount - 1;
    const chunkBegin = changed - (changed % 1024);
    const members = Array.from({ length: outputCount - chunkBegin }, (_, i) => chunkBegin + i);
    accumulator.apply([changed], members, outputCount);
  }
  const outputRoot = chain.outputs.view(outputMmrSize).root();
  const bitmapRoot = accumulator.root();
  const merged = headerOutputRoot(version, outputMmrSize, { outputRoot, bitmapRoot });
  return (
    equalBytes(chain.headers.view(leafPosition(height)).root(), commitment.prevRoot) &&
    equalBytes(outputRoot, commitment.outputPmmrRoot) &&
    equalBytes(bitmapRoot, commitment.bitmapRoot) &&
    equalBytes(merged, commitment.outputRoot) &&
    equalBytes(chain.rangeProofs.view(outputMmrSize).root(), commitment.rangeProofRoot) &&
    equalBytes(chain.kernels.view(kernelMmrSize).root(), commitment.kernelRoot)
  );
}

/** Proves one output against the newest root, the way a page with only the verifier would check it. */
export async function proveOutput(
  chain: Chain,
  leafIndex: number,
  name: string,
  report: Report,
): Promise<void> {
  await report.step(name, async () => {
    const { pmmr } = chain.outputs;
    const pos0 = leafPosition(leafIndex);
    const output = pmmr.element(pos0);
    if (output === undefined) throw new Error(`output ${leafIndex} is spent`);
    const bytes = encodeMerkleProof(pmmr.merkleProof(pos0));
    const claim = {
      root: pmmr.root(),
      size: pmmr.size,
      pos0,
      hashForm: outputCodec.hashForm(output),
      proof: decodeMerkleProof(bytes),
    };
    const verified = verifyMerkleProof(claim);
    const forged = new Uint8Array(claim.hashForm);
    forged[5] = (forged[5] ?? 0) ^ 1;
    const refused = !verifyMerkleProof({ ...claim, hashForm: forged });
    const elsewhere = !verifyMerkleProof({ ...claim, pos0: leafPosition(leafIndex + 2) });
    return {
      held: verified && refused && elsewhere,
      summary: `output ${leafIndex} by ${claim.proof.path.length} hashes (${bytes.length} bytes): verified; refused with a bit changed, and at another place`,
      facts: { leafIndex, path: claim.proof.path.length, verified, refused, elsewhere },
    };
  });
}

/** Spends every second output below the horizon, with its range proof. */
export async function spendHalf(chain: Chain, horizon: number, report: Report): Promise<void> {
  await report.step("spend", async () => {
    const before = chain.outputs.pmmr.root();
    let spent = 0;
    // Whole pairs go, then pairs of pairs: that is what leaves something to compact.
    for (let index = 0; leafPosition(index) < horizon; index++) {
      if (Math.floor(index / 4) % 2 === 0) continue;
      const output = chain.outputs.pmmr.prune(leafPosition(index));
      const proof = chain.rangeProofs.pmmr.prune(leafPosition(index));
      if (output && proof) spent++;
    }
    await chain.outputs.commit();
    await chain.rangeProofs.commit();
    const { pmmr } = chain.outputs;
    const sameRoot = equalBytes(pmmr.root(), before);
    const share = spent / (leafIndexAt(horizon) ?? 1);
    return {
      held:
        sameRoot && pmmr.unspentCount() === pmmr.leafCount - spent && 0.4 < share && share < 0.6,
      summary: `${spent} outputs and their range proofs; ${pmmr.unspentCount()} of ${pmmr.leafCount} left; the root stays as it was`,
      facts: { spent, unspent: pmmr.unspentCount(), leaves: pmmr.leafCount },
    };
  });
}

/** Kills a child process in the middle of a compaction, at several operations on the disk, and opens what it left. */
export async function dieCompacting(
  path: string,
  root: Uint8Array,
  horizon: number,
  report: Report,
): Promise<void> {
  await report.step("kill -9", async () => {
    const scratch = await mkdtemp(join(tmpdir(), "grin-killed-"));
    try {
      const operations = await compactInChild(await freshCopy(path, scratch, 0), horizon, 0);
      const details: string[] = [];
      let held = operations.length > 0;
      const targets = pick(operations);
      for (const target of targets) {
        const copy = await freshCopy(path, scratch, target);
        const seen = await compactInChild(copy, horizon, target);
        const outputs = await openOutputs(copy);
        const verdict = await outputs.verify({ all: true });
        const sameRoot = equalBytes(outputs.pmmr.root(), root);
        const { hashCount } = outputs.stats();
        await outputs.close();
        const leftovers = (await readdir(join(copy, CHAIN_FOLDERS.output))).filter((name) =>
          /next|tmp|lock/.test(name),
        );
        held &&= seen.length === target && verdict.ok && sameRoot && leftovers.length === 0;
        details.push(
          `before operation ${String(target).padStart(2)} of ${operations.length} (${operations[target - 1] ?? ""}): ${hashCount} hashes, root ${sameRoot ? "equal" : "DIFFERENT"}, ${verdict.ok ? "verified" : "DAMAGED"}`,
        );
      }
      return {
        held,
        summary: `a compaction was killed at ${targets.length} of its ${operations.length} operations on the disk; opening recovered each time`,
        details,
        facts: { operations: operations.length, killedAt: targets },
      };
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  });
}

/** The operations worth dying at: first, while files are written, around the header's rename, last. */
function pick(operations: readonly string[]): number[] {
  const rename = operations.findIndex((operation) => operation.includes("journal.bin")) + 1;
  const chosen = [1, Math.ceil(rename / 2), rename, rename + 1, rename + 3, operations.length];
  return [...new Set(chosen.filter((n) => 1 <= n && n <= operations.length))].toSorted(
    (a, b) => a - b,
  );
}

async function freshCopy(path: string, scratch: string, n: number): Promise<string> {
  const copy = join(scratch, String(n));
  await cp(join(path, CHAIN_FOLDERS.output), join(copy, CHAIN_FOLDERS.output), {
    recursive: true,
    filter: (source) => !source.includes("_lock"),
  });
  return copy;
}

/** Compacts in a child that dies before operation `target` (0: never). Returns what it was about to do, in order. */
function compactInChild(path: string, horizon: number, target: number): Promise<string[]> {
  const script = fileURLToPath(new URL("compact-and-die.js", import.meta.url));
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [script, path, String(horizon), String(target)],
      (error, stdout, stderr) => {
        const wasKilled = error !== null && error.signal === "SIGKILL";
        if (error !== null && !(wasKilled && target > 0))
          reject(new Error(`the child failed: ${stderr}`));
        else if (target > 0 && !wasKilled)
          reject(new Error("the child was to be killed and lived"));
        else resolve(stdout.split("\n").filter((line) => line !== ""));
      },
    );
  });
}

/** Compacts outputs and range proofs up to the horizon, and shows what the files lost. */
export async function compact(
  chain: Chain,
  path: string,
  horizon: number,
  report: Report,
): Promise<void> {
  await report.step("compact", async () => {
    const root = chain.outputs.pmmr.root();
    const before = await sizes(path);
    await chain.outputs.compact({ horizon });
    await chain.rangeProofs.compact({ horizon });
    const after = await sizes(path);
    const verdicts = [
      await chain.outputs.verify({ all: true }),
      await chain.rangeProofs.verify({ all: true }),
    ];
    const rows = [...before].map(([name, bytes]) => {
      const now = after.get(name) ?? 0;
      return `${name.padEnd(30)} ${String(bytes).padStart(8)} → ${String(now).padStart(8)} bytes`;
    });
    const ratio = Math.round((100 * total(after)) / total(before));
    return {
      held:
        equalBytes(chain.outputs.pmmr.root(), root) &&
        verdicts.every(({ ok }) => ok) &&
        total(after) < total(before),
      summary: `to ${ratio} % of the bytes; the root stays as it was, every remaining hash verified`,
      details: rows,
      facts: { before: Object.fromEntries(before), after: Object.fromEntries(after) },
    };
  });
}

function total(sizesByName: ReadonlyMap<string, number>): number {
  return [...sizesByName.values()].reduce((a, b) => a + b, 0);
}

async function sizes(path: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const folder of [CHAIN_FOLDERS.output, CHAIN_FOLDERS.rangeProof]) {
    for (const name of ["pmmr_hash.bin", "pmmr_data.bin"]) {
      const { size } = await stat(join(path, folder, name));
      found.set(`${folder.split("/").at(-1) ?? ""}/${name}`, size);
    }
  }
  return found;
}

/** Takes the last blocks off all four ranges, compares with the header there, and appends the same blocks again. */
export async function rewindAndAppend(
  chain: Chain,
  commitments: readonly Commitment[],
  report: Report,
): Promise<void> {
  await report.step("rewind", async () => {
    const { headers, outputs, rangeProofs, kernels } = chain;
    const target = commitments.at(-1 - HORIZON_BLOCKS);
    if (target === undefined) throw new Error("the chain is shorter than the horizon");
    const size = target.outputMmrSize;
    const rootsBefore = rootsOf(chain);
    const blocks = {
      headers: elementsFrom(headers.pmmr, leafPosition(target.height + 1)),
      outputs: elementsFrom(outputs.pmmr, size),
      rangeProofs: elementsFrom(rangeProofs.pmmr, size),
      kernels: elementsFrom(kernels.pmmr, target.kernelMmrSize),
    };
    headers.pmmr.rewind(leafPosition(target.height + 1));
    outputs.pmmr.rewind(size);
    rangeProofs.pmmr.rewind(size);
    kernels.pmmr.rewind(target.kernelMmrSize);
    const atTarget =
      equalBytes(outputs.pmmr.root(), target.outputPmmrRoot) &&
      equalBytes(rangeProofs.pmmr.root(), target.rangeProofRoot) &&
      equalBytes(kernels.pmmr.root(), target.kernelRoot);
    for (const { folder } of foldersOf(chain)) await folder.commit();

    const proofs = commitments.slice(target.height + 1).map(({ packedProof }) => packedProof);
    headers.pmmr.pushMany(
      blocks.headers.map((entry, i) => ({ entry, packedNonces: proofs[i] ?? new Uint8Array() })),
    );
    outputs.pmmr.pushMany(blocks.outputs);
    rangeProofs.pmmr.pushMany(blocks.rangeProofs);
    kernels.pmmr.pushMany(blocks.kernels);
    for (const { folder } of foldersOf(chain)) await folder.commit();
    const same = rootsOf(chain).every((root, i) =>
      equalBytes(root, rootsBefore[i] ?? new Uint8Array()),
    );
    return {
      held: atTarget && same && blocks.outputs.length === HORIZON_BLOCKS,
      summary: `${HORIZON_BLOCKS} blocks off all four ranges, to the roots of height ${target.height}; appended again, to the same roots`,
      facts: { blocks: HORIZON_BLOCKS, height: target.height, atTarget, same },
    };
  });
}

function rootsOf(chain: Chain): Uint8Array[] {
  const { headers, outputs, rangeProofs, kernels } = chain;
  return [headers.pmmr.root(), outputs.pmmr.root(), rangeProofs.pmmr.root(), kernels.pmmr.root()];
}

function elementsFrom<E, S>(pmmr: Pmmr<E, S>, size: number): S[] {
  const { entries } = pmmr.elementsFrom({ from: size, limit: HORIZON_BLOCKS + 1 });
  return entries.map(({ element }) => element);
}
