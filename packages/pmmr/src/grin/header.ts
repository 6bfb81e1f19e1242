import { type Hasher, blake2b256 } from "@x/hash";
import type { ElementCodec } from "../codec.ts";
import { PmmrError } from "../errors.ts";
import { type MmrHashing, grinHashing } from "../hashing.ts";
import { ByteReader, ByteWriter, HASH_SIZE } from "../wire.ts";

/** Bytes in the record of a header. */
export const HEADER_RECORD_SIZE = 53;
/** Bytes of a header before its proof of work: what the proof of work is solved for. */
export const HEADER_PREIMAGE_SIZE = 246;
/** First header version that commits to the bitmap of unspent outputs. */
const MERGED_ROOT_VERSION = 3;
/** Widest nonce that is exact as a number. */
const EDGE_BITS_MAX = 53;

/** What Grin's header range stores of a header. */
export interface HeaderEntry {
  /** 32 bytes: {@link headerHash}. */
  readonly hash: Uint8Array;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly totalDifficulty: bigint;
  readonly secondaryScaling: number;
  /** Whether the proof of work is of the secondary kind. */
  readonly isSecondary: boolean;
}

/** What is pushed onto Grin's header range: the entry is stored, the packed nonces are hashed. */
export interface HeaderElement {
  readonly entry: HeaderEntry;
  /** Packed nonces of the proof of work: see {@link packNonces}. */
  readonly packedNonces: Uint8Array;
}

/** A block header. Roots and hashes are 32 bytes. */
export interface BlockHeader {
  readonly version: number;
  readonly height: number;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  readonly previousHash: Uint8Array;
  /** Root of the header range before this header. */
  readonly previousRoot: Uint8Array;
  /** See {@link headerOutputRoot}. */
  readonly outputRoot: Uint8Array;
  readonly rangeProofRoot: Uint8Array;
  readonly kernelRoot: Uint8Array;
  readonly totalKernelOffset: Uint8Array;
  readonly outputMmrSize: number;
  readonly kernelMmrSize: number;
  readonly totalDifficulty: bigint;
  readonly secondaryScaling: number;
  readonly nonce: bigint;
}

/** A block header with its proof of work. */
export interface SolvedHeader extends BlockHeader {
  /** Bits in a nonce of the proof of work. */
  readonly edgeBits: number;
  /** See {@link packNonces}. */
  readonly packedNonces: Uint8Array;
}

/**
 * Elements of Grin's header range: 53 bytes stored, the packed nonces hashed. So a leaf hash cannot be recomputed from what
 * is stored, and `storedHashForm` answers `undefined`. Layout: FORMAT.md, "Header entry".
 *
 * `load` refuses with `PMMR_TRUNCATED`, `PMMR_NON_CANONICAL` (bytes after the end, or a flag above 1) or
 * `PMMR_OUT_OF_RANGE` (a time above 2^53 - 1).
 */
export const headerCodec: ElementCodec<HeaderElement, HeaderEntry> = {
  recordSize: HEADER_RECORD_SIZE,
  store: ({ entry }) => encodeEntry(entry),
  hashForm: ({ packedNonces }) => new Uint8Array(packedNonces),
  load: decodeEntry,
  storedHashForm: () => undefined,
};

/**
 * Hash of a header: of its packed nonces alone. It identifies the header because the proof of work is one for this header.
 *
 * @param hasher - default: BLAKE2b-256, Grin's
 */
export function headerHash(
  packedNonces: Uint8Array,
  hasher: Hasher = blake2b256(),
): Uint8Array<ArrayBuffer> {
  return hasher.hash(packedNonces);
}

/**
 * What is pushed onto the header range for a header.
 *
 * @param isSecondary - whether its proof of work is of the secondary kind, which the chain's parameters say
 */
export function headerElement(header: SolvedHeader, isSecondary: boolean): HeaderElement {
  const { packedNonces, totalDifficulty, secondaryScaling } = header;
  return {
    packedNonces: new Uint8Array(packedNonces),
    entry: {
      hash: headerHash(packedNonces),
      timestamp: Number(header.timestamp),
      totalDifficulty,
      secondaryScaling,
      isSecondary,
    },
  };
}

/**
 * The output root that a header commits to: of the output range alone up to version 2, and of the pair of that and the
 * bitmap of unspent outputs from version 3 on.
 *
 * @param roots - 32 bytes each; `bitmapRoot` is not looked at before version 3
 * @returns fresh 32 bytes
 */
export function headerOutputRoot(
  version: number,
  outputMmrSize: number,
  roots: { readonly outputRoot: Uint8Array; readonly bitmapRoot: Uint8Array },
  hashing: MmrHashing = grinHashing(),
): Uint8Array<ArrayBuffer> {
  if (version < MERGED_ROOT_VERSION) return new Uint8Array(roots.outputRoot);
  return hashing.bag(outputMmrSize, roots.outputRoot, roots.bitmapRoot);
}

/** The bytes for which a header's proof of work is solved. Layout: FORMAT.md, "Block header". */
export function encodeHeaderPreimage(header: BlockHeader): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(HEADER_PREIMAGE_SIZE);
  writePreimage(writer, header);
  return writer.finish();
}

/** The bytes of a header with its proof of work. */
export function encodeHeader(header: SolvedHeader): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(HEADER_PREIMAGE_SIZE + 1 + header.packedNonces.length);
  writePreimage(writer, header);
  writer.u8(header.edgeBits);
  writer.bytes(header.packedNonces);
  return writer.finish();
}

/**
 * Reads a header with its proof of work back. The proof is checked for its form, not for being a solution.
 *
 * @param proofSize - nonces in a proof of work: 42 in Grin's networks
 * @throws PmmrError `PMMR_TRUNCATED`, `PMMR_OUT_OF_RANGE`, `PMMR_MALFORMED` (edge bits) or `PMMR_NON_CANONICAL` (padding, bytes
 *   after the end)
 */
export function decodeHeader(bytes: Uint8Array, proofSize: number): SolvedHeader {
  const reader = new ByteReader(bytes, "header");
  const header: BlockHeader = {
    version: reader.u16(),
    height: reader.u64(),
    timestamp: reader.i64big(),
    previousHash: reader.hash(),
    previousRoot: reader.hash(),
    outputRoot: reader.hash(),
    rangeProofRoot: reader.hash(),
    kernelRoot: reader.hash(),
    totalKernelOffset: reader.hash(),
    outputMmrSize: reader.u64(),
    kernelMmrSize: reader.u64(),
    totalDifficulty: reader.u64big(),
    secondaryScaling: reader.u32(),
    nonce: reader.u64big(),
  };
  const edgeBits = reader.u8();
  if (edgeBits < 1 || EDGE_BITS_MAX < edgeBits) {
    throw new PmmrError("PMMR_MALFORMED", `header: edge bits are ${edgeBits}, want 1 to 53`);
  }
  const packedNonces = reader.bytes(packedSize(edgeBits, proofSize));
  reader.finish();
  unpackNonces(packedNonces, edgeBits, proofSize);
  return { ...header, edgeBits, packedNonces };
}

/**
 * Packs the nonces of a proof of work: nonce i takes the bits from `i * edgeBits` on, least significant first, bytes fill
 * from their least significant bit, and zero bits pad the last.
 *
 * @param edgeBits - 1 … 53
 * @throws RangeError if a nonce does not fit
 */
export function packNonces(nonces: readonly number[], edgeBits: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packedSize(edgeBits, nonces.length));
  nonces.forEach((nonce, i) => {
    if (!Number.isSafeInteger(nonce) || nonce < 0 || nonce >= 2 ** edgeBits) {
      throw new RangeError(`nonce ${i} must be an integer of ${edgeBits} bits`);
    }
    let rest = nonce;
    for (let bit = i * edgeBits; 0 < rest; bit++) {
      const index = Math.floor(bit / 8);
      bytes[index] = (bytes[index] as number) | ((rest % 2) << (bit % 8));
      rest = Math.floor(rest / 2);
    }
  });
  return bytes;
}

/**
 * Nonces of a proof of work from their packed form.
 *
 * @param count - nonces in the proof
 * @throws PmmrError `PMMR_MALFORMED` for another length, `PMMR_NON_CANONICAL` if a bit of the padding is set
 */
export function unpackNonces(bytes: Uint8Array, edgeBits: number, count: number): number[] {
  const size = packedSize(edgeBits, count);
  if (bytes.length !== size) {
    throw new PmmrError("PMMR_MALFORMED", `packed nonces are ${bytes.length} bytes, want ${size}`);
  }
  const bitAt = (bit: number): number => ((bytes[Math.floor(bit / 8)] as number) >> (bit % 8)) % 2;
  const nonces: number[] = [];
  for (let i = 0; i < count; i++) {
    let nonce = 0;
    for (let k = edgeBits - 1; 0 <= k; k--) nonce = 2 * nonce + bitAt(i * edgeBits + k);
    nonces.push(nonce);
  }
  for (let bit = count * edgeBits; bit < size * 8; bit++) {
    if (bitAt(bit) !== 0) {
      throw new PmmrError("PMMR_NON_CANONICAL", "packed nonces have a bit of the padding set");
    }
  }
  return nonces;
}

function packedSize(edgeBits: number, count: number): number {
  if (!Number.isInteger(edgeBits) || edgeBits < 1 || EDGE_BITS_MAX < edgeBits) {
    throw new RangeError(
      `edge bits must be an integer from 1 to ${EDGE_BITS_MAX}, got ${edgeBits}`,
    );
  }
  if (!Number.isInteger(count) || count < 1 || 0xffff < count) {
    throw new RangeError(`a proof of work has 1 to 65535 nonces, got ${count}`);
  }
  return Math.ceil((edgeBits * count) / 8);
}

function writePreimage(writer: ByteWriter, header: BlockHeader): void {
  writer.u16(header.version);
  writer.u64(header.height);
  writer.i64big(header.timestamp);
  writer.hash(header.previousHash);
  writer.hash(header.previousRoot);
  writer.hash(header.outputRoot);
  writer.hash(header.rangeProofRoot);
  writer.hash(header.kernelRoot);
  writer.hash(header.totalKernelOffset);
  writer.u64(header.outputMmrSize);
  writer.u64(header.kernelMmrSize);
  writer.u64big(header.totalDifficulty);
  writer.u32(header.secondaryScaling);
  writer.u64big(header.nonce);
}

function encodeEntry(entry: HeaderEntry): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(HEADER_RECORD_SIZE);
  writer.hash(entry.hash);
  writer.u64(entry.timestamp);
  writer.u64big(entry.totalDifficulty);
  writer.u32(entry.secondaryScaling);
  writer.u8(entry.isSecondary ? 1 : 0);
  return writer.finish();
}

function decodeEntry(record: Uint8Array): HeaderEntry {
  const reader = new ByteReader(record, "header entry");
  const hash = reader.bytes(HASH_SIZE);
  const timestamp = reader.u64();
  const totalDifficulty = reader.u64big();
  const secondaryScaling = reader.u32();
  const flag = reader.u8();
  reader.finish();
  if (1 < flag) {
    throw new PmmrError("PMMR_NON_CANONICAL", `header entry: flag is ${flag}, want 0 or 1`);
  }
  return { hash, timestamp, totalDifficulty, secondaryScaling, isSecondary: flag === 1 };
}
