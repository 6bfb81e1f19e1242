import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Random } from "@x/testing";
import { ClassicLevel } from "classic-level";

/** Files that LevelDB itself wrote, by name, and the operations that were in its batches, in order. */
export interface Written {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly operations: readonly WrittenOperation[];
}

export interface WrittenOperation {
  readonly type: "put" | "del";
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface WrittenOptions {
  readonly seed: number;
  readonly batchCount: number;
  readonly valueSizeMax: number;
  readonly compression?: boolean;
  /** Moves everything into tables. */
  readonly compact?: boolean;
}

/** Lets LevelDB write some batches of operations with pieces that repeat, so that there is something to compress. */
export async function writtenByLevel(options: WrittenOptions): Promise<Written> {
  const folder = mkdtempSync(join(tmpdir(), "written-"));
  const random = new Random(options.seed);
  const operations: WrittenOperation[] = [];
  const { compression = true } = options;
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: "view",
    valueEncoding: "view",
    compression,
  });
  try {
    await database.open();
    for (let i = 0; i < options.batchCount; i++) {
      const batch = Array.from({ length: random.between(1, 5) }, () => ({
        type: random.chance(0.8) ? ("put" as const) : ("del" as const),
        key: random.bytes(random.between(1, 20)),
        value: repeating(random, random.below(options.valueSizeMax)),
      }));
      operations.push(...batch);
      await database.batch(batch);
    }
    if (options.compact === true)
      await database.compactRange(Uint8Array.of(0), new Uint8Array(30).fill(255));
    await database.close();
    const names = readdirSync(folder);
    return {
      files: new Map(names.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))])),
      operations,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The file with this ending, of which there must be one. */
export function fileOf({ files }: Written, ending: RegExp): Uint8Array {
  const [found, ...others] = [...files].filter(([name]) => ending.test(name));
  if (found === undefined || others.length > 0)
    throw new Error(`${others.length + Number(found !== undefined)} files match ${String(ending)}`);
  return found[1];
}

/** Random pieces, each a few times. */
function repeating(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size;) {
    const piece = random.bytes(random.between(1, 100));
    for (let times = random.between(1, 4); times > 0 && at < size; times--) {
      bytes.set(piece.subarray(0, size - at), at);
      at += piece.length;
    }
  }
  return bytes;
}
