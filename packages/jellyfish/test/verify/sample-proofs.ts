import { Random } from "@x/testing";
import {
  decodeBcsPathProof,
  decodeBcsRightSiblings,
  decodePartialTree,
  decodePathProof,
  decodeRangeProof,
  encodeBcsPathProof,
  encodeBcsRightSiblings,
  encodePartialTree,
  encodePathProof,
  encodeRangeProof,
  type ProvenEntry,
  rangeProofOfRightSiblings,
  updatedRoot,
  verifyBatch,
  verifyExclusion,
  verifyExclusionByNeighbours,
  verifyInclusion,
  verifyRange,
} from "../../src/verify/index.ts";
import { flipped } from "./edits.ts";
import { NaiveTree } from "./naive-tree.ts";
import type { Setting } from "./small-trees.ts";

/** A statement with the bytes of its proof. */
export interface SampleProof {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Throws unless these bytes prove the statement. */
  readonly verify: (bytes: Uint8Array) => unknown;
  /** Reads bytes and writes them again. */
  readonly recode: (bytes: Uint8Array) => Uint8Array;
}

/** One statement of every kind about one tree, with deep and shallow places. */
export function sampleProofs({ scheme, form }: Setting): SampleProof[] {
  const random = new Random(20);
  const entries: ProvenEntry[] = Array.from({ length: 12 }, () => ({
    path: random.bytes(32),
    value: random.bytes(random.below(30)),
  }));
  const deep = (entries[0] as { path: Uint8Array }).path;
  entries.push({ path: flipped(deep, 4, 16), value: random.bytes(9) });
  const tree = new NaiveTree(scheme, entries);
  const { root } = tree;
  const value = (entries[0] as { value: Uint8Array }).value;
  const near = flipped(deep, 6);
  const empty = firstWhere(random, (path) => tree.pathProof(path, form).leaf === undefined);
  const [from, to] = [entries[3], entries[7]]
    .map((entry) => entry?.path as Uint8Array)
    .toSorted((a, b) => (a[0] as number) - (b[0] as number)) as [Uint8Array, Uint8Array];

  const recodePath = (bytes: Uint8Array): Uint8Array =>
    encodePathProof(decodePathProof(bytes, scheme), scheme);
  const recodeRange = (bytes: Uint8Array): Uint8Array =>
    encodeRangeProof(decodeRangeProof(bytes, scheme), scheme);
  const recodeTree = (bytes: Uint8Array): Uint8Array =>
    encodePartialTree(decodePartialTree(bytes, scheme), scheme);

  const range = tree.range(flipped(from, 31), to, form);
  const upTo = tree.range(undefined, to, form);
  const batch = [deep, near, empty, to];
  const changes = [
    { path: deep, value: undefined },
    { path: near, value },
    { path: to, value: undefined },
    { path: empty, value: undefined },
  ];
  const plain = { absenceCarriesValue: false };
  return [
    {
      name: "inclusion",
      bytes: encodePathProof(tree.pathProof(deep, "hashed"), scheme),
      verify: (bytes) =>
        verifyInclusion({ scheme, root, path: deep, value, proof: decodePathProof(bytes, scheme) }),
      recode: recodePath,
    },
    ...[near, empty].map((path) => ({
      name: path === near ? "exclusion by another leaf" : "exclusion by an empty place",
      bytes: encodePathProof(tree.pathProof(path, form), scheme),
      verify: (bytes: Uint8Array) =>
        verifyExclusion({ scheme, root, path, proof: decodePathProof(bytes, scheme) }),
      recode: recodePath,
    })),
    {
      name: "exclusion by neighbours",
      bytes: encodeRangeProof(tree.range(near, near, form).proof, scheme),
      verify: (bytes) =>
        verifyExclusionByNeighbours({
          scheme,
          root,
          path: near,
          proof: decodeRangeProof(bytes, scheme),
        }),
      recode: recodeRange,
    },
    {
      name: "range",
      bytes: encodeRangeProof(range.proof, scheme),
      verify: (bytes) =>
        verifyRange({
          scheme,
          root,
          from: flipped(from, 31),
          to,
          entries: range.entries,
          proof: decodeRangeProof(bytes, scheme),
        }),
      recode: recodeRange,
    },
    {
      name: "batch",
      bytes: encodePartialTree(tree.batchProof(batch, form), scheme),
      verify: (bytes) =>
        verifyBatch({ scheme, root, paths: batch, proof: decodePartialTree(bytes, scheme) }),
      recode: recodeTree,
    },
    {
      name: "update",
      bytes: encodePartialTree(tree.updateProof(changes, form), scheme),
      verify: (bytes) =>
        updatedRoot({ scheme, root, changes, proof: decodePartialTree(bytes, scheme) }),
      recode: recodeTree,
    },
    ...[deep, near].map((path) => ({
      name: path === deep ? "inclusion in BCS" : "exclusion in BCS",
      bytes: encodeBcsPathProof(tree.pathProof(path, "hashed")),
      verify: (bytes: Uint8Array) => {
        const claim = { scheme, root, path, rules: plain, proof: decodeBcsPathProof(bytes) };
        return path === deep ? verifyInclusion({ ...claim, value }) : verifyExclusion(claim);
      },
      recode: (bytes: Uint8Array) => encodeBcsPathProof(decodeBcsPathProof(bytes)),
    })),
    {
      name: "range from the first leaf in BCS",
      bytes: encodeBcsRightSiblings(upTo.proof.rightSiblings ?? []),
      verify: (bytes) =>
        verifyRange({
          scheme,
          root,
          from: undefined,
          to,
          entries: upTo.entries,
          proof: rangeProofOfRightSiblings(decodeBcsRightSiblings(bytes), scheme),
        }),
      recode: (bytes) => encodeBcsRightSiblings(decodeBcsRightSiblings(bytes)),
    },
  ];
}

function firstWhere(random: Random, fits: (path: Uint8Array) => boolean): Uint8Array {
  for (;;) {
    const path = random.bytes(32);
    if (fits(path)) return path;
  }
}
