import type { Reading } from "@x/store";
import { TrieError } from "./errors.ts";
import { HASH_SIZE, type Link } from "./link.ts";
import type { TrieScheme } from "./scheme.ts";

/** The part of a scheme that loading needs. */
type Decoder<Node> = Pick<TrieScheme<Node, never>, "decode">;

/**
 * The node of a link, which remembers it.
 *
 * @yields the hash of the node, unless it is there
 * @throws TrieError TRIE_MISSING_NODE, TRIE_NODE_FORMAT, TRIE_NODE_HASH
 */
export function* load<Node>(decoder: Decoder<Node>, link: Link<Node>): Reading<Node> {
  link.node ??= yield* read(decoder, link.ref as Uint8Array);
  return link.node;
}

/**
 * The node of a reference. Yields and throws as {@link load}.
 *
 * @yields the hashes of nodes to read
 */
export function* read<Node>(decoder: Decoder<Node>, ref: Uint8Array): Reading<Node> {
  if (ref.length !== HASH_SIZE) return decoder.decode(ref, undefined);
  const [bytes] = yield [ref];
  return decoder.decode(ref, stored(bytes));
}

/**
 * Loads many links with one read.
 *
 * @yields the hashes of nodes to read
 */
export function* loadAll<Node>(
  decoder: Decoder<Node>,
  links: Iterable<Link<Node>>,
): Reading<undefined> {
  const missing: Link<Node>[] = [];
  for (const link of links) {
    if (link.node !== undefined) continue;
    if ((link.ref as Uint8Array).length === HASH_SIZE) missing.push(link);
    else link.node = decoder.decode(link.ref as Uint8Array, undefined);
  }
  if (missing.length === 0) return undefined;
  const values = yield missing.map(({ ref }) => ref as Uint8Array);
  for (const [index, link] of missing.entries())
    link.node = decoder.decode(link.ref as Uint8Array, stored(values[index]));
  return undefined;
}

/**
 * Loads every node on the walks along many paths: one read for each level of the trie.
 *
 * @yields the hashes of one level
 */
export function* loadPaths<Node>(
  scheme: Pick<TrieScheme<Node, never>, "decode" | "step">,
  root: Link<Node> | undefined,
  paths: readonly Uint8Array[],
): Reading<undefined> {
  if (root === undefined) return undefined;
  let level = new Map([[root, paths.map((path) => ({ path, at: 0 }))]]);
  while (level.size > 0) {
    yield* loadAll(scheme, level.keys());
    const next: typeof level = new Map();
    for (const [{ node }, walks] of level) {
      for (const { path, at } of walks) {
        const step = scheme.step(node as Node, path, at);
        if (step === undefined) continue;
        const place = next.get(step.link);
        if (place === undefined) next.set(step.link, [{ path, at: step.at }]);
        else place.push({ path, at: step.at });
      }
    }
    level = next;
  }
  return undefined;
}

/**
 * The value under a path, as a view. Yields and throws as {@link load}.
 *
 * @yields the hashes of nodes to read
 */
export function* find<Node>(
  scheme: Pick<TrieScheme<Node, never>, "decode" | "step" | "valueAt">,
  root: Link<Node> | undefined,
  path: Uint8Array,
): Reading<Uint8Array | undefined> {
  if (root === undefined) return undefined;
  let node = root.node ?? (yield* load(scheme, root));
  let at = 0;
  for (;;) {
    const step = scheme.step(node, path, at);
    if (step === undefined) return scheme.valueAt(node, path, at);
    node = step.link.node ?? (yield* load(scheme, step.link));
    at = step.at;
  }
}

function stored(bytes: Uint8Array | undefined): Uint8Array {
  if (bytes !== undefined) return bytes;
  throw new TrieError("TRIE_MISSING_NODE", "a node of the trie is not in the store");
}
