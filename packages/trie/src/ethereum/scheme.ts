import { type HashEngine, keccak256 } from "@x/hash";
import { preferredEngine } from "@x/hash/wasm";
import { digestMany } from "../digest.ts";
import { HASH_SIZE } from "../link.ts";
import { deleteMpt, setMpt } from "../mpt/edit.ts";
import type { MptFormat } from "../mpt/format.ts";
import { childrenOf, hashMpt } from "../mpt/hash.ts";
import { type MptNode, stepMpt, valueAtMpt } from "../mpt/node.ts";
import { walkMpt } from "../mpt/scheme.ts";
import { toNibbles } from "../nibbles.ts";
import type { TrieScheme } from "../scheme.ts";
import { checkNodeHash } from "../stored-node.ts";
import { emptyEthereumRoot, type EthereumProof, verifyEthereum } from "../verify/ethereum-proof.ts";
import { decodeEthereumNode, encodeEthereumNode } from "./node-codec.ts";

/** How Ethereum's trie is kept. */
export interface EthereumMptOptions {
  /** Keys are hashed first, as in the tries of accounts and of storage. Default: false. */
  readonly hashesKeys?: boolean;
  /** What hashes. Default: the fastest that the runtime has. */
  readonly engine?: HashEngine;
}

const FORMAT: MptFormat = {
  inlines: true,
  encode: encodeEthereumNode,
  decode: (bytes) => decodeEthereumNode(bytes, "TRIE_NODE_FORMAT"),
};

/** Ethereum's trie. */
export function ethereumScheme(
  options: EthereumMptOptions = {},
): TrieScheme<MptNode, EthereumProof> {
  const { hashesKeys = false, engine = preferredEngine } = options;
  const hasher = keccak256({ engine });
  const scheme: TrieScheme<MptNode, EthereumProof> = {
    name: hashesKeys ? "ethereum-mpt-hashed-keys" : "ethereum-mpt",
    emptyRoot: emptyEthereumRoot(),
    pathsOf: (keys) => (hashesKeys ? digestMany(hasher, keys) : keys).map(toNibbles),
    checkKey: () => undefined,
    decode(ref, bytes) {
      if (bytes === undefined) return FORMAT.decode(ref);
      checkNodeHash(ref, hasher.hash(bytes));
      return FORMAT.decode(bytes);
    },
    step: stepMpt,
    valueAt: valueAtMpt,
    // The empty value is what an absent key has.
    set: (root, path, value) =>
      value.length === 0 ? deleteMpt(scheme, root, path) : setMpt(scheme, root, path, value),
    delete: (root, path) => deleteMpt(scheme, root, path),
    hash: (root, emit) => hashMpt(FORMAT, hasher, root, emit),
    *prove(root, key, path) {
      const { nodes, value } = yield* walkMpt(scheme, FORMAT, root, path);
      return { key: new Uint8Array(key), value: value && new Uint8Array(value), proof: nodes };
    },
    childRefs: (node) => hashesBelow(node, FORMAT),
    verify: (root, key, proof) => verifyEthereum({ root, key, proof, hashesKeys }),
  };
  return scheme;
}

/** Hashes that a node holds, itself and in the nodes that are inlined in it. */
function hashesBelow(node: MptNode, format: MptFormat): Uint8Array[] {
  return childrenOf(node).flatMap(({ ref }) => {
    const bytes = ref as Uint8Array;
    return bytes.length === HASH_SIZE ? [bytes] : hashesBelow(format.decode(bytes), format);
  });
}
