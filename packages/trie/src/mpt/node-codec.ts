import { ByteReader, type ReaderOptions } from "../byte-reader.ts";
import { ByteWriter } from "../byte-writer.ts";
import { HASH_SIZE, linkOf } from "../link.ts";
import { readPath, writePath } from "../nibbles.ts";
import { countParts, type MptLink, type MptNode } from "./node.ts";

/** First byte of a node. Layout: FORMAT.md, "Patricia nodes". */
const TAG = { null: 0, leaf: 1, extension: 2, branch: 3 } as const;

/** The bytes of a node whose children are hashed; fresh. Its hash is Keccak-256 of them. See FORMAT.md, "Patricia nodes". */
export function encodeMptNode(node: MptNode): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  writer.u8(TAG[node.kind]);
  switch (node.kind) {
    case "leaf":
      writePath(writer, node.path);
      writer.sized(node.value);
      break;
    case "extension":
      writePath(writer, node.path);
      writer.bytes(node.child.ref as Uint8Array);
      break;
    case "branch":
      writer.u16(bitmapOf(node.children));
      writer.u8(node.value === undefined ? 0 : 1);
      if (node.value !== undefined) writer.sized(node.value);
      for (const child of node.children)
        if (child !== undefined) writer.bytes(child.ref as Uint8Array);
      break;
    default:
      node satisfies never;
  }
  return writer.finish();
}

/**
 * Reads a node back; what {@link encodeMptNode} would not have written is refused, unless `lenient`: then long varints, bytes left
 * over, an empty extension, a branch of one part, other flags of a value and unused halves pass, as in the original.
 *
 * @returns the node, sharing nothing with the input; `undefined` for the empty trie's
 * @throws TrieError of the given code
 */
export function decodeMptNode(bytes: Uint8Array, options: ReaderOptions): MptNode | undefined {
  const reader = new ByteReader(bytes, options);
  const lenient = options.lenient === true;
  const node = readNode(reader, lenient);
  if (!lenient) reader.finish();
  return node;
}

function readNode(reader: ByteReader, lenient: boolean): MptNode | undefined {
  const tag = reader.u8();
  switch (tag) {
    case TAG.null:
      return undefined;
    case TAG.leaf:
      return { kind: "leaf", path: readPath(reader, lenient), value: reader.sized() };
    case TAG.extension: {
      const path = readPath(reader, lenient);
      if (path.length === 0 && !lenient) throw reader.refusal("has an empty extension");
      return { kind: "extension", path, child: linkOf(reader.bytes(HASH_SIZE)) };
    }
    case TAG.branch:
      return readBranch(reader, lenient);
    default:
      throw reader.refusal("is a node of no kind");
  }
}

function readBranch(reader: ByteReader, lenient: boolean): MptNode {
  const bitmap = reader.u16();
  const flag = reader.u8();
  if (flag > 1 && !lenient) throw reader.refusal("has a value that is neither there nor not");
  const value = flag === 1 ? reader.sized() : undefined;
  const children: (MptLink | undefined)[] = [];
  for (let i = 0; i < 16; i++)
    children.push(((bitmap >>> i) & 1) === 1 ? linkOf(reader.bytes(HASH_SIZE)) : undefined);
  const node = { kind: "branch", children, value } as const;
  if (countParts(node) < 2 && !lenient) throw reader.refusal("has a branch of fewer than two");
  return node;
}

/** Bit i says that child i is there. */
export function bitmapOf(children: readonly unknown[]): number {
  return children.reduce<number>((bits, child, i) => bits | (child === undefined ? 0 : 1 << i), 0);
}
