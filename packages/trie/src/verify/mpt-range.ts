import { compareBytes } from "@x/hash";
import {
  isInRange,
  type KeyRange,
  type PathRange,
  pathRangeOf,
  placeInRange,
} from "../mpt/key-range.ts";
import type { MptLink } from "../mpt/node.ts";
import { joinNibbles, type Nibbles, toNibbles } from "../nibbles.ts";
import { checkArgument, checkField, checkList, failure, isSame, keccak, ZEROS } from "./checks.ts";
import { hashEntries, type PathEntry } from "./hash-entries.ts";
import { decodeProofNode } from "./mpt-proof.ts";

/** An entry of a Patricia trie. */
export interface MptEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/**
 * All entries of a range, and the nodes through which its bounds run, a node before those below it, children by ascending nibble.
 * What lies wholly in the range is made again from the entries.
 */
export interface MptRangeProof {
  /** By ascending keys. */
  readonly entries: readonly MptEntry[];
  readonly nodes: readonly Uint8Array[];
}

/** That a proof has all entries of a range under a root. */
export interface MptRangeClaim {
  /** From a source the caller trusts, never from the proof. 32 bytes. */
  readonly root: Uint8Array;
  readonly range: KeyRange;
  /** Not trusted. */
  readonly proof: MptRangeProof;
}

/**
 * Shows that these are all entries of a range, and no others.
 *
 * @returns the entries, now proven: fresh copies
 * @throws TrieError TRIE_PROOF_ROOT, TRIE_PROOF_KEY (entries out of range or order), TRIE_PROOF_VALUE (another entry than a node
 *   has), TRIE_PROOF_INCOMPLETE, TRIE_PROOF_SURPLUS, TRIE_PROOF_FORMAT
 * @throws TypeError, RangeError if the root is not 32 bytes or the range is none
 */
export function verifyMptRange({ root, range, proof }: MptRangeClaim): MptEntry[] {
  checkArgument(root, "root");
  const paths = pathRangeOf(range);
  if (typeof proof !== "object" || proof === null) throw failure("FORMAT", "is not an object");
  checkList(proof.nodes, "node");
  if (!Array.isArray(proof.entries)) throw failure("FORMAT", "has no list of entries");
  const walk = new RangeWalk(proof, paths);
  const rest: Place[] = isSame(root, ZEROS) ? [] : [{ want: root, prefix: new Uint8Array(0) }];
  for (let place = rest.pop(); place !== undefined; place = rest.pop())
    for (const next of walk.visit(place).toReversed()) rest.push(next);
  walk.finish();
  return proof.entries.map(({ key, value }) => ({
    key: new Uint8Array(key),
    value: new Uint8Array(value),
  }));
}

/** A node that is known by its hash. */
interface Place {
  readonly want: Uint8Array;
  readonly prefix: Nibbles;
}

/** Uses up nodes and entries in their order. */
class RangeWalk {
  readonly #nodes: readonly Uint8Array[];
  readonly #entries: readonly PathEntry[];
  readonly #range: PathRange;
  #usedNodes = 0;
  #usedEntries = 0;

  constructor({ nodes, entries }: MptRangeProof, range: PathRange) {
    this.#nodes = nodes;
    this.#range = range;
    this.#entries = Array.from(entries, entryOf);
    for (const [i, { path }] of this.#entries.entries()) {
      const before = this.#entries[i - 1]?.path;
      if (!isInRange(path, range) || (before !== undefined && compareBytes(before, path) >= 0))
        throw failure("KEY", "has an entry out of its range or order");
    }
  }

  /** @returns the places below, ascending, where a boundary runs through this one */
  visit({ want, prefix }: Place): Place[] {
    const where = placeInRange(prefix, this.#range);
    if (where === "out") return [];
    if (where === "in") {
      if (!isSame(this.#rebuild(prefix), want)) throw mismatch();
      return [];
    }
    const bytes = this.#nodes[this.#usedNodes++];
    if (bytes === undefined) throw failure("INCOMPLETE", "lacks a node");
    if (!isSame(keccak.hash(bytes), want)) throw mismatch();
    const node = decodeProofNode(bytes);
    if (node.kind === "extension") return [placeOf(node.child, prefix, node.path)];
    if (node.kind === "leaf") this.#take(joinNibbles(prefix, node.path), node.value);
    else {
      if (node.value !== undefined) this.#take(prefix, node.value);
      return node.children.flatMap((child, nibble) =>
        child === undefined ? [] : [placeOf(child, prefix, Uint8Array.of(nibble))],
      );
    }
    return [];
  }

  finish(): void {
    if (this.#usedNodes < this.#nodes.length) throw failure("SURPLUS", "has nodes left over");
    if (this.#usedEntries < this.#entries.length) throw failure("SURPLUS", "has entries left over");
  }

  /** An entry that a node has: where it is in the range, the next entry is the same. */
  #take(path: Nibbles, value: Uint8Array): void {
    if (path.length % 2 !== 0) throw failure("FORMAT", "has a value where no key ends");
    if (!isInRange(path, this.#range)) return;
    const entry = this.#entries[this.#usedEntries++];
    if (entry === undefined) throw failure("INCOMPLETE", "lacks an entry");
    if (!isSame(entry.path, path) || !isSame(entry.value, value))
      throw failure("VALUE", "has another entry than its nodes");
  }

  /** The hash of what the next entries with a prefix make. */
  #rebuild(prefix: Nibbles): Uint8Array {
    const first = this.#usedEntries;
    while (this.#isNextBelow(prefix)) this.#usedEntries++;
    if (first === this.#usedEntries) throw failure("INCOMPLETE", "lacks entries");
    return hashEntries(this.#entries.slice(first, this.#usedEntries), prefix.length);
  }

  #isNextBelow(prefix: Nibbles): boolean {
    const path = this.#entries[this.#usedEntries]?.path;
    return path !== undefined && isSame(path.subarray(0, prefix.length), prefix);
  }
}

function entryOf(entry: MptEntry): PathEntry {
  if (typeof entry !== "object" || entry === null) throw failure("FORMAT", "has no entry");
  checkField(entry.key, "key");
  checkField(entry.value, "value");
  return { path: toNibbles(entry.key), value: entry.value };
}

function placeOf({ ref }: MptLink, prefix: Nibbles, path: Nibbles): Place {
  return { want: ref as Uint8Array, prefix: joinNibbles(prefix, path) };
}

function mismatch(): Error {
  return failure("ROOT", "does not lead to the root");
}
