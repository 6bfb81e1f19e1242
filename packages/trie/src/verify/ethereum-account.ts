import { fromHex } from "@x/hash";
import { decodeRlpList, decodeRlpString } from "../ethereum/rlp.ts";
import { HASH_SIZE } from "../link.ts";
import { checkArgument, failure, isSame } from "./checks.ts";
import { provenEthereumValue } from "./ethereum-proof.ts";

/** What a node answers to `eth_getProof` (EIP-1186). Not trusted; fields besides these are passed over. */
export interface EthGetProofResult {
  readonly address: string;
  readonly accountProof: readonly string[];
  readonly balance: string;
  readonly codeHash: string;
  readonly nonce: string;
  readonly storageHash: string;
  readonly storageProof: readonly {
    readonly key: string;
    readonly value: string;
    readonly proof: readonly string[];
  }[];
}

/** That an answer speaks of an account and of some of its storage, under the state root of a block. */
export interface EthGetProofClaim {
  /** From a block header that the caller trusts. 32 bytes. */
  readonly stateRoot: Uint8Array;
  /** 20 bytes. */
  readonly address: Uint8Array;
  /** Slots of storage that were asked for, in their order. */
  readonly slots: readonly bigint[];
  readonly result: EthGetProofResult;
}

/** An account, proven. */
export type ProvenAccount =
  | { readonly kind: "absent" }
  | {
      readonly kind: "present";
      readonly nonce: bigint;
      readonly balance: bigint;
      readonly storageHash: Uint8Array;
      readonly codeHash: Uint8Array;
      /** Values of the slots, in their order; 0 where there is none. */
      readonly storage: readonly bigint[];
    };

/**
 * Shows what an account is, and what its storage holds, from an answer to `eth_getProof`.
 *
 * @throws TrieError TRIE_PROOF_KEY (of another address or slot), TRIE_PROOF_VALUE (the answer says other than its nodes),
 *   TRIE_PROOF_ROOT, TRIE_PROOF_INCOMPLETE, TRIE_PROOF_SURPLUS, TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes, or the address not 20
 */
export function verifyEthGetProof(claim: EthGetProofClaim): ProvenAccount {
  const { stateRoot, address, slots, result } = claim;
  checkArgument(stateRoot, "stateRoot");
  if (!(address instanceof Uint8Array)) throw new TypeError("address must be a Uint8Array");
  if (address.length !== 20)
    throw new RangeError(`address must be 20 bytes, got ${address.length}`);
  if (typeof result !== "object" || result === null) throw failure("FORMAT", "is not an object");
  if (!isSame(bytesOf(result.address), address)) throw failure("KEY", "is of another address");
  const nonce = quantityOf(result.nonce);
  const balance = quantityOf(result.balance);
  const account = provenEthereumValue(stateRoot, address, nodesOf(result.accountProof), true);
  if (account === undefined) {
    if (nonce !== 0n || balance !== 0n) throw failure("VALUE", "has an account that is absent");
    return { kind: "absent" };
  }
  const fields = decodeRlpList(account, "TRIE_PROOF_FORMAT").map(({ raw }) =>
    decodeRlpString(raw, "TRIE_PROOF_FORMAT"),
  );
  const [nonceBytes, balanceBytes, storageHash, codeHash] = fields;
  if (fields.length !== 4 || storageHash?.length !== HASH_SIZE || codeHash?.length !== HASH_SIZE)
    throw failure("FORMAT", "has an account without its four fields");
  if (
    integerOf(nonceBytes as Uint8Array) !== nonce ||
    integerOf(balanceBytes as Uint8Array) !== balance ||
    !isSame(storageHash, bytesOf(result.storageHash)) ||
    !isSame(codeHash, bytesOf(result.codeHash))
  )
    throw failure("VALUE", "is of another account");
  const storage = storageOf(storageHash, slots, result.storageProof);
  return {
    kind: "present",
    nonce,
    balance,
    storageHash: new Uint8Array(storageHash),
    codeHash: new Uint8Array(codeHash),
    storage,
  };
}

function storageOf(
  root: Uint8Array,
  slots: readonly bigint[],
  proofs: EthGetProofResult["storageProof"],
): bigint[] {
  if (!Array.isArray(proofs) || proofs.length !== slots.length)
    throw failure("INCOMPLETE", "does not have one part for each slot");
  return slots.map((slot, i) => {
    const one = proofs[i] as EthGetProofResult["storageProof"][number] | null;
    if (typeof one !== "object" || one === null) throw failure("FORMAT", "has no part for a slot");
    // Slots are written with leading zeros or without.
    if (integerOf(bytesOf(one.key, true)) !== slot) throw failure("KEY", "is of another slot");
    const found = provenEthereumValue(root, slotKey(slot), nodesOf(one.proof), true);
    const value = found === undefined ? 0n : integerOf(decodeRlpString(found, "TRIE_PROOF_FORMAT"));
    if (value !== quantityOf(one.value)) throw failure("VALUE", "is of another value");
    return value;
  });
}

/** The key of a slot: 32 bytes, big-endian. @throws RangeError if it is none */
function slotKey(slot: bigint): Uint8Array {
  if (BigInt.asUintN(256, slot) !== slot)
    throw new RangeError("slot must be at least 0 and below 2^256");
  return fromHex(slot.toString(16).padStart(2 * HASH_SIZE, "0"));
}

function integerOf(bytes: Uint8Array): bigint {
  return bytes.reduce((value, byte) => value * 256n + BigInt(byte), 0n);
}

/** `0x` and hex digits without leading zeros. */
function quantityOf(text: unknown): bigint {
  if (typeof text !== "string" || !/^0x(?:0|[1-9a-f][0-9a-f]{0,63})$/.test(text))
    throw failure("FORMAT", "has something that is no quantity");
  return BigInt(text);
}

function nodesOf(list: unknown): Uint8Array[] {
  if (!Array.isArray(list)) throw failure("FORMAT", "has no list of nodes");
  return Array.from(list as unknown[], (text) => bytesOf(text));
}

/** `isShort`: an odd number of digits is allowed too. */
function bytesOf(text: unknown, isShort = false): Uint8Array {
  if (typeof text !== "string" || !/^0x[0-9a-fA-F]*$/.test(text))
    throw failure("FORMAT", "has something that is not 0x and hex digits");
  const digits = text.length % 2 === 1 && isShort ? `0${text.slice(2)}` : text.slice(2);
  if (digits.length % 2 === 1) throw failure("FORMAT", "has half a byte");
  return fromHex(digits);
}
