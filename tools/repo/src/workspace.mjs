// What the repository's scripts know of the workspace: where it is, and which packages are published.

import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");

/**
 * Published packages, in the order of their folders: `directory` (absolute), `manifest`, and `entries`, one per
 * importable name with the file it stands for.
 */
export function publishedPackages() {
  return foldersIn(join(root, "packages")).flatMap((directory) => {
    const manifest = readManifest(directory);
    if (manifest === undefined) return [];
    const entries = Object.entries(manifest.exports)
      .filter(([path]) => path !== "./package.json")
      .map(([path, target]) => ({
        // "." is "index", "./file" is "file".
        id: path === "." ? "index" : path.slice(2).replaceAll("/", "-"),
        specifier: path === "." ? manifest.name : `${manifest.name}/${path.slice(2)}`,
        module: join(directory, target.default),
        declarations: join(directory, target.types),
        source: join(directory, target.default.replace("dist/", "src/").replace(/\.js$/, ".ts")),
      }));
    return [{ directory, name: manifest.name, manifest, entries }];
  });
}

/** Folders inside a folder, sorted; absolute paths. */
export function foldersIn(directory) {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(directory, entry.name))
    .toSorted();
}

/** The manifest of a folder, or `undefined` where there is none. */
export function readManifest(directory) {
  try {
    return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
