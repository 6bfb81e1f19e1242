import { type Range, type Store } from "@x/store";

import { DifferenceWalk } from "../difference.ts";
import { type LeafNode } from "../node.ts";
import { type Core } from "./core.ts";

/** A key that two roots answer differently. */
export interface DifferentEntry<K, V> {
  readonly key: K;
  readonly before: V | undefined;
  readonly after: V | undefined;
}

/**
 * The keys at which two roots differ, decoded. Whoever calls pins the roots.
 *
 * @yields by path
 */
export async function* differentEntries<K, V, S extends Store>(
  core: Core<K, V, S>,
  roots: { readonly before: Uint8Array; readonly after: Uint8Array },
  range: Range | undefined,
): AsyncGenerator<DifferentEntry<K, V>, void, undefined> {
  const { handle } = core;
  const walk = new DifferenceWalk(handle.options.context, roots, range);
  for (;;) {
    const page = await handle.read(walk.next());
    if (page.length === 0) return;
    for (const { before, after } of page)
      yield {
        key: core.keyOf((before ?? after) as LeafNode),
        before: core.valueOf(before),
        after: core.valueOf(after),
      };
  }
}
