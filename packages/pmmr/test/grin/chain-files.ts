import { readFileSync } from "node:fs";
import { fromHex } from "@x/hash";
import type { ElementCodec } from "../../src/codec.ts";
import { type HeaderElement, type HeaderEntry, headerCodec } from "../../src/grin/header.ts";
import { CHAIN_FOLDERS } from "../../src/grin/layout.ts";
import { type Kernel, detectKernelVersion, kernelCodec } from "../../src/grin/kernel.ts";
import { outputCodec, type OutputIdentifier } from "../../src/grin/output.ts";
import { rangeProofCodec } from "../../src/grin/range-proof.ts";

const folder = new URL("../vectors/grin-chain/", import.meta.url);

/** What `roots.json` holds for a height. */
export interface HeaderRow {
  readonly height: number;
  readonly version: number;
  readonly timestamp: number;
  readonly totalDifficulty: number;
  readonly secondaryScaling: number;
  readonly nonce: number;
  readonly packedProof: string;
  readonly hash: string;
  readonly prevRoot: string;
  readonly outputMmrSize: number;
  readonly kernelMmrSize: number;
  readonly outputPmmrRoot: string;
  readonly bitmapRoot: string;
  readonly outputRoot: string;
  readonly rangeProofRoot: string;
  readonly kernelRoot: string;
}

interface FinalRow {
  readonly leaves: number;
  readonly mmrSize: number;
  readonly root: string;
}

export interface Roots {
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly blake2b256: string }>>;
  readonly final: {
    readonly header: FinalRow;
    readonly output: FinalRow & { readonly bitmapRoot: string; readonly headerOutputRoot: string };
    readonly rangeproof: FinalRow;
    readonly kernel: FinalRow;
  };
  readonly headers: readonly HeaderRow[];
}

/** What `derived.json` holds for a stage. */
export interface DerivedStage {
  readonly step: string;
  readonly mmrSize: number;
  readonly root: string;
  readonly unspentLeaves: number;
  readonly hashCount: number;
  readonly dataCount: number;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly blake2b256: string }>>;
  readonly segments: readonly {
    readonly height: number;
    readonly idx: number;
    readonly bytes: number;
    readonly blake2b256: string;
  }[];
  readonly merkleProofs: readonly {
    readonly leafIndex: number;
    readonly pos0: number;
    readonly proof: string | null;
  }[];
}

export interface Derived {
  readonly results: readonly { readonly pmmr: string; readonly stages: readonly DerivedStage[] }[];
}

export function readChainFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, folder)));
}

export function readRoots(): Roots {
  return JSON.parse(readFileSync(new URL("roots.json", folder), "utf8")) as Roots;
}

export function readDerived(): Derived {
  return JSON.parse(readFileSync(new URL("derived.json", folder), "utf8")) as Derived;
}

/** Content of a range's data file. */
function data(name: keyof typeof CHAIN_FOLDERS): Uint8Array {
  return readChainFile(`${CHAIN_FOLDERS[name]}/pmmr_data.bin`);
}

/** Elements of a data file, read with the codec alone. */
function elementsOf<E, S>(codec: ElementCodec<E, S>, bytes: Uint8Array): S[] {
  const elements: S[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const size = codec.recordSize ?? codec.recordSizeAt?.(bytes, offset);
    if (size === undefined) throw new Error(`no record at ${offset}`);
    elements.push(codec.load(bytes.slice(offset, offset + size)));
    offset += size;
  }
  return elements;
}

/** The elements of the four ranges, in the order in which the chain appended them. */
export interface ChainElements {
  readonly headers: readonly HeaderElement[];
  readonly outputs: readonly OutputIdentifier[];
  readonly rangeProofs: readonly Uint8Array[];
  readonly kernels: readonly Kernel[];
}

export function readElements(roots: Roots): ChainElements {
  const kernels = data("kernel");
  const version = detectKernelVersion([kernels], roots.final.kernel.leaves);
  const entries: HeaderEntry[] = elementsOf(headerCodec, data("header"));
  return {
    headers: entries.map((entry, height) => ({
      entry,
      packedNonces: fromHex((roots.headers[height] as HeaderRow).packedProof),
    })),
    outputs: elementsOf(outputCodec, data("output")),
    rangeProofs: elementsOf(rangeProofCodec, data("rangeProof")),
    kernels: elementsOf(kernelCodec(version), kernels),
  };
}
