import { type Reading, together } from "@x/store";
import { type Change, checkBytes, type StoredCalculator, type StoredNode } from "./calculator.ts";
import { equalBytes } from "@x/hash";
import { HASH_SIZE, type Link, linkOf } from "./link.ts";
import { find, loadPaths } from "./load.ts";
import type { TrieScheme } from "./scheme.ts";

/** Every operation of a scheme over roots; see {@link StoredCalculator}. */
export function overStore<Node, Proof>(scheme: TrieScheme<Node, Proof>): StoredCalculator<Proof> {
  return {
    name: scheme.name,
    emptyRoot: scheme.emptyRoot,
    *get(root, key) {
      const link = openRoot<Node>(scheme, root);
      const value = yield* find(scheme, link, pathsOf(scheme, [key])[0] as Uint8Array);
      return value && new Uint8Array(value);
    },
    *getMany(root, keys) {
      const link = openRoot<Node>(scheme, root);
      const paths = pathsOf(scheme, keys);
      yield* loadPaths(scheme, link, paths);
      const values = yield* together(paths.map((path) => find(scheme, link, path)));
      return values.map((value) => value && new Uint8Array(value));
    },
    *update(root, changes) {
      const before = openRoot<Node>(scheme, root);
      const nodes: StoredNode[] = [];
      const after = yield* edit(scheme, before, Array.from(changes));
      if (after === undefined) return { root: new Uint8Array(scheme.emptyRoot), nodes };
      if (after === before) return { root: new Uint8Array(root), nodes };
      const hash = scheme.hash(after, (key, bytes) => nodes.push({ hash: key, bytes }));
      return { root: new Uint8Array(hash), nodes };
    },
    *prove(root, key) {
      const link = openRoot<Node>(scheme, root);
      return yield* scheme.prove(link, key, pathsOf(scheme, [key])[0] as Uint8Array);
    },
    children: (hash, bytes) =>
      scheme.childRefs(scheme.decode(hash, bytes)).filter(({ length }) => length === HASH_SIZE),
    verify: (root, key, proof) => scheme.verify(root, key, proof),
  };
}

/** A trie that is known by its root. @throws TypeError, RangeError if it is not 32 bytes */
export function openRoot<Node>(
  { emptyRoot }: Pick<TrieScheme<Node, never>, "emptyRoot">,
  root: Uint8Array,
): Link<Node> | undefined {
  checkBytes(root, "root");
  if (root.length !== HASH_SIZE)
    throw new RangeError(`root must be ${HASH_SIZE} bytes, got ${root.length}`);
  return equalBytes(root, emptyRoot) ? undefined : linkOf(new Uint8Array(root));
}

/**
 * Makes changes in their order over nodes that are loaded first, level by level.
 *
 * @yields the hashes of nodes to read
 */
function* edit<Node, Proof>(
  scheme: TrieScheme<Node, Proof>,
  before: Link<Node> | undefined,
  changes: readonly Change[],
): Reading<Link<Node> | undefined> {
  const paths = pathsOf(
    scheme,
    changes.map(({ key }) => key),
  );
  for (const change of changes) {
    if (change.type === "del") continue;
    checkBytes(change.value, "value");
    scheme.checkKey(change.key);
  }
  yield* loadPaths(scheme, before, paths);
  let link = before;
  for (const [i, change] of changes.entries()) {
    const path = paths[i] as Uint8Array;
    link =
      change.type === "del"
        ? yield* scheme.delete(link, path)
        : yield* scheme.set(link, path, new Uint8Array(change.value));
  }
  return link;
}

function pathsOf<Node, Proof>(
  scheme: TrieScheme<Node, Proof>,
  keys: readonly Uint8Array[],
): Uint8Array[] {
  for (const key of keys) checkBytes(key, "key");
  return scheme.pathsOf(keys);
}
