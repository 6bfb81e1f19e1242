import { PmmrError } from "./errors.ts";
import type { MmrHashing } from "./hashing.ts";
import { familyBranch, heightOf, leafPosition } from "./position.ts";
import { collectSegmentProof, segmentProofShape } from "./segment-proof.ts";
import {
  type Segment,
  type SegmentHash,
  type SegmentId,
  type SegmentLeaf,
  type SegmentRange,
  segmentRange,
  segmentTops,
} from "./segment.ts";

/** What a segment is made from: every view of a range is one. */
export interface SegmentSource {
  readonly size: number;
  readonly prunable: boolean;
  /** Whether no record is kept. Default: false. */
  readonly hashOnly?: boolean;
  readonly hashing: MmrHashing;
  /** Stored hash of a node, whether or not its leaves are spent; `undefined` when compacted away. */
  hashAt(pos0: number): Uint8Array | undefined;
  /** Stored record of a leaf, whether or not it is spent; `undefined` when compacted away. */
  recordAt(pos0: number): Uint8Array | undefined;
  /** Whether a node is the root of what was compacted away, or lies below one. Default: none does. */
  isCompacted?(pos0: number): boolean;
}

/** Nodes of a segment as they are found. */
interface Content {
  readonly hashes: SegmentHash[];
  readonly leaves: SegmentLeaf[];
}

/**
 * Makes a segment of what is stored: of a prunable range every stored record and every stored inner hash, spent leaves
 * included; of others every record. A part that was compacted away is represented by the root of its pruned subtree, and if
 * that subtree covers more than the segment, this one hash is the whole content.
 *
 * Cost: O(stored nodes) reads, whatever was pruned.
 *
 * @returns fresh arrays
 * @throws PmmrError `PMMR_OUT_OF_RANGE` if the range ends before the segment; `PMMR_HASH_ONLY` if the source keeps no
 *   records; `PMMR_COMPACTED` if the source is a view that
 *   ends inside a compacted subtree, where what is needed is gone; `PMMR_MISSING_HASH` or `PMMR_DAMAGED` if the store lacks
 *   what it must have
 * @throws RangeError if the identifier is none
 */
export function makeSegment(source: SegmentSource, id: SegmentId): Segment {
  const { size } = source;
  const range = segmentRange(id, size);
  if (range === undefined) {
    throw new PmmrError(
      "PMMR_OUT_OF_RANGE",
      `a range of ${size} nodes has no segment ${id.index} of height ${id.height}`,
    );
  }
  if (source.hashOnly === true) {
    throw new PmmrError("PMMR_HASH_ONLY", "a segment needs records, and the range keeps none");
  }
  const content = source.prunable ? storedContent(source, range) : allLeaves(source, range);
  let known = range.last;
  if (content.hashes.length === 0 && content.leaves.length === 0) {
    const cover = coveringHash(source, range);
    content.hashes.push(cover);
    known = cover.pos0;
  }
  const shape = segmentProofShape(range, size, known);
  const proof = collectSegmentProof(source.hashing, size, shape, (pos0) => mustHash(source, pos0));
  return { id: { height: id.height, index: id.index }, ...content, proof };
}

function allLeaves(source: SegmentSource, range: SegmentRange): Content {
  const leaves: SegmentLeaf[] = [];
  for (let i = 0; i < range.leaves; i++) {
    const pos0 = leafPosition(range.leafBegin + i);
    const record = source.recordAt(pos0);
    if (record === undefined) {
      throw new PmmrError("PMMR_DAMAGED", `the leaf at ${pos0} has no record`);
    }
    leaves.push({ pos0, record });
  }
  return { hashes: [], leaves };
}

function storedContent(source: SegmentSource, range: SegmentRange): Content {
  const content: Content = { hashes: [], leaves: [] };
  const tops = segmentTops(range, source.size);
  const absent = tops.filter((top) => !addStored(source, top, 2 ** heightOf(top), content));
  const [first] = absent;
  // What is absent as a whole lies below one pruned root; but nothing stands for a part of the segment.
  if (first !== undefined && absent.length < tops.length) throw notStored(source, first);
  return content;
}

/**
 * Adds what is stored of a subtree in ascending order. Recursion is bounded by the height.
 *
 * @param leaves - leaves below `pos0`, a power of two
 * @returns whether anything is
 */
function addStored(source: SegmentSource, pos0: number, leaves: number, content: Content): boolean {
  const record = leaves === 1 ? source.recordAt(pos0) : undefined;
  if (record !== undefined) {
    content.leaves.push({ pos0, record });
    return true;
  }
  const hash = source.hashAt(pos0);
  // Without a hash the node lies below a pruned root, and so does everything under it.
  if (hash === undefined) return false;
  if (1 < leaves) {
    addStored(source, pos0 - leaves, leaves / 2, content);
    addStored(source, pos0 - 1, leaves / 2, content);
  }
  content.hashes.push({ pos0, hash });
  return true;
}

/** The pruned root above a segment of which nothing is left. */
function coveringHash(source: SegmentSource, range: SegmentRange): SegmentHash {
  for (const { parent } of familyBranch(range.last, source.size)) {
    const hash = source.hashAt(parent);
    if (hash !== undefined) return { pos0: parent, hash };
  }
  throw notStored(source, range.last);
}

function mustHash(source: SegmentSource, pos0: number): Uint8Array {
  const hash = source.hashAt(pos0);
  if (hash === undefined) throw notStored(source, pos0);
  return hash;
}

function notStored(source: SegmentSource, pos0: number): PmmrError {
  const code = source.isCompacted?.(pos0) === true ? "PMMR_COMPACTED" : "PMMR_MISSING_HASH";
  return new PmmrError(code, `segment needs the hash at ${pos0}, which is not stored`);
}
