import { createHash } from "node:crypto";
import { createMPT, type MerklePatriciaTrie } from "@ethereumjs/mpt";
import * as untypedIden3 from "@iden3/js-merkletree";
import merkletreejs from "merkletreejs";

/** What is used of a package whose declarations a strict resolution cannot follow. */
interface Iden3 {
  readonly InMemoryDB: new (prefix: Uint8Array) => object;
  readonly Merkletree: new (database: object, isWritable: boolean, levels: number) => Iden3Tree;
}
interface Iden3Tree {
  add(key: bigint, value: bigint): Promise<void>;
}
const { InMemoryDB, Merkletree } = untypedIden3 as unknown as Iden3;

/** A key and its value, 32 bytes each. */
export interface KeyValue {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** An Ethereum Merkle Patricia trie in memory that hashes its keys, as a safe one does. */
export function newTrie(): Promise<MerklePatriciaTrie> {
  return createMPT({ useKeyHashing: true });
}

/** A sparse Merkle tree in memory over Poseidon, the only hash it has. */
export function newIden3(): Iden3Tree {
  return new Merkletree(new InMemoryDB(new Uint8Array(0)), true, 64);
}

/** A number of its field from the first 31 bytes. */
export function toField(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes.subarray(0, 31)).toString("hex")}`);
}

/** The root of a plain binary tree over SHA-256: no keys, no absence, no updates. */
export function buildMerkleTreeJs(entries: readonly KeyValue[]): Buffer {
  const leaves = entries.map(({ key, value }) => sha256(Buffer.concat([key, value])));
  return new merkletreejs.MerkleTree(leaves, sha256).getRoot();
}

function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
