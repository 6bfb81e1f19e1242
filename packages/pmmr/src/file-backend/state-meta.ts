import { ByteReader, ByteWriter, HASH_SIZE } from "../wire.ts";

/** Bytes of an encoded identity: a 64-bit size and a root. */
export const STATE_META_SIZE = 40;

/** What names a committed state: it is stored with every commit and compared with the files at every opening. */
export interface StateMeta {
  /** Nodes, pruned ones included. */
  readonly size: number;
  /** 32 bytes; zeros for the empty range. */
  readonly root: Uint8Array<ArrayBuffer>;
}

/** Encodes the identity of a state. Layout: FORMAT.md, "State". */
export function encodeStateMeta(meta: {
  readonly size: number;
  readonly root: Uint8Array;
}): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(STATE_META_SIZE);
  writer.u64(meta.size);
  writer.hash(meta.root);
  return writer.finish();
}

/**
 * Reads the identity of a state back.
 *
 * @throws PmmrError `PMMR_TRUNCATED`, `PMMR_NON_CANONICAL` or `PMMR_OUT_OF_RANGE` for anything that was not written so
 */
export function decodeStateMeta(bytes: Uint8Array): StateMeta {
  const reader = new ByteReader(bytes, "state");
  const size = reader.u64();
  const root = reader.bytes(HASH_SIZE);
  reader.finish();
  return { size, root };
}
