import { blake2b256, fromHex, toHex } from "@x/hash";
import { printCounts } from "@x/testing";
import { describe, expect, test, vi } from "vitest";
import { BitmapAccumulator, bitmapMmrSize } from "../../src/bitmap-accumulator.ts";
import { decodeBitmapSegment, encodeBitmapSegment } from "../../src/bitmap-segment.ts";
import { BitmapSync } from "../../src/bitmap-sync.ts";
import type { ElementCodec } from "../../src/codec.ts";
import {
  type SolvedHeader,
  decodeHeader,
  encodeHeader,
  encodeHeaderPreimage,
  headerCodec,
  headerHash,
  headerOutputRoot,
  unpackNonces,
} from "../../src/grin/header.ts";
import { kernelCodec } from "../../src/grin/kernel.ts";
import { CHAIN_FOLDERS, SEGMENT_HEIGHTS } from "../../src/grin/layout.ts";
import { outputCodec } from "../../src/grin/output.ts";
import { rangeProofCodec } from "../../src/grin/range-proof.ts";
import { MemoryBackend } from "../../src/memory-backend.ts";
import { Pmmr } from "../../src/pmmr.ts";
import { leafPosition } from "../../src/position.ts";
import { encodeMerkleProof } from "../../src/proof.ts";
import { decodeSegment, encodeSegment } from "../../src/segment-codec.ts";
import type { AnyElementCodec } from "../../src/segment-leaf.ts";
import { makeSegment } from "../../src/segment-make.ts";
import { SegmentSync, type SyncTarget } from "../../src/segment-sync.ts";
import { type SegmentMode, validateSegment } from "../../src/segment-validate.ts";
import { type SegmentId, segmentsRequired } from "../../src/segment.ts";
import { ReadonlyPmmr } from "../../src/view.ts";
import { verifyMerkleProof } from "../../src/verify/verify.ts";
import {
  type DerivedStage,
  type HeaderRow,
  readChainFile,
  readDerived,
  readElements,
  readRoots,
} from "./chain-files.ts";
import { isCuckatooCycle } from "./cuckatoo.ts";

// Campaigns: a busy machine takes its time over them.
vi.setConfig({ testTimeout: 120_000 });

const roots = readRoots();
const chain = readElements(roots);
const hasher = blake2b256();
const digest = (bytes: Uint8Array): string => toHex(hasher.hash(bytes));

const EDGE_BITS = 10;
const PROOF_SIZE = 8;
const MODES: readonly SegmentMode[] = ["strict", "compatible"];

interface Range<E, S = E> {
  readonly backend: MemoryBackend<E, S>;
  readonly pmmr: Pmmr<E, S>;
}

function rangeOf<E, S>(
  codec: ElementCodec<E, S>,
  elements: readonly E[],
  prunable: boolean,
): Range<E, S> {
  const backend = new MemoryBackend({ codec, prunable });
  const pmmr = new Pmmr(backend);
  pmmr.pushMany(elements);
  return { backend, pmmr };
}

/** What a hash file and a data file of the range would hold. */
function filesOf({ size, hashAt, recordAt }: Stored): {
  readonly hashes: Uint8Array;
  readonly records: Uint8Array;
} {
  const positions = Array.from({ length: size }, (_, pos0) => pos0);
  return {
    hashes: joined(positions.map(hashAt)),
    records: joined(positions.map(recordAt)),
  };
}
interface Stored {
  readonly size: number;
  readonly hashAt: (pos0: number) => Uint8Array | undefined;
  readonly recordAt: (pos0: number) => Uint8Array | undefined;
}

function joined(parts: readonly (Uint8Array | undefined)[]): Uint8Array {
  const present = parts.filter((part) => part !== undefined);
  const whole = new Uint8Array(present.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of present) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

const stored = (pmmr: { readonly size: number } & SegmentReads): Stored => ({
  size: pmmr.size,
  hashAt: (pos0) => pmmr.hashAt(pos0),
  recordAt: (pos0) => pmmr.recordAt(pos0),
});
interface SegmentReads {
  hashAt(pos0: number): Uint8Array | undefined;
  recordAt(pos0: number): Uint8Array | undefined;
}

/** The four ranges, complete. */
const header = rangeOf(headerCodec, chain.headers, false);
const output = rangeOf(outputCodec, chain.outputs, true);
const rangeProof = rangeOf(rangeProofCodec, chain.rangeProofs, true);
const kernel = rangeOf(kernelCodec(), chain.kernels, false);

/** The leaves that the second stage spends. */
const wasSpent = (index: number): boolean =>
  (index < 900 && index % 4 !== 3) || (256 <= index && index < 512);

/** Takes a range from one stage to the next, as the stage's text says. */
function advance<E>(range: Range<E>, stage: number): void {
  const { pmmr, backend } = range;
  const protectedLeaves = Array.from({ length: 20 }, (_, i) => 700 + i)
    .filter(wasSpent)
    .map(leafPosition);
  switch (stage) {
    case 0:
      return;
    case 1:
      for (let index = 0; index < 1053; index++) {
        if (wasSpent(index)) pmmr.prune(leafPosition(index));
      }
      return;
    case 2:
      return backend.compact({ horizon: leafPosition(800), restorable: protectedLeaves });
    case 3:
      return pmmr.rewind(leafPosition(850), protectedLeaves);
    default:
      return backend.compact({ horizon: leafPosition(850) });
  }
}

function expectStage<E>(
  range: Range<E>,
  codec: AnyElementCodec,
  stage: DerivedStage,
  proofForm: (bytes: Uint8Array) => string,
): number {
  const { pmmr } = range;
  expect(pmmr.size).toBe(stage.mmrSize);
  expect(toHex(pmmr.root())).toBe(stage.root);
  expect(pmmr.unspentCount()).toBe(stage.unspentLeaves);
  const { hashes, records } = filesOf(stored(pmmr));
  expect(hashes.length).toBe(32 * stage.hashCount);
  expect(records.length).toBe((codec.recordSize ?? 0) * stage.dataCount);
  expect(digest(hashes)).toBe(stage.files["pmmr_hash.bin"]?.blake2b256);
  expect(digest(records)).toBe(stage.files["pmmr_data.bin"]?.blake2b256);

  const unspent = BitmapAccumulator.from(pmmr.unspentIndexes());
  const target = { size: pmmr.size, root: pmmr.root(), codec, unspent };
  for (const { height, idx, bytes, blake2b256: expected } of stage.segments) {
    const id = { height, index: idx };
    const encoded = encodeSegment(makeSegment(pmmr, id));
    expect(encoded.length).toBe(bytes);
    expect(digest(encoded)).toBe(expected);
    const segment = decodeSegment(encoded, codec);
    for (const mode of MODES) validateSegment(segment, { ...target, id }, mode);
  }
  for (const { leafIndex, pos0, proof } of stage.merkleProofs) {
    expect(pos0).toBe(leafPosition(leafIndex));
    expect(pmmr.isUnspent(pos0)).toBe(proof !== null);
    if (proof === null) continue;
    const made = pmmr.merkleProof(pos0);
    expect(proofForm(encodeMerkleProof(made))).toBe(proof);
    const hashForm = pmmr.recordAt(pos0) as Uint8Array;
    const claim = { root: pmmr.root(), size: pmmr.size, pos0, hashForm, proof: made };
    expect(verifyMerkleProof(claim)).toBe(true);
  }
  return stage.segments.length;
}

function spendHalf<E>({ pmmr, backend }: Range<E>): void {
  for (let index = 0; index < 1000; index++) {
    if (index % 2 === 0 || index < 300) pmmr.prune(leafPosition(index));
  }
  backend.compact();
}

function transfer<E>(
  from: Pmmr<E>,
  codec: ElementCodec<E>,
  target: SyncTarget,
): { readonly pmmr: Pmmr<E>; readonly bytes: number } {
  const backend = new MemoryBackend({ codec, prunable: from.prunable });
  const pmmr = new Pmmr(backend);
  const sync = new SegmentSync(pmmr, target);
  let bytes = 0;
  while (!sync.done) {
    const encoded = encodeSegment(makeSegment(from, sync.next as SegmentId));
    bytes += encoded.length;
    sync.apply(decodeSegment(encoded, codec));
  }
  sync.finish();
  expect(pmmr.root()).toEqual(from.root());
  expect([...pmmr.unspentIndexes()]).toEqual([...from.unspentIndexes()]);
  return { pmmr, bytes };
}

describe("the ranges rebuilt from the data files", () => {
  test("the files are those the vectors were made from", () => {
    for (const [name, { bytes, blake2b256: expected }] of Object.entries(roots.files)) {
      const file = readChainFile(name);
      expect(file.length).toBe(bytes);
      expect(digest(file)).toBe(expected);
    }
    expect(Object.keys(roots.files).length).toBe(11);
  });

  test.each([
    ["header", CHAIN_FOLDERS.header, stored(header.pmmr), roots.final.header],
    ["output", CHAIN_FOLDERS.output, stored(output.pmmr), roots.final.output],
    ["range proof", CHAIN_FOLDERS.rangeProof, stored(rangeProof.pmmr), roots.final.rangeproof],
    ["kernel", CHAIN_FOLDERS.kernel, stored(kernel.pmmr), roots.final.kernel],
  ])(
    "%s: every hash of every leaf and node, and every record, as the node stored them",
    (...row) => {
      const [, folder, range, expected] = row;
      expect(range.size).toBe(expected.mmrSize);
      const { hashes, records } = filesOf(range);
      expect(toHex(hashes)).toBe(toHex(readChainFile(`${folder}/pmmr_hash.bin`)));
      expect(toHex(records)).toBe(toHex(readChainFile(`${folder}/pmmr_data.bin`)));
    },
  );

  test("the roots of the whole", () => {
    expect(toHex(header.pmmr.root())).toBe(roots.final.header.root);
    expect(toHex(output.pmmr.root())).toBe(roots.final.output.root);
    expect(toHex(rangeProof.pmmr.root())).toBe(roots.final.rangeproof.root);
    expect(toHex(kernel.pmmr.root())).toBe(roots.final.kernel.root);
    const unspent = BitmapAccumulator.from(output.pmmr.unspentIndexes());
    expect(toHex(unspent.root())).toBe(roots.final.output.bitmapRoot);
  });
});

describe("what the headers commit to", () => {
  const unspentAt = new BitmapAccumulator();

  /** The header of a height with every root taken from the ranges, as they are at the sizes that it names. */
  function rebuilt(row: HeaderRow, previousHash: Uint8Array): SolvedHeader {
    const { height, outputMmrSize, kernelMmrSize } = row;
    const at = { size: outputMmrSize };
    const newest = height - 1;
    if (0 <= newest) {
      const chunkBegin = Math.floor(newest / 1024) * 1024;
      const indexes = Array.from({ length: height - chunkBegin }, (_, i) => chunkBegin + i);
      unspentAt.apply([newest], indexes, height);
    }
    return {
      version: row.version,
      height,
      timestamp: BigInt(row.timestamp),
      previousHash,
      previousRoot: new ReadonlyPmmr(header.backend, { size: leafPosition(height) }).root(),
      outputRoot: headerOutputRoot(row.version, outputMmrSize, {
        outputRoot: new ReadonlyPmmr(output.backend, at).root(),
        bitmapRoot: unspentAt.root(),
      }),
      rangeProofRoot: new ReadonlyPmmr(rangeProof.backend, at).root(),
      kernelRoot: new ReadonlyPmmr(kernel.backend, { size: kernelMmrSize }).root(),
      totalKernelOffset: new Uint8Array(32),
      outputMmrSize,
      kernelMmrSize,
      totalDifficulty: BigInt(row.totalDifficulty),
      secondaryScaling: row.secondaryScaling,
      nonce: BigInt(row.nonce),
      edgeBits: EDGE_BITS,
      packedNonces: fromHex(row.packedProof),
    };
  }

  test("all roots at all 1054 heights, and the proof of work of each header rebuilt from them", () => {
    let previousHash: Uint8Array = new Uint8Array(32);
    let checked = 0;
    for (const row of roots.headers) {
      expect(row.height).toBe(checked);
      const one = rebuilt(row, previousHash);
      expect(toHex(one.previousRoot)).toBe(row.prevRoot);
      expect(toHex(unspentAt.root())).toBe(row.bitmapRoot);
      expect(toHex(one.outputRoot)).toBe(row.outputRoot);
      expect(toHex(one.rangeProofRoot)).toBe(row.rangeProofRoot);
      expect(toHex(one.kernelRoot)).toBe(row.kernelRoot);
      const outputRoot = new ReadonlyPmmr(output.backend, { size: row.outputMmrSize }).root();
      expect(toHex(outputRoot)).toBe(row.outputPmmrRoot);

      previousHash = headerHash(one.packedNonces);
      expect(toHex(previousHash)).toBe(row.hash);
      const entry = header.pmmr.storedElement(leafPosition(row.height));
      expect(entry === undefined ? "none" : toHex(entry.hash)).toBe(row.hash);
      const nonces = unpackNonces(one.packedNonces, EDGE_BITS, PROOF_SIZE);
      expect(isCuckatooCycle(encodeHeaderPreimage(one), nonces, EDGE_BITS)).toBe(true);
      expect(decodeHeader(encodeHeader(one), PROOF_SIZE)).toEqual(one);
      checked++;
    }
    printCounts("real chain", { heights: checked, roots: 6 * checked, proofsOfWork: checked });
    expect(checked).toBe(1054);
  });

  test("a proof of work does not fit a header with one bit changed", () => {
    const row = roots.headers[700] as HeaderRow;
    const one = rebuilt(row, fromHex((roots.headers[699] as HeaderRow).hash));
    const nonces = unpackNonces(one.packedNonces, EDGE_BITS, PROOF_SIZE);
    const preimage = encodeHeaderPreimage(one);
    for (let i = 0; i < preimage.length; i++) {
      const changed = preimage.with(i, (preimage[i] as number) ^ 1);
      expect(isCuckatooCycle(changed, nonces, EDGE_BITS)).toBe(false);
    }
  });
});

describe("spent, compacted, rewound", () => {
  test("outputs: every stage's root, files, segments and proofs", () => {
    const range = rangeOf(outputCodec, chain.outputs, true);
    const result = readDerived().results.find(({ pmmr }) => pmmr === "output");
    expect(result?.stages.length).toBe(5);
    let segments = 0;
    result?.stages.forEach((stage, i) => {
      advance(range, i);
      segments += expectStage(range, outputCodec, stage, toHex);
    });
    expect(segments).toBe(16);
  });

  test("range proofs: every stage's root, files, segments and proofs", () => {
    const range = rangeOf(rangeProofCodec, chain.rangeProofs, true);
    const result = readDerived().results.find(({ pmmr }) => pmmr === "rangeproof");
    expect(result?.stages.length).toBe(5);
    let segments = 0;
    result?.stages.forEach((stage, i) => {
      advance(range, i);
      segments += expectStage(range, rangeProofCodec, stage, digest);
    });
    expect(segments).toBe(16);
  });
});

describe("the state of the chain handed over", () => {
  test("bitmap, outputs, range proofs and kernels, against the roots of one header", () => {
    const outputs = rangeOf(outputCodec, chain.outputs, true);
    const proofs = rangeOf(rangeProofCodec, chain.rangeProofs, true);
    spendHalf(outputs);
    spendHalf(proofs);
    const { size } = outputs.pmmr;
    const outputRoot = outputs.pmmr.root();
    const served = BitmapAccumulator.from(outputs.pmmr.unspentIndexes());
    const committed = headerOutputRoot(5, size, { outputRoot, bitmapRoot: served.root() });

    const bitmapSync = new BitmapSync({
      size: bitmapMmrSize(size),
      root: committed,
      height: SEGMENT_HEIGHTS.bitmap.usual,
      paired: { size, root: outputRoot, side: "left" },
    });
    while (bitmapSync.next !== undefined) {
      const encoded = encodeBitmapSegment(served.segment(bitmapSync.next));
      bitmapSync.apply(decodeBitmapSegment(encoded));
    }
    const unspent = bitmapSync.finish();

    const received = transfer(outputs.pmmr, outputCodec, {
      size,
      root: committed,
      height: 7,
      unspent,
      paired: { size, root: unspent.root(), side: "right" },
    });
    const receivedProofs = transfer(proofs.pmmr, rangeProofCodec, {
      size,
      root: proofs.pmmr.root(),
      height: 7,
      unspent,
    });
    const receivedKernels = transfer(kernel.pmmr, kernelCodec(), {
      size: kernel.pmmr.size,
      root: kernel.pmmr.root(),
      height: 9,
    });
    printCounts("state handed over", {
      outputBytes: received.bytes,
      rangeProofBytes: receivedProofs.bytes,
      kernelBytes: receivedKernels.bytes,
    });
    expect(received.pmmr.recordAt(0)).toBeUndefined();
  });

  test("every kernel segment of every height, strictly and as Grin would judge it", () => {
    const { size } = kernel.pmmr;
    const codec = kernelCodec();
    const target = { size, root: kernel.pmmr.root(), codec };
    for (const height of [4, 9, 11, 13]) {
      for (let index = 0; index < segmentsRequired(size, height); index++) {
        const id = { height, index };
        const encoded = encodeSegment(makeSegment(kernel.pmmr, id));
        const segment = decodeSegment(encoded, codec);
        expect(encodeSegment(segment)).toEqual(encoded);
        for (const mode of MODES) validateSegment(segment, { ...target, id }, mode);
      }
    }
  });
});
