import { type Codecs } from "../codec/codecs.ts";
import { type KeyState, type PatchEntry } from "./merge-patch.ts";

/** A key that both sides changed, not alike; or, where histories crossed, one of which the bases say different things. */
export interface Conflict<K, V> {
  readonly key: K;
  /** What it held in each merge base, in the order of the result's `bases`; `undefined`: it was not there. */
  readonly bases: readonly (V | undefined)[];
  /** What it holds in the source; `undefined`: it is not there. */
  readonly source: V | undefined;
  readonly target: V | undefined;
}

/** What to do with a conflict. */
export type Resolution<V> = "source" | "target" | "delete" | "unresolved" | { readonly value: V };

/**
 * Decides one conflict. What it throws ends the merge, and nothing is changed. It may read the map; other writes wait until
 * the merge has ended, so it must not wait for one.
 */
export type Resolver<K, V> = (conflict: Conflict<K, V>) => Resolution<V> | Promise<Resolution<V>>;

/**
 * What to do with conflicts. `source`, `target`: that side wins. `fail`: the merge is refused if there is one. A function
 * decides each of them.
 */
export type MergeStrategy<K, V> = "source" | "target" | "fail" | Resolver<K, V>;

/** A conflict as keys and values. */
export function decodeConflict<K, V>(
  { key, value }: Codecs<K, V>,
  { key: bytes, bases, source }: PatchEntry,
  target: KeyState,
): Conflict<K, V> {
  const decode = (state: KeyState): V | undefined =>
    state === undefined ? undefined : value.decode(state);
  return {
    key: key.decode(bytes),
    bases: bases.map(decode),
    source: decode(source),
    target: decode(target),
  };
}
