import {
  BYTES_BEFORE,
  BYTES_TOTAL,
  FILL,
  FIRST,
  IS_LAST_CONSTANT,
  LAST,
  PENULTIMATE,
  PLAN,
  PLAN_SIZE,
  SCHEDULE,
} from "./layout.ts";

/** Where a message begins: the state after what was hashed before it. Never changed. */
export interface Start {
  /** Chaining state after whole blocks, as it lies in memory. */
  readonly state: Uint8Array;
  /** Bytes in those blocks. */
  readonly byteCount: number;
  /** What was hashed after them: less than a block, or a whole one that may turn out to be the last. */
  readonly leftover: Uint8Array;
}

/** How a hash function ends a message. */
export interface Padding {
  /** Bytes that padding adds at least. */
  readonly sizeMin: number;
  /** The byte after the message. BLAKE2 has none: it tells the last block by a flag. */
  readonly marker: number | undefined;
  /**
   * Ends the last block.
   *
   * @param block - as filled so far; written
   * @param byteCount - bytes in the message with everything before it
   */
  close(block: Uint8Array, byteCount: number): void;
  /** Words of a last block that holds no message, where the kernel takes them ready-made. */
  readonly expand?: (block: Uint8Array) => Uint32Array;
}

/** How messages of one size after one start become blocks. Never changed. */
export interface Plan {
  readonly messageSize: number;
  /** Blocks that each message takes after the start's. */
  readonly blockCount: number;
  /** Bytes of the first block that come before the message. */
  readonly leftover: number;
  /** What lies at PLAN. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Lays out the plan for messages of `messageSize` bytes after `start`. Layout: layout.ts. */
export function createPlan(
  start: Start,
  messageSize: number,
  blockSize: number,
  padding: Padding,
): Plan {
  const begin = start.leftover.length;
  const end = begin + messageSize;
  const blockCount = Math.max(1, Math.ceil((end + padding.sizeMin) / blockSize));
  const bytes = new Uint8Array(PLAN_SIZE);
  const view = new DataView(bytes.buffer);
  const byteCount = start.byteCount + end;
  bytes.set(start.state);
  writeUint64(view, BYTES_BEFORE - PLAN, start.byteCount);
  writeUint64(view, BYTES_TOTAL - PLAN, byteCount);
  for (const [block, edge] of [
    [0, FIRST],
    [blockCount - 2, PENULTIMATE],
    [blockCount - 1, LAST],
  ] as const) {
    if (block < 0) continue;
    const mask = bytes.subarray(edge - PLAN, edge - PLAN + blockSize);
    const fill = bytes.subarray(edge - PLAN + FILL, edge - PLAN + FILL + blockSize);
    const offset = block * blockSize;
    if (begin < offset + blockSize && offset < end) {
      mask.fill(0xff, Math.max(0, begin - offset), Math.max(0, end - offset));
    }
    if (offset === 0) fill.set(start.leftover);
    if (padding.marker !== undefined && offset <= end && end < offset + blockSize) {
      fill[end - offset] = padding.marker;
    }
    if (edge === LAST) padding.close(fill, byteCount);
  }
  if (padding.expand !== undefined && end <= (blockCount - 1) * blockSize) {
    view.setUint32(IS_LAST_CONSTANT - PLAN, 1, true);
    const words = padding.expand(
      bytes.subarray(LAST + FILL - PLAN, LAST + FILL - PLAN + blockSize),
    );
    for (const [i, word] of words.entries()) view.setUint32(SCHEDULE - PLAN + 4 * i, word, true);
  }
  return { messageSize, blockCount, leftover: begin, bytes };
}

/** Writes a safe integer as an unsigned 64-bit one, the lower half first. */
export function writeUint64(view: DataView, offset: number, value: number): void {
  view.setUint32(offset, value >>> 0, true);
  view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
}
