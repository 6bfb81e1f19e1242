import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromHex } from "@x/hash";
import { nodeFileSystem } from "@x/append-only-file/node";
import { openPmmr, type PmmrFolder } from "@x/pmmr/file";
import {
  CHAIN_FOLDERS,
  headerCodec,
  type HeaderElement,
  type HeaderEntry,
  type Kernel,
  kernelCodec,
  outputCodec,
  type OutputIdentifier,
  rangeProofCodec,
} from "@x/pmmr/grin";

/** The chain that comes with this example; never written to. */
const SOURCE = fileURLToPath(new URL("../chain/", import.meta.url));

/** What the header at a height commits to. Roots are 32 bytes. */
export interface Commitment {
  readonly height: number;
  readonly version: number;
  readonly hash: Uint8Array;
  readonly packedProof: Uint8Array;
  readonly prevRoot: Uint8Array;
  readonly outputMmrSize: number;
  readonly kernelMmrSize: number;
  readonly outputPmmrRoot: Uint8Array;
  readonly bitmapRoot: Uint8Array;
  readonly outputRoot: Uint8Array;
  readonly rangeProofRoot: Uint8Array;
  readonly kernelRoot: Uint8Array;
}

/** The four ranges of a node, open. */
export interface Chain {
  readonly headers: PmmrFolder<HeaderElement, HeaderEntry>;
  readonly outputs: PmmrFolder<OutputIdentifier>;
  readonly rangeProofs: PmmrFolder<Uint8Array>;
  readonly kernels: PmmrFolder<Kernel>;
}

/** Copies the chain's folders to a temporary one; `remove` deletes it. */
export async function copyChain(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), "grin-chain-"));
  for (const folder of Object.values(CHAIN_FOLDERS)) {
    await cp(join(SOURCE, folder), join(path, folder), { recursive: true });
  }
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

export async function openChain(path: string): Promise<Chain> {
  return {
    headers: await openPmmr(nodeFileSystem(join(path, CHAIN_FOLDERS.header)), {
      codec: headerCodec,
    }),
    outputs: await openOutputs(path),
    rangeProofs: await openPmmr(nodeFileSystem(join(path, CHAIN_FOLDERS.rangeProof)), {
      codec: rangeProofCodec,
      prunable: true,
    }),
    kernels: await openPmmr(nodeFileSystem(join(path, CHAIN_FOLDERS.kernel)), {
      codec: kernelCodec(2),
    }),
  };
}

/** Only the outputs, as the process that is killed opens them. */
export function openOutputs(
  path: string,
  wrap: (fs: ReturnType<typeof nodeFileSystem>) => ReturnType<typeof nodeFileSystem> = (fs) => fs,
): Promise<PmmrFolder<OutputIdentifier>> {
  const fs = wrap(nodeFileSystem(join(path, CHAIN_FOLDERS.output)));
  return openPmmr(fs, { codec: outputCodec, prunable: true });
}

export function foldersOf(
  chain: Chain,
): readonly { readonly name: string; readonly folder: AnyFolder }[] {
  return [
    { name: "headers", folder: chain.headers },
    { name: "outputs", folder: chain.outputs },
    { name: "range proofs", folder: chain.rangeProofs },
    { name: "kernels", folder: chain.kernels },
  ];
}

/** What the four have in common, whatever their elements are. */
export type AnyFolder = Pick<
  PmmrFolder<never, unknown>,
  "verify" | "commit" | "compact" | "close" | "stats"
>;

export async function closeChain(chain: Chain): Promise<void> {
  for (const { folder } of foldersOf(chain)) await folder.close();
}

/** Reads what all headers commit to, in the order of their heights. */
export function readCommitments(): Commitment[] {
  const text = readFileSync(join(SOURCE, "roots.json"), "utf8");
  const { headers } = JSON.parse(text) as {
    headers: (Record<HexField, string> & Record<NumberField, number>)[];
  };
  return headers.map((header) => ({
    height: header.height,
    version: header.version,
    outputMmrSize: header.outputMmrSize,
    kernelMmrSize: header.kernelMmrSize,
    hash: fromHex(header.hash),
    packedProof: fromHex(header.packedProof),
    prevRoot: fromHex(header.prevRoot),
    outputPmmrRoot: fromHex(header.outputPmmrRoot),
    bitmapRoot: fromHex(header.bitmapRoot),
    outputRoot: fromHex(header.outputRoot),
    rangeProofRoot: fromHex(header.rangeProofRoot),
    kernelRoot: fromHex(header.kernelRoot),
  }));
}

type NumberField = "height" | "version" | "outputMmrSize" | "kernelMmrSize";
type HexField =
  | "hash"
  | "packedProof"
  | "prevRoot"
  | "outputPmmrRoot"
  | "bitmapRoot"
  | "outputRoot"
  | "rangeProofRoot"
  | "kernelRoot";
