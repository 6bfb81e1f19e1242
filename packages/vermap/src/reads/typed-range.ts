import { type DiffRange, type KeyRange, type TreeRange } from "@x/btree";

import { type Codec } from "../codec/codec.ts";

/** Which keys. At most one lower and one upper bound; `prefix` narrows them further. Keys are ordered as their bytes. */
export interface MapKeyRange<K> {
  readonly gte?: K;
  /** Also the way to resume: the last key that was read. With `reverse` that is `lt`. */
  readonly gt?: K;
  readonly lte?: K;
  readonly lt?: K;
  /** Only keys whose bytes begin with these, or with those of this key. */
  readonly prefix?: K | Uint8Array;
}

/** Which entries, and in which direction. */
export interface MapRange<K> extends MapKeyRange<K> {
  /** From the greatest key down. Default: false. */
  readonly reverse?: boolean;
  /** Most entries to give. Default: all. */
  readonly limit?: number;
}

/** Which differences. Ascending only; `gt` the last key to resume. */
export type MapDiffRange<K> = Omit<MapRange<K>, "reverse">;

/** The same range in bytes. */
export function treeKeyRange<K>(codec: Codec<K>, range: MapKeyRange<K>): KeyRange {
  const { gte, gt, lte, lt, prefix } = range;
  return {
    ...(gte === undefined ? {} : { gte: codec.encode(gte) }),
    ...(gt === undefined ? {} : { gt: codec.encode(gt) }),
    ...(lte === undefined ? {} : { lte: codec.encode(lte) }),
    ...(lt === undefined ? {} : { lt: codec.encode(lt) }),
    ...(prefix === undefined
      ? {}
      : { prefix: prefix instanceof Uint8Array ? prefix : codec.encode(prefix) }),
  };
}

export function treeRange<K>(codec: Codec<K>, range: MapRange<K> = {}): TreeRange {
  const { reverse } = range;
  return { ...treeDiffRange(codec, range), ...(reverse === undefined ? {} : { reverse }) };
}

export function treeDiffRange<K>(codec: Codec<K>, range: MapDiffRange<K> = {}): DiffRange {
  const { limit } = range;
  return { ...treeKeyRange(codec, range), ...(limit === undefined ? {} : { limit }) };
}
