import { type Bytes } from "@x/store";
import { compareBytes, keyText, textKey } from "@x/store/adapter";

import { type TreeContext } from "../context.ts";
import { JellyfishError } from "../errors.ts";
import { isEmptyRoot, loadNodes } from "../load.ts";
import { roochNodes } from "../node-codec-rooch.ts";
import { type Node } from "../node.ts";
import { markRuns, type Part, partCountFor } from "../retention/marks.ts";
import { type RunSource } from "../retention/runs.ts";
import { type ImportOptions, type NodeSource } from "./import.ts";
import { type TreeHandle } from "../tree/handle.ts";

/**
 * Rooch's state dump: four comment lines, then every node of a tree and of the trees its leaves carry, ascending by hash, one a line
 * as `<64 hex digits>:0x<node bytes>`.
 *
 * @see FORMAT.md, "State dump"
 */
export interface StateDump {
  readonly root: Bytes;
  /** Records of nodes by the characters of their hashes. */
  readonly nodes: ReadonlyMap<string, Uint8Array>;
}

/** Nodes of one part of a dump held in memory at most. */
const MARK_COUNT_MAX = 2 ** 17;
/** Nodes read together. */
const GROUP_SIZE = 256;

/**
 * The lines of a dump, without their ends. Walks the tree twice for every 2^17 nodes: once to count, once to write.
 *
 * @yields lines
 * @throws JellyfishError JELLYFISH_MISSING_NODE, JELLYFISH_NODE_FORMAT, JELLYFISH_NODE_MISPLACED
 */
export async function* dumpLines(
  handle: TreeHandle,
  root: Uint8Array,
): AsyncGenerator<string, void, undefined> {
  const top = isEmptyRoot(handle.options.context, root) ? undefined : root;
  const { nodeCount } = handle.state.record;
  const count = partCountFor(nodeCount, MARK_COUNT_MAX);
  const parts = Array.from({ length: count }, (_, index): Part => ({ index, count }));
  const totals = { nodes: 0, leaves: 0, roots: 1 };
  const trees = new Set<string>();
  for (const part of parts)
    for await (const [, node] of nodesOf(handle, top, part)) {
      totals.nodes++;
      if (node.kind === "internal") continue;
      totals.leaves++;
      for (const nested of handle.options.nestedRoots?.(node) ?? [])
        if (nested !== undefined) trees.add(keyText(nested));
    }
  yield `# root=0x${hexOf(root)}`;
  yield `# roots_total=${totals.roots + trees.size}`;
  yield `# nodes_total=${totals.nodes}`;
  yield `# objects_total=${totals.leaves}`;
  for (const part of parts)
    for await (const [hash, node] of nodesOf(handle, top, part))
      yield `${hexOf(hash)}:0x${hexOf(roochNodes.encode(plainNode(node)))}`;
}

// The nodes of a part, ascending by hash.
async function* nodesOf(
  handle: TreeHandle,
  root: Uint8Array | undefined,
  part: Part,
): AsyncGenerator<readonly [Uint8Array, Node], void, undefined> {
  const context: TreeContext = { ...handle.options.context, cache: undefined };
  const source: RunSource = { ...handle.source, context };
  const marks = await handle.readLong(markRuns(source, [root], part), undefined);
  const hashes = [...marks.keys()].map((text) => textKey(text)).toSorted(compareBytes);
  for (let at = 0; at < hashes.length; at += GROUP_SIZE) {
    const group = hashes.slice(at, at + GROUP_SIZE);
    const loaded = await handle.readLong(loadNodes(context, group), undefined);
    for (const { hash, node } of loaded) yield [hash, node];
  }
}

/** What Rooch's format has no place for is left out. */
function plainNode(node: Node): Node {
  return node.kind === "leaf" ? { ...node, key: undefined } : { ...node, counts: undefined };
}

/**
 * Reads a dump back. Its nodes are not checked here, only its lines: order, digits, and that the totals it names are those it has.
 *
 * @param lines - without their ends
 * @throws JellyfishError JELLYFISH_DUMP with the number of the line
 */
export async function parseDump(
  lines: AsyncIterable<string> | Iterable<string>,
): Promise<StateDump> {
  const nodes = new Map<string, Uint8Array>();
  const comments = new Map<string, string>();
  let lineNumber = 0;
  let last = "";
  for await (const line of lines) {
    lineNumber++;
    if (line.startsWith("#")) {
      const [, name = "", value = ""] = /^# (\w+)=(.*)$/.exec(line) ?? [];
      if (name === "" || comments.has(name) || nodes.size > 0) throw malformed(lineNumber);
      comments.set(name, value);
      continue;
    }
    const [, hash, bytes] = /^([0-9a-f]{64}):0x((?:[0-9a-f]{2})+)$/.exec(line) ?? [];
    if (hash === undefined || bytes === undefined || hash <= last) throw malformed(lineNumber);
    last = hash;
    nodes.set(keyText(bytesOf(hash)), bytesOf(bytes));
  }
  const root = /^0x([0-9a-f]{64})$/.exec(comments.get("root") ?? "")?.[1];
  const total = comments.get("nodes_total");
  if (root === undefined) throw malformed(0);
  if (total !== undefined && total !== String(nodes.size)) throw malformed(lineNumber);
  return { root: bytesOf(root), nodes };
}

/** A dump as a source of nodes, with what sees to it that all of them are needed. */
export function dumpSource(
  { root, nodes }: StateDump,
  { onNode, onWhole }: ImportOptions,
): Required<Pick<ImportOptions, "format" | "onNode" | "onWhole">> & {
  readonly root: Bytes;
  readonly source: NodeSource;
} {
  const unseen = new Set(nodes.keys());
  return {
    root,
    format: roochNodes,
    source: { getMany: async (hashes) => hashes.map((hash) => nodes.get(keyText(hash))) },
    onNode(hash) {
      unseen.delete(keyText(hash));
      onNode?.(hash);
    },
    onWhole() {
      onWhole?.();
      if (unseen.size > 0)
        throw new JellyfishError(
          "JELLYFISH_DUMP",
          `${unseen.size} nodes of the dump belong nowhere`,
        );
    },
  };
}

function malformed(lineNumber: number): JellyfishError {
  const where = lineNumber === 0 ? "names no root" : `is malformed at line ${lineNumber}`;
  return new JellyfishError("JELLYFISH_DUMP", `the dump ${where}`);
}

function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function bytesOf(hex: string): Bytes {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++)
    bytes[at] = Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}
