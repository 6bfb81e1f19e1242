import { stepMpt, valueAtMpt } from "../mpt/node.ts";
import { toNibbles } from "../nibbles.ts";
import { checkArgument, checkList, failure, isSame, keccak } from "./checks.ts";
import { decodeProofNode, isEmptyTrie } from "./mpt-proof.ts";
import { Findings, type Presence, queriesOf, type Query } from "./presence.ts";

/**
 * What is under many keys of a Patricia trie: every node on one of the walks once, a node before those below it, children by
 * ascending nibble. The keys and their values are not in it: a verifier has the keys and finds the values.
 */
export interface MptBatchProof {
  readonly nodes: readonly Uint8Array[];
}

/** That a proof speaks of these keys under a root. */
export interface MptBatchClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  /** In any order. */
  readonly keys: readonly Uint8Array[];
  /** Not trusted. */
  readonly proof: MptBatchProof;
}

/**
 * Shows what is under many keys.
 *
 * @returns for each key its value or that it is absent, in their order
 * @throws TrieError TRIE_PROOF_ROOT, TRIE_PROOF_INCOMPLETE, TRIE_PROOF_SURPLUS, TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or a key not bytes
 */
export function verifyMptBatch({ root, keys, proof }: MptBatchClaim): Presence[] {
  checkArgument(root, "root");
  const findings = new Findings();
  const queries = queriesOf(keys, toNibbles);
  if (typeof proof !== "object" || proof === null) throw failure("FORMAT", "is not an object");
  const { nodes } = proof;
  checkList(nodes, "node");
  let used = 0;
  const rest: Place[] = queries.length === 0 ? [] : [{ want: root, at: 0, queries }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop()) {
    const bytes = nodes[used++];
    if (bytes === undefined) throw failure("INCOMPLETE", "lacks a node");
    if (used === 1 && isEmptyTrie(root, bytes)) {
      for (const query of queries) findings.put(query, undefined);
    } else {
      if (!isSame(keccak.hash(bytes), place.want))
        throw failure("ROOT", "does not lead to the root");
      for (const next of below(bytes, place, findings).toReversed()) rest.push(next);
    }
  }
  if (used < nodes.length) throw failure("SURPLUS", "has nodes that nothing asks for");
  return findings.finish();
}

/** A node that is expected next, and the walks through it. */
interface Place {
  readonly want: Uint8Array;
  readonly at: number;
  readonly queries: readonly Query[];
}

/** The places to which the walks through a node go on, ascending; those that end there are found. */
function below(bytes: Uint8Array, { at, queries }: Place, findings: Findings): Place[] {
  const node = decodeProofNode(bytes);
  const places: (Place & { queries: Query[] })[] = [];
  for (const query of queries) {
    const step = stepMpt(node, query.path, at);
    if (step === undefined) {
      findings.put(query, valueAtMpt(node, query.path, at));
      continue;
    }
    const want = step.link.ref as Uint8Array;
    const last = places.at(-1);
    // Queries of one child are neighbours; two children with one hash are two places, told apart by the nibble.
    const before = last?.queries[0]?.path[at];
    if (last !== undefined && before === query.path[at]) last.queries.push(query);
    else places.push({ want, at: step.at, queries: [query] });
  }
  return places;
}
