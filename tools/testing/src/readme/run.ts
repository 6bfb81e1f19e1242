import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Fence } from "./fence.ts";
import { importsOf, instrument } from "./instrument.ts";

/** How examples find what they import. */
export interface ReadmeOptions {
  /**
   * Path or URL of the module that an import specifier stands for; `undefined` leaves it to Node's resolution, which
   * starts at the Markdown file: a package's README can import the package by its name, and its dependencies.
   */
  readonly resolve?: (specifier: string) => string | URL | undefined;
  /** How long one example may take, in milliseconds. Default: 30,000. */
  readonly timeoutMs?: number;
}

/**
 * Runs one example to its end.
 *
 * @param file - path of the Markdown file
 * @returns what went wrong, or `undefined`
 */
export async function runFence(
  fence: Fence,
  file: string,
  options: ReadmeOptions = {},
): Promise<string | undefined> {
  const { module } = instrument(fence.code, {
    line: fence.line,
    checkUrl: new URL("check.js", import.meta.url).href,
    resolve: (specifier) => resolveFrom(specifier, file, options),
  });
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const main = join(folder, "example.mjs");
    writeFileSync(main, module);
    // A process of its own: top-level await, its own module graph, and no test runner that the reader does not have.
    await promisify(execFile)(process.execPath, ["--enable-source-maps", main], { cwd: folder });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return stderr === undefined || stderr === "" ? message : stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Checks the types of examples, all in one run of the compiler with the strict options.
 *
 * @param file - path of the Markdown file; the compiler is the one installed for its folder
 * @returns the compiler's messages, or `undefined` if there are none
 */
export async function typeCheckFences(
  fences: readonly Fence[],
  file: string,
  options: ReadmeOptions = {},
): Promise<string | undefined> {
  const require = createRequire(pathToFileURL(file));
  const specifiers = new Set(fences.flatMap((fence) => importsOf(fence.code)));
  const paths: Record<string, string[]> = {};
  for (const specifier of specifiers) {
    if (isBuiltin(specifier)) continue;
    paths[specifier] = [declarationsOf(specifier, file, options)];
  }
  const folder = mkdtempSync(join(tmpdir(), "readme-types-"));
  try {
    for (const { line, code } of fences) {
      // Blank lines in front make the compiler's line numbers those of the Markdown file.
      writeFileSync(join(folder, `line-${line}.ts`), "\n".repeat(line - 1) + code);
    }
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const nodeTypes = dirname(require.resolve("@types/node/package.json"));
    const compilerOptions = {
      ...COMPILER_OPTIONS,
      paths,
      typeRoots: [dirname(nodeTypes)],
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, include: ["*.ts"] }),
    );
    const compiler = join(dirname(require.resolve("typescript/package.json")), "bin/tsc");
    await promisify(execFile)(process.execPath, [compiler, "-p", folder, "--pretty", "false"]);
    return undefined;
  } catch (error) {
    const { stdout, message } = error as { stdout?: string; message: string };
    return stdout === undefined || stdout === "" ? message : stdout.replaceAll(folder, "");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The declarations beside a module, or else the folder of the installed package, which says where it keeps them. */
function declarationsOf(specifier: string, file: string, options: ReadmeOptions): string {
  const module = fileURLToPath(resolveFrom(specifier, file, options));
  const beside = module.replace(/\.([mc]?)js$/, ".d.$1ts");
  return existsSync(beside) ? beside : join(dirname(file), "node_modules", specifier);
}

/** Those of the workspace, without the ones about what is emitted. */
const COMPILER_OPTIONS = {
  target: "es2023",
  lib: ["es2023", "esnext.disposable"],
  module: "nodenext",
  moduleDetection: "force",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
  types: ["node"],
};

/** Packages that a fence says it needs and that are not installed. */
export function missingPackages(fence: Fence, file: string, options: ReadmeOptions = {}): string[] {
  return fence.words.flatMap((word) => {
    const [, needed] = /^needs=(.+)$/.exec(word) ?? [];
    if (needed === undefined) return [];
    try {
      resolveFrom(needed, file, options);
      return [];
    } catch {
      return [needed];
    }
  });
}

function resolveFrom(specifier: string, file: string, options: ReadmeOptions): string {
  if (isBuiltin(specifier)) return specifier;
  const given = options.resolve?.(specifier);
  if (given instanceof URL) return given.href;
  const path = given ?? createRequire(pathToFileURL(file)).resolve(specifier);
  return path.startsWith("file:") ? path : pathToFileURL(path).href;
}
