import { PmmrError } from "./errors.ts";
import type { AnyElementCodec } from "./segment-leaf.ts";
import { SEGMENT_HEIGHT_MAX, type Segment, type SegmentHash, type SegmentLeaf } from "./segment.ts";
import { ByteReader, ByteWriter, HASH_SIZE } from "./wire.ts";

/** Items of one kind that a segment may carry, as in Grin. */
const COUNT_MAX = 1_000_000;
/** Hashes that a proof of any 64-bit size can need: one per level, one for the peaks to the right, and the peaks to the left. */
const PROOF_COUNT_MAX = 128;
/** Greatest height accepted from a peer unless the caller says otherwise. */
const PEER_HEIGHT_MAX = 13;
const POSITION_SIZE = 8;
/** Greatest length of a record. */
const RECORD_SIZE_MAX = 65_535;

/** Limits of {@link decodeSegment}. */
export interface SegmentLimits {
  /** Default: 13. Grin's nodes serve outputs at up to 15. */
  readonly heightMax?: number;
  /** Greatest number of hashes, and of leaves. Default and most: 1,000,000. */
  readonly countMax?: number;
}

/**
 * Bytes of a segment. Layout: FORMAT.md, "Segment".
 *
 * @returns fresh bytes
 * @throws PmmrError `PMMR_TOO_LARGE` for what no reader takes: more than 1,000,000 hashes or leaves, more than 128 hashes of
 *   proof, a height above 52
 * @throws RangeError if a number does not fit its field, a hash is not 32 bytes, or positions do not ascend
 */
export function encodeSegment(segment: Segment): Uint8Array<ArrayBuffer> {
  const { id, hashes, leaves, proof } = segment;
  checkNotAbove("height", id.height, SEGMENT_HEIGHT_MAX);
  checkNotAbove("number of hashes", hashes.length, COUNT_MAX);
  checkNotAbove("number of leaves", leaves.length, COUNT_MAX);
  let sizeHint = 64 + (POSITION_SIZE + HASH_SIZE) * (hashes.length + proof.length);
  for (const leaf of leaves) sizeHint += POSITION_SIZE + leaf.record.length;
  const writer = new ByteWriter(sizeHint);
  writer.u8(id.height);
  writer.u64(id.index);
  writePositions(writer, hashes);
  for (const item of hashes) writer.hash(item.hash);
  writePositions(writer, leaves);
  for (const leaf of leaves) writer.bytes(leaf.record);
  writeProof(writer, proof);
  return writer.finish();
}

/**
 * Reads a segment that may come from an enemy. It checks the form only: whether the content belongs to a range is for
 * `validateSegment` to say.
 *
 * One segment has one encoding; time and memory are bounded by the input. The result shares one private copy of the input.
 *
 * @param codec - of the elements; records of variable size need its `recordSizeAt`
 * @throws PmmrError `PMMR_TRUNCATED`; `PMMR_NON_CANONICAL` for positions that do not ascend from 1 and bytes after the end;
 *   `PMMR_TOO_LARGE` above a limit; `PMMR_OUT_OF_RANGE` for integers above 2^53 - 1; `PMMR_MALFORMED` for a record that is
 *   no element
 * @throws RangeError if a limit is not a non-negative integer
 * @throws TypeError if the codec can tell no record from the next
 */
export function decodeSegment(
  bytes: Uint8Array,
  codec: AnyElementCodec,
  limits: SegmentLimits = {},
): Segment {
  const countMax = Math.min(checkLimit("countMax", limits.countMax ?? COUNT_MAX), COUNT_MAX);
  if (!(bytes instanceof Uint8Array)) {
    throw new TypeError(`segment must be a Uint8Array, got ${typeof bytes}`);
  }
  const copy = new Uint8Array(bytes);
  const reader = new ByteReader(copy, "segment");
  const id = readSegmentId(reader, limits.heightMax ?? PEER_HEIGHT_MAX);
  const hashPositions = readPositions(reader, countMax, HASH_SIZE);
  const hashes = hashPositions.map((pos0): SegmentHash => ({ pos0, hash: reader.view(HASH_SIZE) }));
  const leafPositions = readPositions(reader, countMax, codec.recordSize ?? 1);
  const leaves = leafPositions.map((pos0): SegmentLeaf => ({
    pos0,
    record: readRecord(reader, copy, codec),
  }));
  const proof = readProof(reader);
  reader.finish();
  return { id, hashes, leaves, proof };
}

/** An identifier. Refuses heights above `heightMax` with `PMMR_TOO_LARGE`, and a limit that is none with RangeError. */
export function readSegmentId(reader: ByteReader, heightMax: number): Segment["id"] {
  checkLimit("heightMax", heightMax);
  const height = reader.u8();
  checkNotAbove("height", height, Math.min(heightMax, SEGMENT_HEIGHT_MAX));
  return { height, index: reader.u64() };
}

/** A proof: a count and so many hashes, which are views of what is read. */
export function readProof(reader: ByteReader): Uint8Array[] {
  const count = reader.count(HASH_SIZE, PROOF_COUNT_MAX);
  return Array.from({ length: count }, () => reader.view(HASH_SIZE));
}

/** Writes what {@link readProof} reads; refuses what that would with `PMMR_TOO_LARGE`. */
export function writeProof(writer: ByteWriter, proof: readonly Uint8Array[]): void {
  checkNotAbove("number of hashes in the proof", proof.length, PROOF_COUNT_MAX);
  writer.u64(proof.length);
  for (const hash of proof) writer.hash(hash);
}

function writePositions(writer: ByteWriter, items: readonly { readonly pos0: number }[]): void {
  writer.u64(items.length);
  let previous = -1;
  for (const { pos0 } of items) {
    if (pos0 <= previous) throw new RangeError(`position ${pos0} does not follow ${previous}`);
    writer.u64(pos0 + 1);
    previous = pos0;
  }
}

function checkNotAbove(what: string, value: number, max: number): void {
  if (value > max) {
    throw new PmmrError("PMMR_TOO_LARGE", `segment: ${what} ${value} is above the limit of ${max}`);
  }
}

/** Nothing is above NaN, so it would be no limit at all. */
function checkLimit(name: string, limit: number): number {
  if (!Number.isSafeInteger(limit) || limit < 0) {
    throw new RangeError(`${name} must be a non-negative integer, got ${limit}`);
  }
  return limit;
}

/** Positions count from 1 in the bytes and from 0 in the result. */
function readPositions(reader: ByteReader, countMax: number, itemSize: number): number[] {
  const count = reader.count(POSITION_SIZE + itemSize, countMax);
  const positions: number[] = [];
  let previous = -1;
  for (let i = 0; i < count; i++) {
    const offset = reader.offset;
    const pos0 = reader.u64() - 1;
    if (pos0 <= previous) {
      throw new PmmrError(
        "PMMR_NON_CANONICAL",
        `segment: position ${pos0} at offset ${offset} does not follow ${previous}`,
      );
    }
    positions.push(pos0);
    previous = pos0;
  }
  return positions;
}

/** One record, loaded once so that a byte string that is no element is refused here. */
function readRecord(reader: ByteReader, bytes: Uint8Array, codec: AnyElementCodec): Uint8Array {
  const offset = reader.offset;
  const size = codec.recordSize ?? delimitedSize(bytes, offset, codec);
  const record = reader.view(size);
  malformedUnlessLoaded(() => codec.load(record), offset);
  return record;
}

function delimitedSize(bytes: Uint8Array, offset: number, codec: AnyElementCodec): number {
  if (codec.recordSizeAt === undefined) {
    throw new TypeError(
      "codec has neither recordSize nor recordSizeAt, so records cannot be told apart",
    );
  }
  let size: number | undefined;
  malformedUnlessLoaded(() => {
    size = codec.recordSizeAt?.(bytes, offset);
  }, offset);
  if (size === undefined) {
    throw new PmmrError("PMMR_TRUNCATED", `segment: record at offset ${offset} is cut short`);
  }
  if (!Number.isInteger(size) || size < 1 || size > RECORD_SIZE_MAX) {
    throw new RangeError(`recordSizeAt must answer 1 to ${RECORD_SIZE_MAX}, got ${size}`);
  }
  return size;
}

function malformedUnlessLoaded(load: () => unknown, offset: number): void {
  try {
    load();
  } catch (error) {
    throw new PmmrError("PMMR_MALFORMED", `segment: no element at offset ${offset}`, {
      cause: error,
    });
  }
}
