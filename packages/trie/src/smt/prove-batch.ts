import { keccak256 } from "@x/hash";
import type { Reading } from "@x/store";
import { bitAt } from "../bits.ts";
import { loadPaths } from "../load.ts";
import type { TrieScheme } from "../scheme.ts";
import type { SmtBatchProof, SmtPart } from "../verify/smt-batch.ts";
import { hashFrom } from "./hash.ts";
import type { SmtLink, SmtNode } from "./node.ts";

/** A few hashes for each proof: not worth an engine. */
const PAIR = keccak256({ prefix: Uint8Array.of(0) });

/**
 * Proves what is under many paths: one read for each level. Everything is hashed; recurses once for each bit.
 *
 * @yields the hashes of nodes to read
 */
export function* proveSmtBatch(
  walker: Pick<TrieScheme<SmtNode, never>, "decode" | "step">,
  root: SmtLink | undefined,
  paths: readonly Uint8Array[],
): Reading<SmtBatchProof> {
  yield* loadPaths(walker, root, paths);
  const parts: SmtPart[] = [];
  if (paths.length > 0) add(root, 0, paths);
  return { parts };

  function add(link: SmtLink | undefined, depth: number, asked: readonly Uint8Array[]): void {
    if (link === undefined) parts.push({ kind: "empty" });
    else if (asked.length === 0) parts.push({ kind: "hash", hash: hashAt(link, depth) });
    else if (link.node?.kind === "leaf") {
      const { keyHash, value } = link.node;
      const leaf = { keyHash: new Uint8Array(keyHash), value: new Uint8Array(value) };
      parts.push({ kind: "leaf", leaf });
    } else {
      parts.push({ kind: "inner" });
      const { split, prefix, left, right } = link.node as SmtNode & { kind: "inner" };
      const isSplit = depth === split;
      for (const side of [0, 1] as const) {
        const below = asked.filter((path) => bitAt(path, depth) === side);
        if (isSplit) add(side === 0 ? left : right, depth + 1, below);
        else add(bitAt(prefix, depth) === side ? link : undefined, depth + 1, below);
      }
    }
  }
}

/** The hash of a node as it is at a depth at or below its own: what is above its split has one empty side at each level. */
function hashAt(link: SmtLink, depth: number): Uint8Array {
  const { node, ref } = link;
  const isShort = node?.kind === "inner" && node.start < depth;
  return new Uint8Array(isShort ? hashFrom(PAIR, node, depth) : (ref as Uint8Array));
}
