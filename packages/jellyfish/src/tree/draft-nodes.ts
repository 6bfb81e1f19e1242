import { type Bytes } from "@x/store";
import { keyText } from "@x/store/adapter";

/** A tree that is not in the store yet, for a leaf to carry: its nodes are written with the update that sets the leaf. */
export interface TreeDraft {
  /** For the leaf's value. */
  readonly root: Bytes;
  /** Records of its nodes that its base has not. */
  readonly nodes: readonly (readonly [hash: Uint8Array, bytes: Uint8Array])[];
}

/** Finds a node in any of some lists, which are gone through when first asked. */
export function lookupIn(
  lists: readonly Pick<TreeDraft, "nodes">[],
): (hash: Uint8Array) => Uint8Array | undefined {
  let known: Map<string, Uint8Array> | undefined;
  return (hash) => {
    if (known === undefined) {
      known = new Map();
      for (const { nodes } of lists) for (const [at, bytes] of nodes) known.set(keyText(at), bytes);
    }
    return known.get(keyText(hash));
  };
}
