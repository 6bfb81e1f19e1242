import { type Random } from "@x/testing";
import { type TreeContext } from "../src/index.ts";
import { drawPath } from "./paths.ts";
import { applyTo, type HexChange, type NodeMap } from "./tree-subject.ts";

/** A tree beside the map it is of, path to value in hex. */
export interface TreeAndMap {
  readonly root: Uint8Array;
  readonly entries: ReadonlyMap<string, string>;
}

/** Versions of one tree after random batches, the empty one first; all nodes are written to `map`. */
export function drawVersions(
  random: Random,
  map: NodeMap,
  context: TreeContext,
  { versionCount, pathCount }: { readonly versionCount: number; readonly pathCount: number },
): readonly TreeAndMap[] {
  const pool: string[] = [];
  while (pool.length < pathCount) pool.push(drawPath(random, pool));
  const entries = new Map<string, string>();
  let version: TreeAndMap = { root: context.scheme.placeholder, entries: new Map() };
  const versions = [version];
  while (versions.length <= versionCount) {
    const changes: HexChange[] = Array.from({ length: random.below(pathCount) }, () => [
      random.pick(pool),
      random.chance(0.3) ? null : "0a0b0c".slice(0, 2 * random.below(4)),
    ]);
    for (const [path, value] of changes)
      if (value === null) entries.delete(path);
      else entries.set(path, value);
    const { root } = applyTo(map, context, version.root, changes);
    version = { root, entries: new Map(entries) };
    versions.push(version);
  }
  return versions;
}

/** The entries of a map by path. */
export function sortedEntries(entries: ReadonlyMap<string, string>): (readonly [string, string])[] {
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
