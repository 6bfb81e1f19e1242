import { concatBytes, fromHex, keccak256, toHex } from "@x/hash";
import { describe, expect, test } from "vitest";
import { EthereumMptCalc, TrieError } from "../../src/index.ts";
import { type EthGetProofResult, verifyEthGetProof } from "../../src/verify/index.ts";

/** A state of 30 accounts; each has slots 0 to 19 set to 1 and on. */
const storage = new EthereumMptCalc({ hashesKeys: true });
for (let slot = 0; slot < 20; slot++)
  storage.set(word(BigInt(slot)), slot === 5 ? rlpString("0400") : Uint8Array.of(slot + 1));
const storageHash = storage.root();
const codeHash = keccak256().hash(Uint8Array.of(0x60));
const state = new EthereumMptCalc({ hashesKeys: true });
for (let i = 0; i < 30; i++) state.set(addressOf(i), accountOf(i + 1));
const stateRoot = state.root();

describe("answers to eth_getProof", () => {
  test("show an account and its storage", () => {
    const slots = [0n, 5n, 77n];
    const claim = { stateRoot, address: addressOf(3), slots, result: answer(3, slots) };
    expect(verifyEthGetProof(claim)).toEqual({
      kind: "present",
      nonce: 4n,
      balance: 0x0de0b6n,
      storageHash,
      codeHash,
      storage: [1n, 0x400n, 0n],
    });
    const [first, ...rest] = claim.result.storageProof;
    const padded = { ...first, key: `0x${"0".repeat(64)}` } as typeof first & object;
    const result = { ...claim.result, storageProof: [padded, ...rest] };
    expect(verifyEthGetProof({ ...claim, result }).kind).toBe("present");
  });

  test("show that an account is absent", () => {
    const address = addressOf(200);
    const result = {
      ...answer(3, []),
      address: hex(address),
      accountProof: state.prove(address).proof.map(hex),
      nonce: "0x0",
      balance: "0x0",
    };
    expect(verifyEthGetProof({ stateRoot, address, slots: [], result })).toEqual({
      kind: "absent",
    });
    const claimed = { ...result, balance: "0x1" };
    expect(codeOf({ ...claimOf(3, []), address, result: claimed })).toBe("TRIE_PROOF_VALUE");
  });

  test("are refused where any field says other than the nodes", () => {
    const claim = claimOf(3, [0n]);
    const { result } = claim;
    const [slot] = result.storageProof as [EthGetProofResult["storageProof"][number]];
    const wrong: [code: string, result: EthGetProofResult][] = [
      ["TRIE_PROOF_KEY", { ...result, address: hex(addressOf(4)) }],
      ["TRIE_PROOF_VALUE", { ...result, nonce: "0x5" }],
      ["TRIE_PROOF_VALUE", { ...result, balance: "0x1" }],
      ["TRIE_PROOF_VALUE", { ...result, codeHash: hex(storageHash) }],
      ["TRIE_PROOF_VALUE", { ...result, storageHash: hex(codeHash) }],
      ["TRIE_PROOF_FORMAT", { ...result, nonce: "0x04" }],
      ["TRIE_PROOF_FORMAT", { ...result, accountProof: ["c0ffee"] }],
      ["TRIE_PROOF_INCOMPLETE", { ...result, accountProof: [] }],
      ["TRIE_PROOF_INCOMPLETE", { ...result, storageProof: [] }],
      ["TRIE_PROOF_SURPLUS", { ...result, accountProof: [...result.accountProof, "0x00"] }],
      ["TRIE_PROOF_KEY", { ...result, storageProof: [{ ...slot, key: "0x1" }] }],
      ["TRIE_PROOF_VALUE", { ...result, storageProof: [{ ...slot, value: "0x2" }] }],
      ["TRIE_PROOF_INCOMPLETE", { ...result, storageProof: [{ ...slot, proof: [] }] }],
    ];
    for (const [code, one] of wrong) expect(codeOf({ ...claim, result: one })).toBe(code);
    expect(codeOf({ ...claim, stateRoot: storageHash })).toBe("TRIE_PROOF_ROOT");
    expect(() => verifyEthGetProof({ ...claim, address: storageHash })).toThrow(RangeError);
  });
});

function claimOf(
  account: number,
  slots: readonly bigint[],
): Parameters<typeof verifyEthGetProof>[0] {
  return { stateRoot, address: addressOf(account), slots, result: answer(account, slots) };
}

function answer(account: number, slots: readonly bigint[]): EthGetProofResult {
  const address = addressOf(account);
  return {
    address: hex(address),
    accountProof: state.prove(address).proof.map(hex),
    balance: "0xde0b6",
    codeHash: hex(codeHash),
    nonce: `0x${(account + 1).toString(16)}`,
    storageHash: hex(storageHash),
    storageProof: slots.map((slot) => ({
      key: `0x${slot.toString(16)}`,
      value: slot === 5n ? "0x400" : `0x${(slot < 20n ? slot + 1n : 0n).toString(16)}`,
      proof: storage.prove(word(slot)).proof.map(hex),
    })),
  };
}

/** RLP of nonce, balance 0x0de0b6, storage hash, code hash: 1 + 4 + 33 + 33 bytes. */
function accountOf(nonce: number): Uint8Array {
  const fields = [
    Uint8Array.of(nonce),
    rlpString("0de0b6"),
    rlpString(toHex(storageHash)),
    rlpString(toHex(codeHash)),
  ];
  return concatBytes([Uint8Array.of(0xf8, 71), ...fields]);
}

/** A string of 2 to 55 bytes. */
function rlpString(text: string): Uint8Array {
  return concatBytes([Uint8Array.of(0x80 + text.length / 2), fromHex(text)]);
}

function addressOf(account: number): Uint8Array {
  return new Uint8Array(20).fill(account);
}

function word(slot: bigint): Uint8Array {
  return fromHex(slot.toString(16).padStart(64, "0"));
}

function hex(bytes: Uint8Array): string {
  return `0x${toHex(bytes)}`;
}

function codeOf(claim: Parameters<typeof verifyEthGetProof>[0]): string {
  try {
    verifyEthGetProof(claim);
    return "none";
  } catch (error) {
    if (error instanceof TrieError) return error.code;
    throw error;
  }
}
