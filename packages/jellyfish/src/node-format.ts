import { type Bytes } from "@x/store";
import { type Node } from "./node.ts";

/**
 * How nodes become bytes, and back. A value chosen apart from the hash scheme: no format changes a root. Its name stands in
 * the record of a stored tree. Nodes are stored under their 32-byte hash.
 *
 * @see FORMAT.md, "Nodes"
 */
export interface NodeFormat {
  /** Stable, for example `"compact+counts"`. */
  readonly name: string;
  /** Internal nodes hold the number of leaves under each child. */
  readonly counts: boolean;
  /** Leaves can hold the key that was hashed to their path. */
  readonly keys: boolean;
  /**
   * The one encoding of a node; `null` is the empty tree, for formats that have bytes for it.
   *
   * @param take - gives zeroed bytes to write to. Default: fresh ones
   * @throws TypeError if this format cannot hold the node: `null`, or counts or keys it has no place for or lacks
   */
  encode(node: Node | null, take?: (size: number) => Bytes): Bytes;
  /**
   * Reads back what {@link encode} wrote and nothing else. Linear in the input; what it returns does not alias it.
   *
   * @throws JellyfishError JELLYFISH_NODE_FORMAT
   */
  decode(bytes: Uint8Array): Node | null;
  /** As {@link decode}, but the node's parts may be views of `bytes`, which must not change. */
  decodeView(bytes: Uint8Array): Node | null;
}

/** The default of {@link NodeFormat.encode}. */
export function freshBytes(size: number): Bytes {
  return new Uint8Array(size);
}
