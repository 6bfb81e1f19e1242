import type { Hasher } from "@x/hash";
import { digestMany } from "../digest.ts";
import { HASH_SIZE } from "../link.ts";
import type { Emit } from "../scheme.ts";
import type { MptFormat } from "./format.ts";
import type { MptLink, MptNode } from "./node.ts";

/**
 * Fills in every missing reference below a root, the deepest level first, each level in packs.
 *
 * @returns the root's hash: also where its bytes are short, it is one
 */
export function hashMpt(format: MptFormat, hasher: Hasher, root: MptLink, emit?: Emit): Uint8Array {
  const levels = unhashedLevels(root);
  for (const level of levels.toReversed()) {
    let links = level;
    let messages = level.map(({ node }) => format.encode(node as MptNode));
    if (format.inlines) {
      for (const [i, link] of links.entries()) {
        const bytes = messages[i] as Uint8Array;
        if (bytes.length < HASH_SIZE) link.ref = bytes;
      }
      links = level.filter(({ ref }) => ref === undefined);
      messages = messages.filter((bytes) => bytes.length >= HASH_SIZE);
    }
    for (const [i, digest] of digestMany(hasher, messages).entries()) {
      (links[i] as MptLink).ref = digest;
      emit?.(digest, messages[i] as Uint8Array);
    }
  }
  const ref = root.ref as Uint8Array;
  if (ref.length === HASH_SIZE) return ref;
  const hash = hasher.hash(ref);
  if (levels.length > 0) emit?.(hash, ref);
  return hash;
}

/** The nodes without references, by their distance from the root. */
function unhashedLevels(root: MptLink): MptLink[][] {
  const levels: MptLink[][] = [];
  let level = root.ref === undefined ? [root] : [];
  while (level.length > 0) {
    levels.push(level);
    const next: MptLink[] = [];
    for (const { node } of level)
      for (const child of childrenOf(node as MptNode))
        if (child.ref === undefined) next.push(child);
    level = next;
  }
  return levels;
}

/** The links of a node. */
export function childrenOf(node: MptNode): readonly MptLink[] {
  if (node.kind === "leaf") return [];
  if (node.kind === "extension") return [node.child];
  return node.children.filter((child) => child !== undefined);
}
