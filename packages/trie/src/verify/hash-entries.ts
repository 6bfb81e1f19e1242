import { encodeMptNode } from "../mpt/node-codec.ts";
import { linkOf } from "../link.ts";
import type { MptLink, MptNode } from "../mpt/node.ts";
import { commonNibbles, type Nibbles } from "../nibbles.ts";
import { keccak } from "./checks.ts";

/** An entry by its path. */
export interface PathEntry {
  readonly path: Nibbles;
  readonly value: Uint8Array;
}

/** A branch whose children are not all there yet. */
interface OpenBranch {
  readonly depth: number;
  readonly children: (MptLink | undefined)[];
  value: Uint8Array | undefined;
}

/**
 * The hash of the node that entries make. A branch is open while entries with its path go on, and is hashed behind the last of them.
 *
 * @param entries - at least one, by ascending paths, which have the first `from` nibbles in common
 */
export function hashEntries(entries: readonly PathEntry[], from: number): Uint8Array {
  const open: OpenBranch[] = [];
  let hash = new Uint8Array(0);
  for (const [i, { path, value }] of entries.entries()) {
    const next = entries[i + 1]?.path;
    const shared = next === undefined ? -1 : commonNibbles(path, 0, next);
    let branch = branchAt(open, shared);
    if (branch === undefined) return hashNode({ kind: "leaf", path: path.subarray(from), value });
    if (path.length === branch.depth) branch.value = value;
    else {
      const rest = path.subarray(branch.depth + 1);
      put(branch, path, hashNode({ kind: "leaf", path: rest, value }));
    }
    while (branch !== undefined && shared < branch.depth) {
      const { depth } = branch;
      hash = hashNode({ kind: "branch", children: branch.children, value: branch.value });
      open.pop();
      branch = branchAt(open, shared);
      const lead = path.subarray(branch === undefined ? from : branch.depth + 1, depth);
      if (lead.length > 0) hash = hashNode({ kind: "extension", path: lead, child: linkOf(hash) });
      if (branch !== undefined) put(branch, path, hash);
    }
  }
  return hash;
}

/** The innermost open branch; a new one where none is as deep. */
function branchAt(open: OpenBranch[], depth: number): OpenBranch | undefined {
  if ((open.at(-1)?.depth ?? -1) < depth)
    open.push({ depth, children: Array.from({ length: 16 }), value: undefined });
  return open.at(-1);
}

function put({ children, depth }: OpenBranch, path: Nibbles, hash: Uint8Array): void {
  children[path[depth] as number] = linkOf(hash);
}

function hashNode(node: MptNode): Uint8Array<ArrayBuffer> {
  return keccak.hash(encodeMptNode(node));
}
