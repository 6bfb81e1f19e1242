#!/usr/bin/env node
// Prints what each entry of each package weighs in a bundle, and fails where a promised limit is passed.
//
//   node tools/repo/src/size.mjs
//
// A bundle holds the entry, everything it needs from other packages, minified, tree-shaken; Node's own modules and
// optional peers stay outside. Run after a build.

import { existsSync } from "node:fs";
import { isBuiltin } from "node:module";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { publishedPackages } from "./workspace.mjs";

/** What a light client takes, as the imports it would write, with the promised limit in bytes after gzip. */
const PROMISES = [
  {
    name: "@x/pmmr/verify with its hash",
    imports: { "@x/pmmr/verify": "*", "@x/hash": "blake2b256" },
    limit: 8000,
  },
  {
    name: "@x/jellyfish/verify with its hash",
    imports: {
      "@x/jellyfish/verify":
        "jmtSha256, JellyfishError, verifyInclusion, verifyExclusion, verifyExclusionByNeighbours, verifyRange, verifyBatch, " +
        "verifyUpdate, updatedRoot, insertByProof, decodePathProof, decodeRangeProof, decodePartialTree",
    },
    limit: 8000,
  },
  {
    name: "@x/trie/verify, Patricia",
    imports: {
      "@x/trie/verify":
        "TrieError, verifyMpt, verifyMptInclusion, verifyMptExclusion, verifyMptBatch, verifyMptRange, decodeMptProof, " +
        "decodeMptBatchProof, decodeMptRangeProof",
    },
    limit: 8000,
  },
  {
    name: "@x/trie/verify, sparse",
    imports: {
      "@x/trie/verify":
        "TrieError, verifySmt, verifySmtInclusion, verifySmtExclusion, verifySmtBatch, decodeSmtProof, decodeSmtBatchProof",
    },
    limit: 8000,
  },
  { name: "@x/hash, blake2b256 alone", imports: { "@x/hash": "blake2b256" }, limit: 5000 },
  { name: "@x/hash/wasm", imports: { "@x/hash/wasm": "*" }, limit: 15_000 },
];

const packages = publishedPackages();
const targets = new Map(
  packages.flatMap(({ entries }) => entries.map(({ specifier, module }) => [specifier, module])),
);
const peers = new Set(
  packages.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {})),
);

let failed = false;
for (const [specifier, module] of targets) {
  if (existsSync(module)) report(specifier, await weigh({ [specifier]: "*" }));
  else {
    process.stdout.write(`${specifier.padEnd(34)}  is not built\n`);
    failed = true;
  }
}
for (const { name, imports, limit } of PROMISES) {
  const size = await weigh(imports);
  const isOver = size.gzip > limit;
  report(name, size, `limit ${format(limit)}${isOver ? ", passed" : ""}`);
  failed ||= isOver;
}
process.exitCode = failed ? 1 : 0;

function report(name, { raw, gzip }, note = "") {
  const columns = [name.padEnd(34), format(raw).padStart(9), format(gzip).padStart(9), note];
  process.stdout.write(`${columns.join("  ").trimEnd()}\n`);
}

/** Bundles a module that re-exports `imports` (names by specifier, `*` for all) and measures it. */
async function weigh(imports) {
  const code = Object.entries(imports)
    .map(([specifier, names]) => {
      const clause = names === "*" ? "*" : `{ ${names} }`;
      return `export ${clause} from ${JSON.stringify(specifier)};`;
    })
    .join("\n");
  const bundle = await rolldown({
    input: "entry",
    external: (id) => isBuiltin(id) || peers.has(id),
    logLevel: "warn",
    plugins: [
      {
        name: "entry",
        resolveId: (id) => (id === "entry" ? "\0entry" : targets.get(id)),
        load: (id) => (id === "\0entry" ? code : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const text = output.map((chunk) => chunk.code ?? "").join("");
  return { raw: Buffer.byteLength(text), gzip: gzipSync(text, { level: 9 }).length };
}

function format(bytes) {
  return `${bytes.toLocaleString("en-US")} B`;
}
