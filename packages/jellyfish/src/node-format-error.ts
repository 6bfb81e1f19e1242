import { JellyfishError } from "./errors.ts";
import { bitCount, isSingle } from "./slots.ts";

/** The error of a node's bytes that its format would not have written. */
export function nodeFormatError(bytes: Uint8Array, found: string): JellyfishError {
  return new JellyfishError("JELLYFISH_NODE_FORMAT", `a node of ${bytes.length} bytes ${found}`);
}

/**
 * The two bitmaps of an internal node, from offset 1, once they obey the rules: a child at least, leaves only among the
 * children, no lone leaf.
 *
 * @returns the bitmaps and the number of children, whose hashes follow at offset 5 and are all there
 * @throws JellyfishError JELLYFISH_NODE_FORMAT
 */
export function decodeBitmaps(bytes: Uint8Array): {
  readonly existence: number;
  readonly leaves: number;
  readonly childCount: number;
} {
  if (bytes.length < 5) throw nodeFormatError(bytes, "ends before its bitmaps do");
  const existence = (bytes[1] as number) | ((bytes[2] as number) << 8);
  const leaves = (bytes[3] as number) | ((bytes[4] as number) << 8);
  if (existence === 0) throw nodeFormatError(bytes, "has no children");
  if ((leaves & ~existence) !== 0) throw nodeFormatError(bytes, "marks a missing child as a leaf");
  if (existence === leaves && isSingle(existence))
    throw nodeFormatError(bytes, "has a lone leaf below it");
  const childCount = bitCount(existence);
  if (bytes.length < 5 + 32 * childCount)
    throw nodeFormatError(bytes, `ends before its ${childCount} hashes do`);
  return { existence, leaves, childCount };
}

/** The first byte, which says what a node is. */
export function tagOf(bytes: Uint8Array): number {
  if (bytes.length === 0) throw nodeFormatError(bytes, "is nothing");
  return bytes[0] as number;
}
