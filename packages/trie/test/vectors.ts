import { readFileSync } from "node:fs";

/** One block of the vectors, as the caller describes it. */
export function vectors(block: string): unknown {
  const text = readFileSync(new URL("./vectors/trie.json", import.meta.url), "utf8");
  return (JSON.parse(text) as Record<string, unknown>)[block];
}
