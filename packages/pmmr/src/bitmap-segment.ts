/**
 * The compact form in which segments of a bitmap accumulator travel: chunks in blocks of up to 64, each block as raw bits,
 * as positions of its set bits, or as positions of its clear bits, whichever the counts of bits call for.
 *
 * Layout: FORMAT.md, "Bitmap segment".
 */

import { CHUNK_SIZE, hasBit, popCount, setBit } from "./bitmap-chunk.ts";
import { PmmrError } from "./errors.ts";
import { leafPosition } from "./position.ts";
import { readProof, readSegmentId, writeProof } from "./segment-codec.ts";
import { SEGMENT_HEIGHT_MAX, type Segment, type SegmentLeaf } from "./segment.ts";
import { ByteReader, ByteWriter } from "./wire.ts";

/** Chunks in every block but the last. */
const BLOCK_CHUNKS = 64;
/** Greatest height of a bitmap segment, as in Grin: 2^13 chunks are 1 MiB of bits. */
export const BITMAP_SEGMENT_HEIGHT_MAX = 13;
/** Set or clear bits from which on they are not written one by one. */
const LISTED_BITS_END = 4096;
/** Bytes of the smallest block: chunk count, mode, and an empty list. */
const BLOCK_SIZE_MIN = 4;

/** How the bits of a block are written. */
const Mode = { raw: 0, set: 1, clear: 2 } as const;

/**
 * Bytes of a segment of a bitmap accumulator.
 *
 * @returns fresh bytes
 * @throws PmmrError `PMMR_TOO_LARGE` for more than 128 hashes of proof
 * @throws RangeError if it carries hashes, if its leaves are not the first leaves of the segment in order, at least one of
 *   them, with 128 bytes each, or if a number does not fit its field
 */
export function encodeBitmapSegment(segment: Segment): Uint8Array<ArrayBuffer> {
  const { id, leaves, hashes, proof } = segment;
  if (hashes.length !== 0) throw new RangeError("a bitmap segment carries no hashes");
  if (leaves.length === 0) throw new RangeError("a bitmap segment carries at least one chunk");
  const capacity = 2 ** id.height;
  if (BITMAP_SEGMENT_HEIGHT_MAX < id.height || capacity < leaves.length) {
    throw new RangeError(
      `${leaves.length} chunks do not fit a bitmap segment of height ${id.height}`,
    );
  }
  leaves.forEach(({ pos0, record }, i) => {
    if (pos0 !== leafPosition(id.index * capacity + i) || record.length !== CHUNK_SIZE) {
      throw new RangeError(`leaf ${i} is not the next chunk of the segment`);
    }
  });
  const writer = new ByteWriter();
  writer.u8(id.height);
  writer.u64(id.index);
  const blocks = Math.ceil(leaves.length / BLOCK_CHUNKS);
  writer.u16(blocks);
  for (let i = 0; i < blocks; i++) {
    writeBlock(writer, leaves.slice(i * BLOCK_CHUNKS, (i + 1) * BLOCK_CHUNKS));
  }
  writeProof(writer, proof);
  return writer.finish();
}

/**
 * Reads a segment of a bitmap accumulator that may come from an enemy. It checks the form only: whether the content belongs
 * to a range is for `validateSegment` to say.
 *
 * One segment has one encoding. Time is bounded by the input and the chunks, memory by 2^`heightMax` chunks: lists of bits
 * expand.
 *
 * @param options - `heightMax`: greatest height accepted; default and most: 13
 * @throws PmmrError `PMMR_TRUNCATED`; `PMMR_MALFORMED` for no block, a short or empty block, an unknown mode or a position
 *   beyond the block; `PMMR_TOO_LARGE` above a limit; `PMMR_OUT_OF_RANGE` for a segment beyond every range;
 *   `PMMR_NON_CANONICAL` for another mode than the writer takes, positions that do not ascend, and bytes after the end
 * @throws RangeError if `heightMax` is not a non-negative integer
 */
export function decodeBitmapSegment(
  bytes: Uint8Array,
  options: { readonly heightMax?: number } = {},
): Segment {
  const reader = new ByteReader(bytes, "bitmap segment");
  const heightMax = Math.min(
    options.heightMax ?? BITMAP_SEGMENT_HEIGHT_MAX,
    BITMAP_SEGMENT_HEIGHT_MAX,
  );
  const id = readSegmentId(reader, heightMax);
  const capacity = 2 ** id.height;
  if (2 ** SEGMENT_HEIGHT_MAX / capacity <= id.index) {
    throw new PmmrError(
      "PMMR_OUT_OF_RANGE",
      `bitmap segment: index ${id.index} is beyond every range`,
    );
  }
  const blocks = reader.u16();
  if (blocks === 0) throw malformed("has no block", reader);
  if (Math.ceil(capacity / BLOCK_CHUNKS) < blocks) {
    throw tooLarge(`${blocks} blocks for ${capacity} chunks`);
  }
  reader.need(blocks, BLOCK_SIZE_MIN);
  const leaves: SegmentLeaf[] = [];
  for (let i = 0; i < blocks; i++) {
    const bits = readBlock(reader, i === blocks - 1);
    for (let offset = 0; offset < bits.length; offset += CHUNK_SIZE) {
      const pos0 = leafPosition(id.index * capacity + leaves.length);
      leaves.push({ pos0, record: bits.subarray(offset, offset + CHUNK_SIZE) });
    }
  }
  if (capacity < leaves.length) throw tooLarge(`${leaves.length} chunks for ${capacity}`);
  const proof = readProof(reader).map((hash) => new Uint8Array(hash));
  reader.finish();
  return { id, hashes: [], leaves, proof };
}

function writeBlock(writer: ByteWriter, chunks: readonly SegmentLeaf[]): void {
  const bits = new Uint8Array(chunks.length * CHUNK_SIZE);
  for (const [i, { record }] of chunks.entries()) bits.set(record, i * CHUNK_SIZE);
  const mode = modeOf(bits);
  writer.u8(chunks.length);
  writer.u8(mode);
  if (mode === Mode.raw) {
    writer.bytes(bits);
    return;
  }
  const set = popCount(bits);
  const listed = mode === Mode.set ? bits : inverted(bits);
  writer.u16(mode === Mode.set ? set : bits.length * 8 - set);
  for (let byte = 0; byte < listed.length; byte++) {
    if (listed[byte] === 0) continue;
    for (let bit = byte * 8; bit < byte * 8 + 8; bit++) {
      if (hasBit(listed, bit)) writer.u16(bit);
    }
  }
}

/** Fresh bits of one block. */
function readBlock(reader: ByteReader, isLast: boolean): Uint8Array<ArrayBuffer> {
  const chunks = reader.u8();
  if (BLOCK_CHUNKS < chunks) throw tooLarge(`a block of ${chunks} chunks`);
  if (chunks === 0 || (!isLast && chunks !== BLOCK_CHUNKS)) {
    throw malformed(`has a block of ${chunks} chunks`, reader);
  }
  const mode = reader.u8();
  const bits = readBits(reader, chunks * CHUNK_SIZE, mode);
  if (mode !== modeOf(bits)) {
    throw new PmmrError(
      "PMMR_NON_CANONICAL",
      `bitmap segment: block in mode ${mode} before offset ${reader.offset}, want ${modeOf(bits)}`,
    );
  }
  return bits;
}

function readBits(reader: ByteReader, size: number, mode: number): Uint8Array<ArrayBuffer> {
  if (mode === Mode.raw) return reader.bytes(size);
  if (mode !== Mode.set && mode !== Mode.clear) throw malformed(`has mode ${mode}`, reader);
  const count = reader.u16();
  reader.need(count, 2);
  const bits = new Uint8Array(size);
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const bit = reader.u16();
    if (size * 8 <= bit) throw malformed(`has bit ${bit} in a block of ${size * 8}`, reader);
    if (bit <= previous) {
      throw new PmmrError(
        "PMMR_NON_CANONICAL",
        `bitmap segment: bit ${bit} before offset ${reader.offset} does not follow ${previous}`,
      );
    }
    setBit(bits, bit);
    previous = bit;
  }
  return mode === Mode.set ? bits : inverted(bits);
}

function inverted(bits: Uint8Array): Uint8Array<ArrayBuffer> {
  const inverse = new Uint8Array(bits);
  for (let i = 0; i < inverse.length; i++) inverse[i] = (inverse[i] as number) ^ 0xff;
  return inverse;
}

/** The mode that the writer takes. */
function modeOf(bits: Uint8Array): number {
  const set = popCount(bits);
  if (set < LISTED_BITS_END) return Mode.set;
  return bits.length * 8 - set < LISTED_BITS_END ? Mode.clear : Mode.raw;
}

function malformed(what: string, reader: ByteReader): PmmrError {
  return new PmmrError("PMMR_MALFORMED", `bitmap segment ${what} before offset ${reader.offset}`);
}

function tooLarge(what: string): PmmrError {
  return new PmmrError("PMMR_TOO_LARGE", `bitmap segment: ${what}`);
}
