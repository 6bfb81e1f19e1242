import { TrieError, type TrieErrorCode } from "../errors.ts";
import { HASH_SIZE, linkOf } from "../link.ts";
import { countParts, type MptLink, type MptNode } from "../mpt/node.ts";
import { fromNibbles, joinNibbles, type Nibbles, toNibbles } from "../nibbles.ts";
import { decodeRlpList, encodeRlpList, encodeRlpString, type RlpItem } from "./rlp.ts";

/** First nibble of a path. Ethereum yellow paper, appendix C. */
const IS_ODD = 1;
const IS_LEAF = 2;
/** An absent child or value. */
const EMPTY = Uint8Array.of(0x80);

/** The bytes of a node whose children are hashed or inlined; fresh. See FORMAT.md, "Ethereum nodes". */
export function encodeEthereumNode(node: MptNode): Uint8Array<ArrayBuffer> {
  switch (node.kind) {
    case "leaf":
      return encodeRlpList([
        encodeRlpString(hexPrefix(node.path, IS_LEAF)),
        encodeRlpString(node.value),
      ]);
    case "extension":
      return encodeRlpList([encodeRlpString(hexPrefix(node.path, 0)), refItem(node.child)]);
    case "branch":
      return encodeRlpList([
        ...node.children.map(refItem),
        node.value === undefined ? EMPTY : encodeRlpString(node.value),
      ]);
    default:
      return node satisfies never;
  }
}

/** Reads a node back, strictly; shares nothing with the input. @throws TrieError of the given code */
export function decodeEthereumNode(bytes: Uint8Array, code: TrieErrorCode): MptNode {
  const items = decodeRlpList(bytes, code);
  if (items.length === 17) return decodeBranch(items, code);
  const [prefix, content] = items;
  if (items.length !== 2 || prefix === undefined || content === undefined || prefix.isList)
    throw refusal(code, "has neither 2 items nor 17");
  const { path, isLeaf } = readHexPrefix(prefix.payload, code);
  if (isLeaf) {
    if (content.isList || content.payload.length === 0) throw refusal(code, "has no value");
    return { kind: "leaf", path, value: new Uint8Array(content.payload) };
  }
  const child = linkOfItem(content, code);
  if (path.length === 0 || child === undefined) throw refusal(code, "has an empty extension");
  return { kind: "extension", path, child };
}

function decodeBranch(items: readonly RlpItem[], code: TrieErrorCode): MptNode {
  const children = items.slice(0, 16).map((item) => linkOfItem(item, code));
  const { isList, payload } = items[16] as RlpItem;
  if (isList) throw refusal(code, "has a list as a value");
  const value = payload.length === 0 ? undefined : new Uint8Array(payload);
  const node = { kind: "branch", children, value } as const;
  if (countParts(node) < 2) throw refusal(code, "has a branch of fewer than two");
  return node;
}

/** A hash is a string, a node of fewer than 32 bytes stands itself. */
function refItem(child: MptLink | undefined): Uint8Array {
  const ref = child?.ref;
  if (ref === undefined) return EMPTY;
  return ref.length === HASH_SIZE ? encodeRlpString(ref) : ref;
}

function linkOfItem({ isList, payload, raw }: RlpItem, code: TrieErrorCode): MptLink | undefined {
  if (!isList && payload.length === 0) return undefined;
  if (isList ? raw.length >= HASH_SIZE : payload.length !== HASH_SIZE)
    throw refusal(code, "has a child that is neither a hash nor small");
  return linkOf(new Uint8Array(isList ? raw : payload));
}

function hexPrefix(path: Nibbles, kind: number): Uint8Array {
  const isOdd = path.length % 2 === 1;
  return fromNibbles(joinNibbles(isOdd ? [kind | IS_ODD] : [kind, 0], path));
}

function readHexPrefix(
  bytes: Uint8Array,
  code: TrieErrorCode,
): { readonly path: Nibbles; readonly isLeaf: boolean } {
  const nibbles = toNibbles(bytes);
  const [flags, unused] = nibbles;
  if (flags === undefined || flags > (IS_LEAF | IS_ODD)) throw refusal(code, "has no path");
  const isOdd = (flags & IS_ODD) !== 0;
  if (!isOdd && unused !== 0) throw refusal(code, "has an unused nibble that is not zero");
  return { path: nibbles.slice(isOdd ? 1 : 2), isLeaf: (flags & IS_LEAF) !== 0 };
}

function refusal(code: TrieErrorCode, what: string): TrieError {
  return new TrieError(code, `node ${what}`);
}
