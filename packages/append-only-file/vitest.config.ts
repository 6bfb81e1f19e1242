import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { defineProject } from "vitest/config";

import { applyPatches, MORE_MUTANTS, MUTANTS } from "./test/mutants/list.ts";

const SOURCE = join(dirname(fileURLToPath(import.meta.url)), "src");
const MARK = "?mutant=";

/** Makes `src/index.ts?mutant=<id>` the package with one mistake planted in all of its files. */
const mutants = {
  name: "mutants",
  enforce: "pre" as const,
  async resolveId(
    this: {
      resolve(id: string, from?: string, how?: object): Promise<{ id: string } | null>;
    },
    source: string,
    importer: string | undefined,
  ): Promise<string | undefined> {
    const id = mutantOf(source) ?? mutantOf(importer ?? "");
    if (id === undefined) return undefined;
    const found = await this.resolve(plain(source), plain(importer ?? ""), { skipSelf: true });
    return found?.id.startsWith(SOURCE) === true ? found.id + MARK + id : found?.id;
  },
  transform(code: string, id: string): string | undefined {
    const mutantId = mutantOf(id);
    if (mutantId === undefined) return undefined;
    const mutant = [...MUTANTS, ...MORE_MUTANTS].find((candidate) => candidate.id === mutantId);
    if (mutant === undefined) throw new Error(`no mutant is called ${mutantId}`);
    return applyPatches(mutant, basename(plain(id)), code);
  },
};

function mutantOf(id: string): string | undefined {
  const at = id.indexOf(MARK);
  return at === -1 ? undefined : id.slice(at + MARK.length);
}

function plain(id: string): string {
  const at = id.indexOf(MARK);
  return at === -1 ? id : id.slice(0, at);
}

export default defineProject({
  plugins: [mutants],
  test: { include: ["test/**/*.test.ts"] },
});
