import { decodeDifference, type MapDifference } from "../reads/map-difference.ts";
import { type MapDiffRange, treeDiffRange } from "../reads/typed-range.ts";
import { type MapInternals } from "./map-internals.ts";
import { openVersion, type Version } from "./version.ts";

/**
 * What changes on the way from one version to another, in the order of keys. Both are looked up, and pinned, when the first is
 * asked for, and released at the end.
 *
 * @yields differences, by ascending key
 */
export async function* differences<K, V>(
  { repository, codecs }: MapInternals<K, V>,
  from: Version,
  to: Version,
  range: MapDiffRange<K> = {},
): AsyncGenerator<MapDifference<K, V>, undefined, undefined> {
  const resolved = treeDiffRange(codecs.key, range);
  const first = (await openVersion(repository, from)).snapshot;
  try {
    const second = (await openVersion(repository, to)).snapshot;
    try {
      for await (const one of first.diff(second.root, resolved))
        yield decodeDifference(codecs, one);
    } finally {
      second.release();
    }
  } finally {
    first.release();
  }
  return undefined;
}
