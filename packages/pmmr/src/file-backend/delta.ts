import { PmmrError } from "../errors.ts";
import { ByteReader, ByteWriter } from "../wire.ts";

/**
 * What one commit changed in a set of 1-based positions: first `removed` leave it, then `added` enter it.
 * Both are strictly ascending, no value is in both, every value is in 1…2^32 - 1.
 */
export interface SetDelta {
  readonly added: readonly number[];
  readonly removed: readonly number[];
}

/** Bytes of the two counts: the length of the delta that changes nothing. */
const DELTA_SIZE_MIN = 8;

/** Encodes a delta. Layout: FORMAT.md, "Set delta". */
export function encodeSetDelta(delta: SetDelta): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(DELTA_SIZE_MIN + 4 * (delta.added.length + delta.removed.length));
  for (const list of [delta.added, delta.removed]) {
    writer.u32(list.length);
    for (const pos1 of list) writer.u32(pos1);
  }
  return writer.finish();
}

/**
 * Reads a delta back.
 *
 * @throws PmmrError `PMMR_TRUNCATED`, or `PMMR_NON_CANONICAL` for lists that are not strictly ascending, that share a value,
 *   that hold a zero, or that are followed by more bytes
 */
export function decodeSetDelta(bytes: Uint8Array): SetDelta {
  const reader = new ByteReader(bytes, "set delta");
  const added = readAscending(reader);
  const removed = readAscending(reader);
  reader.finish();
  refuseShared(added, removed);
  return { added, removed };
}

function readAscending(reader: ByteReader): number[] {
  const count = reader.u32();
  reader.need(count, 4);
  const list: number[] = [];
  let previous = 0;
  for (let i = 0; i < count; i++) {
    const offset = reader.offset;
    const pos1 = reader.u32();
    if (pos1 <= previous) {
      throw new PmmrError(
        "PMMR_NON_CANONICAL",
        `set delta: position ${pos1} at offset ${offset} does not follow ${previous}`,
      );
    }
    list.push(pos1);
    previous = pos1;
  }
  return list;
}

/** Both lists ascend, so one walk over the two finds a shared value. */
function refuseShared(added: readonly number[], removed: readonly number[]): void {
  let i = 0;
  let k = 0;
  while (i < added.length && k < removed.length) {
    const left = added[i] as number;
    const right = removed[k] as number;
    if (left === right) {
      throw new PmmrError(
        "PMMR_NON_CANONICAL",
        `set delta: position ${left} is both added and removed`,
      );
    }
    if (left < right) i++;
    else k++;
  }
}
