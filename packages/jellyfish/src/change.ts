import { sameBytes } from "@x/store/adapter";
import { ByteSlab } from "./byte-slab.ts";
import { type TreeContext } from "./context.ts";
import { JellyfishError } from "./errors.ts";
import { checkArgument, PATH_SIZE } from "./path.ts";

/** One operation of a batch. */
export interface Change {
  /** 32 bytes. */
  readonly path: Uint8Array;
  /** Bytes to store, perhaps empty; `undefined` removes what is there. */
  readonly value: Uint8Array | undefined;
  /** Key that was hashed to the path; kept where the node format keeps keys, else passed over. */
  readonly key?: Uint8Array | undefined;
}

/** A batch, ready to be applied: copies, ascending by path, one for each path. */
export type SortedChanges = readonly Required<Change>[];

/**
 * Checks, copies, sorts and merges a batch. Of several changes for one path the last wins; an earlier one is checked too.
 *
 * @throws TypeError, RangeError if a change is malformed
 * @throws JellyfishError JELLYFISH_REFUSED, see {@link checkRules}
 */
export function sortChanges(context: TreeContext, changes: readonly Change[]): SortedChanges {
  const paths = new Uint8Array(changes.length * PATH_SIZE);
  const copies: Required<Change>[] = [];
  const prefixes = new Float64Array(changes.length);
  const slab = new ByteSlab();
  let isSorted = true;
  for (const [index, change] of changes.entries()) {
    checkChange(context, change);
    const { value, key } = change;
    paths.set(change.path, index * PATH_SIZE);
    const path = paths.subarray(index * PATH_SIZE, (index + 1) * PATH_SIZE);
    copies.push({
      path,
      value: value && slab.copy(value),
      key: value !== undefined && context.format.keys ? key && slab.copy(key) : undefined,
    });
    prefixes[index] = prefixOf(path);
    if (index > 0 && isSorted)
      isSorted = order({ paths, prefixes, left: index - 1, right: index }) < 0;
  }
  if (isSorted) return copies;
  const indexes = copies.map((_, index) => index);
  // The sort is stable: of equal paths the last one given stays the last.
  indexes.sort((left, right) => order({ paths, prefixes, left, right }));
  return indexes
    .filter((at, i) => {
      const next = indexes[i + 1];
      return next === undefined || order({ paths, prefixes, left: at, right: next }) !== 0;
    })
    .map((at) => copies[at] as Required<Change>);
}

interface Comparison {
  readonly paths: Uint8Array;
  readonly prefixes: Float64Array;
  readonly left: number;
  readonly right: number;
}

/** Order of two paths by number. Six bytes at once decide nearly always. */
function order({ paths, prefixes, left, right }: Comparison): number {
  const difference = (prefixes[left] as number) - (prefixes[right] as number);
  if (difference !== 0) return difference;
  for (let i = 6; i < PATH_SIZE; i++) {
    const further =
      (paths[left * PATH_SIZE + i] as number) - (paths[right * PATH_SIZE + i] as number);
    if (further !== 0) return further;
  }
  return 0;
}

/** The first six bytes as a number. */
function prefixOf(path: Uint8Array): number {
  let prefix = 0;
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (path[i] as number);
  return prefix;
}

function checkChange(context: TreeContext, { path, value, key }: Change): void {
  checkArgument(path, "path of a change");
  if (value !== undefined && !(value instanceof Uint8Array))
    throw new TypeError("value of a change is neither a Uint8Array nor undefined");
  if (key !== undefined && !(key instanceof Uint8Array))
    throw new TypeError("key of a change is neither a Uint8Array nor undefined");
  if (value !== undefined) checkRules(context, path, value);
}

/**
 * Refuses what would let a proof lie under a scheme whose leaves and inner nodes hash alike: a value of 64 bytes, which could be
 * two hashes, and the placeholder as a path.
 *
 * @throws JellyfishError JELLYFISH_REFUSED
 */
export function checkRules(
  { scheme, rules }: TreeContext,
  path: Uint8Array,
  value: Uint8Array,
): void {
  if (scheme.domains === "separated") return;
  const { refuse64ByteValues = true, refusePlaceholderPath = true } = rules ?? {};
  if (refuse64ByteValues && value.length === 64)
    throw new JellyfishError("JELLYFISH_REFUSED", "a value of 64 bytes could pass for two hashes");
  if (refusePlaceholderPath && sameBytes(path, scheme.placeholder))
    throw new JellyfishError("JELLYFISH_REFUSED", "a path is the placeholder");
}
