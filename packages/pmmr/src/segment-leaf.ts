import type { IndexSet } from "./backend.ts";
import type { ElementCodec } from "./codec.ts";
import { PmmrError } from "./errors.ts";
import type { MmrHashing } from "./hashing.ts";
import { digestAt, hashLeaves } from "./levels.ts";
import type { SegmentLeaf } from "./segment.ts";

/** A codec of elements of any type, as far as segments need one: they read records and write none. */
export type AnyElementCodec = ElementCodec<never, unknown>;

/**
 * Hashes of leaves from their records, in packs where hash forms have one length.
 *
 * @returns one hash per leaf; views of one fresh buffer
 * @throws PmmrError `PMMR_MALFORMED` if a record is no element
 * @throws TypeError if the codec cannot tell the hash form from the record
 */
export function hashSegmentLeaves(
  hashing: MmrHashing,
  codec: AnyElementCodec,
  leaves: readonly SegmentLeaf[],
): Uint8Array[] {
  const hashes = hashLeaves(
    hashing,
    leaves.map(({ pos0 }) => pos0),
    leaves.map((leaf) => hashFormOf(codec, leaf)),
  );
  return leaves.map((_, i) => digestAt(hashes, i));
}

/** What is hashed for a leaf. */
export function hashFormOf(codec: AnyElementCodec, { pos0, record }: SegmentLeaf): Uint8Array {
  let form: Uint8Array | undefined;
  try {
    form = codec.storedHashForm(codec.load(record));
  } catch (error) {
    throw new PmmrError("PMMR_MALFORMED", `segment: no element at ${pos0}`, { cause: error });
  }
  if (form === undefined) {
    throw new TypeError(
      "this codec's records do not determine what is hashed: no segment of it can be checked",
    );
  }
  return form;
}

/** Members of a set in `[begin, end)`, which is not empty. */
export function countMembers(set: IndexSet, begin: number, end: number): number {
  return set.rank(end - 1) - (begin === 0 ? 0 : set.rank(begin - 1));
}
