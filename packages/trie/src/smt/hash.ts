import { bitAt } from "../bits.ts";
import { digestMany } from "../digest.ts";
import { HASH_SIZE } from "../link.ts";
import type { Emit } from "../scheme.ts";
import { type Hasher } from "@x/hash";
import { encodeSmtLeaf, encodeSmtNode } from "./node-codec.ts";
import type { SmtInner, SmtLink, SmtNode } from "./node.ts";

/** The hash functions of a sparse trie, each bound to its tag. */
export interface SmtHashers {
  /** Of a whole message. */
  readonly plain: Hasher;
  /** Of the two sides of a place: the tag 00 before 64 bytes. */
  readonly pair: Hasher;
}

/** A hash on its way up through the levels that are not nodes. */
interface Climb {
  readonly link: SmtLink;
  readonly node: SmtInner;
  /** The depth of the place whose two sides are hashed next. */
  depth: number;
  hash: Uint8Array;
}

/** Fills in every missing reference below a root, the deepest level first, each level in packs. @returns the root's hash */
export function hashSmt(hashers: SmtHashers, root: SmtLink, emit?: Emit): Uint8Array {
  for (const level of unhashedLevels(root).toReversed()) {
    hashLeaves(
      hashers.plain,
      level.filter(({ node }) => node?.kind === "leaf"),
    );
    hashInners(
      hashers.pair,
      level.filter(({ node }) => node?.kind === "inner"),
    );
    if (emit !== undefined)
      for (const { ref, node } of level) emit(ref as Uint8Array, encodeSmtNode(node as SmtNode));
  }
  return root.ref as Uint8Array;
}

function hashLeaves(hasher: Hasher, leaves: readonly SmtLink[]): void {
  const messages = leaves.map(({ node }) => encodeSmtLeaf(node as SmtNode & { kind: "leaf" }));
  for (const [i, digest] of digestMany(hasher, messages).entries())
    (leaves[i] as SmtLink).ref = digest;
}

/** All of a level climb together: one pack for each of the levels that they skip. */
function hashInners(hasher: Hasher, links: readonly SmtLink[]): void {
  let climbs = links.map((link): Climb => {
    const node = link.node as SmtInner;
    return { link, node, depth: node.split, hash: new Uint8Array(0) };
  });
  while (climbs.length > 0) {
    const pack = new Uint8Array(2 * HASH_SIZE * climbs.length);
    for (const [i, climb] of climbs.entries()) writeSides(climb, pack, 2 * HASH_SIZE * i);
    const output = new Uint8Array(HASH_SIZE * climbs.length);
    hasher.hashMany(pack, 2 * HASH_SIZE, climbs.length, output);
    for (const [i, climb] of climbs.entries()) {
      climb.hash = output.slice(HASH_SIZE * i, HASH_SIZE * (i + 1));
      climb.depth--;
      if (climb.depth < climb.node.start) climb.link.ref = climb.hash;
    }
    climbs = climbs.filter(({ depth, node }) => node.start <= depth);
  }
}

/** At the split both sides are there; above it one is empty, whose hash is zeros. */
function writeSides({ node, depth, hash }: Climb, pack: Uint8Array, offset: number): void {
  if (depth === node.split) {
    pack.set(node.left.ref as Uint8Array, offset);
    pack.set(node.right.ref as Uint8Array, offset + HASH_SIZE);
  } else pack.set(hash, offset + HASH_SIZE * bitAt(node.prefix, depth));
}

/** The hash that a node would have if it began at `start`, below its own or above; its children are hashed. */
export function hashFrom(hasher: Hasher, node: SmtInner, start: number): Uint8Array {
  const link: SmtLink = { ref: undefined, node: { ...node, start } };
  hashInners(hasher, [link]);
  return link.ref as unknown as Uint8Array;
}

/** The nodes without references, by their distance from the root. */
function unhashedLevels(root: SmtLink): SmtLink[][] {
  const levels: SmtLink[][] = [];
  let level = root.ref === undefined ? [root] : [];
  while (level.length > 0) {
    levels.push(level);
    const next: SmtLink[] = [];
    for (const { node } of level) {
      if (node?.kind !== "inner") continue;
      if (node.left.ref === undefined) next.push(node.left);
      if (node.right.ref === undefined) next.push(node.right);
    }
    level = next;
  }
  return levels;
}
