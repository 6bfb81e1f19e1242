import { sameBytes } from "@x/store/adapter";

import { type ResolvedOptions } from "./options.ts";

/**
 * Whether a leaf may keep a key: none, or the one that was hashed to its path. No hash of a node covers it, so whoever takes
 * leaves from elsewhere has to ask.
 */
export function mayKeepKey(
  { keys, scheme }: Pick<ResolvedOptions, "keys" | "scheme">,
  { path, key }: { readonly path: Uint8Array; readonly key?: Uint8Array | undefined },
): boolean {
  return key === undefined || (keys === "hashed" && sameBytes(scheme.hashKey(key), path));
}
