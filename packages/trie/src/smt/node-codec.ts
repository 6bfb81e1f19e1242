import { bitAt, maskBits } from "../bits.ts";
import { ByteReader } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { HASH_SIZE, linkOf } from "../link.ts";
import type { SmtLeaf, SmtNode } from "./node.ts";

/** First byte of a stored node. Layout: FORMAT.md, "Sparse nodes". */
const TAG = { leaf: 1, inner: 2 } as const;

/** What a leaf's hash is made of, which is also how it is stored: the tag, the hash of the key, the value. Fresh. */
export function encodeSmtLeaf({ keyHash, value }: Omit<SmtLeaf, "kind">): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + HASH_SIZE + value.length);
  bytes[0] = TAG.leaf;
  bytes.set(keyHash, 1);
  bytes.set(value, 1 + HASH_SIZE);
  return bytes;
}

/** The bytes under which a node whose children are hashed is stored; fresh. */
export function encodeSmtNode(node: SmtNode): Uint8Array<ArrayBuffer> {
  if (node.kind === "leaf") return encodeSmtLeaf(node);
  const writer = new ByteWriter();
  writer.u8(TAG.inner);
  writer.u8(node.start);
  writer.u8(node.split);
  writer.bytes(maskBits(node.prefix, node.split, Math.ceil(node.split / 8)));
  writer.bytes(node.left.ref as Uint8Array);
  writer.bytes(node.right.ref as Uint8Array);
  return writer.finish();
}

/** Reads a stored node back, strictly; shares nothing with the input. @throws TrieError TRIE_NODE_FORMAT */
export function decodeSmtNode(bytes: Uint8Array): SmtNode {
  const reader = new ByteReader(bytes, { code: "TRIE_NODE_FORMAT" });
  const tag = reader.u8();
  if (tag === TAG.leaf) {
    const keyHash = reader.bytes(HASH_SIZE);
    return { kind: "leaf", keyHash, value: reader.bytes(reader.remaining) };
  }
  if (tag !== TAG.inner) throw reader.refusal("is a node of no kind");
  const start = reader.u8();
  const split = reader.u8();
  if (split < start) throw reader.refusal("splits above its start");
  const prefix = new Uint8Array(HASH_SIZE);
  prefix.set(reader.view(Math.ceil(split / 8)));
  for (let depth = split; depth % 8 !== 0; depth++)
    if (bitAt(prefix, depth) === 1) throw reader.refusal("has an unused bit that is not zero");
  const left = linkOf<SmtNode>(reader.bytes(HASH_SIZE));
  const right = linkOf<SmtNode>(reader.bytes(HASH_SIZE));
  reader.finish();
  return { kind: "inner", start, split, prefix, left, right };
}
