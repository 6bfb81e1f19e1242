import { type Change, MptCalc, SmtCalc } from "../../src/index.ts";
import * as verify from "../../src/verify/index.ts";

/** A proof of some kind, with everything that is done to proofs. */
export interface Subject {
  readonly name: string;
  readonly root: Uint8Array;
  readonly bytes: Uint8Array;
  readonly json: unknown;
  /** Decodes bytes and encodes them again. */
  readonly recode: (bytes: Uint8Array) => Uint8Array;
  /** Decodes JSON and encodes it as bytes. */
  readonly read: (json: unknown) => Uint8Array;
  /** Decodes bytes and verifies them against a root; throws where they do not show it. */
  readonly check: (bytes: Uint8Array, root: Uint8Array) => void;
  /** The same with one list of the proof changed. */
  readonly edited: (edit: (list: unknown[]) => unknown[]) => Uint8Array;
}

/** The proofs of all kinds over a history, for these keys and this range. */
export function subjectsOf(
  changes: readonly Change[],
  keys: readonly Uint8Array[],
  range: verify.KeyRange,
): Subject[] {
  const mpt = new MptCalc();
  mpt.batch(changes);
  const smt = new SmtCalc();
  smt.batch(changes);
  return [
    ...keys.map((key) => mptSubject(mpt, key)),
    ...keys.map((key) => smtSubject(smt, key)),
    mptBatchSubject(mpt, keys),
    smtBatchSubject(smt, keys),
    mptRangeSubject(mpt, range),
  ];
}

function mptSubject(trie: MptCalc, key: Uint8Array): Subject {
  const proof = trie.prove(key);
  return {
    name: "MPT proof",
    root: trie.root(),
    bytes: verify.encodeMptProof(proof),
    json: verify.mptProofToJson(proof),
    recode: (bytes) => verify.encodeMptProof(verify.decodeMptProof(bytes)),
    read: (json) => verify.encodeMptProof(verify.mptProofFromJson(json)),
    check(bytes, root) {
      const one = verify.decodeMptProof(bytes);
      if (one.value === undefined) verify.verifyMptExclusion({ root, key, proof: one });
      else verify.verifyMptInclusion({ root, key, proof: one });
    },
    edited: (edit) =>
      verify.encodeMptProof({ ...proof, nodes: edit([...proof.nodes]) as Uint8Array[] }),
  };
}

function smtSubject(trie: SmtCalc, key: Uint8Array): Subject {
  const proof = trie.prove(key);
  const isThere = trie.get(key) !== undefined;
  return {
    name: "SMT proof",
    root: trie.root(),
    bytes: verify.encodeSmtProof(proof),
    json: verify.smtProofToJson(proof),
    recode: (bytes) => verify.encodeSmtProof(verify.decodeSmtProof(bytes)),
    read: (json) => verify.encodeSmtProof(verify.smtProofFromJson(json)),
    check(bytes, root) {
      const claim = { root, key, proof: verify.decodeSmtProof(bytes) };
      if (isThere) verify.verifySmtInclusion(claim);
      else verify.verifySmtExclusion(claim);
    },
    edited: (edit) =>
      verify.encodeSmtProof({ ...proof, siblings: edit([...proof.siblings]) as Uint8Array[] }),
  };
}

function mptBatchSubject(trie: MptCalc, keys: readonly Uint8Array[]): Subject {
  const proof = trie.proveBatch(keys);
  return {
    name: "MPT batch proof",
    root: trie.root(),
    bytes: verify.encodeMptBatchProof(proof),
    json: verify.mptBatchProofToJson(proof),
    recode: (bytes) => verify.encodeMptBatchProof(verify.decodeMptBatchProof(bytes)),
    read: (json) => verify.encodeMptBatchProof(verify.mptBatchProofFromJson(json)),
    check: (bytes, root) => {
      verify.verifyMptBatch({ root, keys, proof: verify.decodeMptBatchProof(bytes) });
    },
    edited: (edit) => verify.encodeMptBatchProof({ nodes: edit([...proof.nodes]) as Uint8Array[] }),
  };
}

function smtBatchSubject(trie: SmtCalc, keys: readonly Uint8Array[]): Subject {
  const proof = trie.proveBatch(keys);
  return {
    name: "SMT batch proof",
    root: trie.root(),
    bytes: verify.encodeSmtBatchProof(proof),
    json: verify.smtBatchProofToJson(proof),
    recode: (bytes) => verify.encodeSmtBatchProof(verify.decodeSmtBatchProof(bytes)),
    read: (json) => verify.encodeSmtBatchProof(verify.smtBatchProofFromJson(json)),
    check: (bytes, root) => {
      verify.verifySmtBatch({ root, keys, proof: verify.decodeSmtBatchProof(bytes) });
    },
    edited: (edit) =>
      verify.encodeSmtBatchProof({ parts: edit([...proof.parts]) as verify.SmtPart[] }),
  };
}

function mptRangeSubject(trie: MptCalc, range: verify.KeyRange): Subject {
  const proof = trie.proveRange(range);
  const isNodes = proof.nodes.length > 0;
  return {
    name: "MPT range proof",
    root: trie.root(),
    bytes: verify.encodeMptRangeProof(proof),
    json: verify.mptRangeProofToJson(proof),
    recode: (bytes) => verify.encodeMptRangeProof(verify.decodeMptRangeProof(bytes)),
    read: (json) => verify.encodeMptRangeProof(verify.mptRangeProofFromJson(json)),
    check: (bytes, root) => {
      verify.verifyMptRange({ root, range, proof: verify.decodeMptRangeProof(bytes) });
    },
    edited: (edit) =>
      verify.encodeMptRangeProof(
        isNodes
          ? { ...proof, nodes: edit([...proof.nodes]) as Uint8Array[] }
          : { ...proof, entries: edit([...proof.entries]) as verify.MptEntry[] },
      ),
  };
}
