import { type Change, type NodePool } from "@x/btree";
import { sameBytes } from "@x/store/adapter";

import { type Codecs } from "../codec/codecs.ts";
import { type Conflict, decodeConflict, type MergeStrategy } from "./conflict.ts";
import { type KeyState, mergePatch, type PatchEntry } from "./merge-patch.ts";

/** The trees that a merge brings together. */
export interface MergeRoots {
  /** Of the merge bases. */
  readonly bases: readonly number[];
  readonly source: number;
  readonly target: number;
}

/** What a merge comes to. */
export interface MergedContent<K, V> {
  /** Keys in which the result differs from the target. */
  readonly changed: number;
  readonly conflictCount: number;
  /** Those of them that nobody has decided. */
  readonly unresolvedCount: number;
  /** The first of them. */
  readonly conflicts: readonly Conflict<K, V>[];
}

/** How {@link mergeContent} goes about it. */
export interface MergeContentOptions<K, V> {
  readonly strategy: MergeStrategy<K, V>;
  /** Most conflicts listed. */
  readonly conflictListMax: number;
}

/** Keys looked up in the target at a time, and changed in one edit. */
const CHUNK_COUNT = 512;

/**
 * Applies to the target what the source has and a base has not. Reads and changes what differs, not the map.
 *
 * @param apply - takes the changes of the target, in the order of keys, some at a time
 */
export async function mergeContent<K, V>(
  pool: NodePool,
  codecs: Codecs<K, V>,
  { bases, source, target }: MergeRoots,
  options: MergeContentOptions<K, V>,
  apply: (changes: readonly Change[]) => Promise<void>,
): Promise<MergedContent<K, V>> {
  const merging = new Merging(codecs, options);
  const reader = pool.snapshot(target);
  try {
    let chunk: PatchEntry[] = [];
    const settle = async (): Promise<void> => {
      const states = await reader.getMany(chunk.map(({ key }) => key));
      const changes = await merging.settle(chunk, states);
      chunk = [];
      if (changes.length > 0) await apply(changes);
    };
    for await (const entry of mergePatch(pool, bases, source)) {
      chunk.push(entry);
      if (chunk.length === CHUNK_COUNT) await settle();
    }
    if (chunk.length > 0) await settle();
  } finally {
    reader.release();
  }
  return merging.result();
}

/** Decides key by key, and counts. */
class Merging<K, V> {
  readonly #codecs: Codecs<K, V>;
  readonly #options: MergeContentOptions<K, V>;
  readonly #conflicts: Conflict<K, V>[] = [];
  #changed = 0;
  #conflictCount = 0;
  #unresolvedCount = 0;

  constructor(codecs: Codecs<K, V>, options: MergeContentOptions<K, V>) {
    this.#codecs = codecs;
    this.#options = options;
  }

  async settle(entries: readonly PatchEntry[], states: readonly KeyState[]): Promise<Change[]> {
    const changes: Change[] = [];
    for (const [i, entry] of entries.entries()) {
      const target = states[i];
      if (sameBytes(entry.source, target)) continue;
      const result = isOneSided(entry, target) ? entry.source : await this.#decide(entry, target);
      if (sameBytes(result, target)) continue;
      this.#changed++;
      changes.push(changeTo(entry.key, result));
    }
    return changes;
  }

  result(): MergedContent<K, V> {
    return {
      changed: this.#changed,
      conflictCount: this.#conflictCount,
      unresolvedCount: this.#unresolvedCount,
      conflicts: this.#conflicts,
    };
  }

  async #decide(entry: PatchEntry, target: KeyState): Promise<KeyState> {
    const { strategy, conflictListMax } = this.#options;
    this.#conflictCount++;
    const isListed = this.#conflicts.length < conflictListMax;
    if (isListed) this.#conflicts.push(decodeConflict(this.#codecs, entry, target));
    if (strategy === "source") return entry.source;
    if (strategy === "target") return target;
    if (strategy === "fail") {
      this.#unresolvedCount++;
      return target;
    }
    const resolution = await strategy(decodeConflict(this.#codecs, entry, target));
    if (typeof resolution === "object" && resolution !== null)
      return this.#codecs.value.encode(resolution.value);
    switch (resolution) {
      case "source":
        return entry.source;
      case "target":
        return target;
      case "delete":
        return undefined;
      case "unresolved":
        this.#unresolvedCount++;
        return target;
      default:
        throw new TypeError(`a resolver gave ${String(resolution)}, which is no resolution`);
    }
  }
}

/** Whether only the source changed the key, as all bases say. */
function isOneSided({ bases }: PatchEntry, target: KeyState): boolean {
  return bases.every((base) => sameBytes(base, target));
}

function changeTo(key: Uint8Array, state: KeyState): Change {
  return state === undefined ? { type: "del", key } : { type: "put", key, value: state };
}
