// What a built module reaches by imports, through all packages of the workspace.

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { parseSync } from "rolldown/utils";
import { publishedPackages } from "./workspace.mjs";

/**
 * Walks the imports of a module: its own files, and those of the workspace's packages, as far as they go.
 *
 * @param entry - absolute path of a built module
 * @returns the specifiers that leave the entry's package: `builtins` of Node, and `packages`, ours and others'
 */
export function reach(entry) {
  const builtins = new Set();
  const packages = new Set();
  const seen = new Set();
  const pending = [entry];
  while (pending.length > 0) {
    const file = pending.pop();
    if (seen.has(file)) continue;
    seen.add(file);
    for (const specifier of importsOf(file)) {
      if (isBuiltin(specifier)) builtins.add(specifier);
      else if (specifier.startsWith(".")) pending.push(join(dirname(file), specifier));
      else {
        packages.add(nameOf(specifier));
        const ours = targets.get(specifier);
        if (ours !== undefined) pending.push(ours);
      }
    }
  }
  return { builtins: [...builtins], packages: [...packages] };
}

const targets = new Map(
  publishedPackages().flatMap(({ entries }) =>
    entries.map(({ specifier, module }) => [specifier, module]),
  ),
);

/** `@x/hash` of `@x/hash/part`. */
function nameOf(specifier) {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function importsOf(file) {
  const { module } = parseSync(file, readFileSync(file, "utf8"));
  return [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
  ];
}
