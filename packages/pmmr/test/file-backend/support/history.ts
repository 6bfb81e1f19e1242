import type { FileSystem } from "@x/append-only-file";
import fc from "fast-check";
import { bytesCodec, type ElementCodec } from "../../../src/codec.ts";
import type { MmrHashing } from "../../../src/hashing.ts";
import {
  openPmmr,
  type OpenPmmrOptions,
  type PmmrFolder,
} from "../../../src/file-backend/index.ts";
import { leafPosition } from "../../../src/position.ts";
import { NaiveStore, sizeOfLeaves } from "./naive-store.ts";

/** What can happen to a range, as plain data. Numbers are taken modulo what there is. */
export type Step =
  | { readonly do: "push"; readonly count: number; readonly many: boolean }
  | { readonly do: "spend"; readonly leaves: readonly number[] }
  | { readonly do: "rewind"; readonly leaves: number; readonly restored: readonly number[] }
  | { readonly do: "pushPruned"; readonly height: number }
  | { readonly do: "commit"; readonly sync: boolean; readonly wait: boolean }
  | {
      readonly do: "compact";
      readonly horizon: number;
      readonly restorable: readonly number[];
    }
  | { readonly do: "discard" }
  | { readonly do: "checkpoint" }
  | { readonly do: "reopen"; readonly handOver: boolean }
  | { readonly do: "snapshot"; readonly id: number }
  | { readonly do: "useSnapshot"; readonly id: number };

/** What kind of range a history is about. */
export interface Kind {
  readonly prunable: boolean;
  readonly variable: boolean;
}

const some = (max: number): fc.Arbitrary<number[]> =>
  fc.array(fc.nat(255), { minLength: 1, maxLength: max });

/** Steps, appends and spends being the most frequent. */
export const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("push" as const),
      count: fc.integer({ min: 1, max: 9 }),
      many: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("spend" as const), leaves: some(10) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("rewind" as const),
      leaves: fc.nat(255),
      restored: fc.array(fc.nat(255), { maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("pushPruned" as const), height: fc.nat(3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("commit" as const),
      sync: fc.boolean(),
      wait: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("compact" as const),
      horizon: fc.nat(255),
      restorable: fc.array(fc.nat(255), { maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("discard" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("checkpoint" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("reopen" as const), handOver: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("snapshot" as const), id: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("useSnapshot" as const), id: fc.nat(1) }) },
);

/** Records whose first byte is their length, so that they can be told apart in a row. */
export const variableCodec: ElementCodec<Uint8Array, Uint8Array> = {
  ...bytesCodec(),
  recordSizeAt: (bytes, offset) => bytes[offset],
};

export const fixedCodec: ElementCodec<Uint8Array, Uint8Array> = bytesCodec(5);

/** The element with a number, in a kind of range: different numbers, different bytes. */
export function element(number: number, kind: Kind): Uint8Array {
  const size = kind.variable ? 3 + (number % 7) : 5;
  const bytes = new Uint8Array(size).fill(size);
  bytes[1] = number;
  bytes[2] = Math.floor(number / 256);
  return bytes;
}

/** Steps that come after all commits called before. */
const WAITING: ReadonlySet<Step["do"]> = new Set(["compact", "checkpoint", "reopen"]);

/** Carries steps out on a folder and on the naive store, side by side. Steps that do not apply are passed over. */
export class Twin {
  readonly kind: Kind;
  readonly fs: FileSystem;
  readonly #options: Partial<OpenPmmrOptions<Uint8Array, Uint8Array>>;
  #folder: PmmrFolder<Uint8Array, Uint8Array>;
  naive: NaiveStore;
  committed: NaiveStore;
  #snapshots = new Map<string, readonly number[]>();
  #next = 0;
  #hasChanged = false;
  readonly #inFlight: Promise<void>[] = [];

  private constructor(
    fs: FileSystem,
    kind: Kind,
    options: Partial<OpenPmmrOptions<Uint8Array, Uint8Array>>,
    folder: PmmrFolder<Uint8Array, Uint8Array>,
  ) {
    this.fs = fs;
    this.kind = kind;
    this.#options = options;
    this.#folder = folder;
    this.naive = new NaiveStore(kind, options.hashing);
    this.committed = this.naive.clone();
  }

  static async open(
    fs: FileSystem,
    kind: Kind,
    options: Partial<OpenPmmrOptions<Uint8Array, Uint8Array>> = {},
  ): Promise<Twin> {
    return new Twin(fs, kind, options, await openKind(fs, kind, options));
  }

  get folder(): PmmrFolder<Uint8Array, Uint8Array> {
    return this.#folder;
  }

  /** Whether anything was written since the last commit. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Calls a commit; the state is sealed when this returns. */
  commitNow(sync: boolean): Promise<void> {
    const done = this.#folder.commit({ sync });
    this.#inFlight.push(done);
    // Who awaits it later hears of a failure; until then nobody has to.
    done.catch(() => undefined);
    this.#settle();
    return done;
  }

  /** Waits for the commits that were called and not awaited. */
  async idle(): Promise<void> {
    await Promise.all(this.#inFlight.splice(0));
  }

  /** Carries a step out; says whether it applied. */
  async apply(one: Step): Promise<boolean> {
    if (WAITING.has(one.do)) await this.idle();
    switch (one.do) {
      case "push":
        return this.#push(one.count, one.many);
      case "spend":
        return this.#spend(one.leaves);
      case "rewind":
        return this.#rewind(one.leaves, one.restored);
      case "pushPruned":
        return this.#pushPruned(one.height);
      case "commit":
        if (one.wait) {
          await this.#folder.commit({ sync: one.sync });
          return this.#settle();
        }
        void this.commitNow(one.sync);
        return true;
      case "compact":
        return this.#compact(one.horizon, one.restorable);
      case "discard":
        this.#folder.discard();
        this.naive = this.committed.clone();
        this.#hasChanged = false;
        return true;
      case "checkpoint":
        await this.#folder.checkpoint();
        return true;
      case "reopen":
        return this.#reopen(one.handOver);
      case "snapshot":
        return this.#snapshot(one.id);
      case "useSnapshot":
        return this.#useSnapshot(one.id);
    }
  }

  /** The state that a compaction would leave, which needs everything committed. */
  afterCompaction(horizon: number, restorable: readonly number[]): NaiveStore {
    const { cutoff, kept } = this.#compaction(horizon, restorable);
    const after = this.naive.clone();
    after.compact(cutoff, kept);
    return after;
  }

  #compaction(
    horizon: number,
    restorable: readonly number[],
  ): { readonly cutoff: number; readonly kept: number[] } {
    const { size, leafCount } = this.naive;
    const kept = leafCount === 0 ? [] : restorable.map((i) => leafPosition(i % leafCount));
    return { cutoff: horizon % (size + 1), kept };
  }

  #push(count: number, many: boolean): boolean {
    const elements: Uint8Array[] = [];
    for (let i = 0; i < count; i++) elements.push(element(this.#next++, this.kind));
    if (many) this.#folder.pmmr.pushMany(elements);
    else for (const one of elements) this.#folder.pmmr.push(one);
    for (const one of elements) this.naive.push(one);
    this.#hasChanged = true;
    return true;
  }

  #spend(leaves: readonly number[]): boolean {
    const { leafCount } = this.naive;
    if (!this.kind.prunable || leafCount === 0) return false;
    for (const number of leaves) {
      const index = number % leafCount;
      const wasUnspent = this.naive.spend(index);
      if (this.#folder.pmmr.prune(leafPosition(index)) !== wasUnspent) throw new Error("spend");
      this.#hasChanged ||= wasUnspent;
    }
    return true;
  }

  #rewind(number: number, restored: readonly number[]): boolean {
    const leafCount = number % (this.naive.leafCount + 1);
    const spent = restored
      .map((index) => index % (this.naive.leafCount + 1))
      .filter((i) => i < leafCount && !this.naive.isUnspent(i) && !this.naive.isPruned(i));
    const indexes = this.kind.prunable ? [...new Set(spent)] : [];
    const rewind = (): void => {
      this.#folder.pmmr.rewind(sizeOfLeaves(leafCount), indexes.map(leafPosition));
    };
    if (!this.naive.canRewind(leafCount)) {
      mustThrow("PMMR_COMPACTED", rewind);
      return false;
    }
    rewind();
    this.#hasChanged ||= leafCount < this.naive.leafCount || indexes.length > 0;
    this.naive.rewind(leafCount, indexes);
    return true;
  }

  #pushPruned(height: number): boolean {
    const { leafCount } = this.naive;
    const leaves = 2 ** height;
    const left = leafCount - 1;
    // A single leaf only next to one that is pruned too: alone it would have to keep a record.
    const isLone = height === 0 && !(leafCount % 2 === 1 && this.naive.isPruned(left));
    if (!this.kind.prunable || leafCount % leaves !== 0 || isLone) return false;
    const hidden = Array.from({ length: leaves }, () => element(this.#next++, this.kind));
    const { pos0, hash } = this.naive.pushPruned(hidden);
    this.#folder.pmmr.pushPrunedSubtree(hash, pos0);
    this.#hasChanged = true;
    return true;
  }

  async #compact(horizon: number, restorable: readonly number[]): Promise<boolean> {
    if (!this.kind.prunable) return false;
    if (this.#hasChanged) await this.apply({ do: "commit", sync: true, wait: true });
    const { cutoff, kept } = this.#compaction(horizon, restorable);
    await this.#folder.compact({ horizon: cutoff, restorable: kept });
    this.naive.compact(cutoff, kept);
    return this.#settle();
  }

  async #reopen(handOver: boolean): Promise<boolean> {
    await this.#folder.close({ handOver });
    this.#folder = await openKind(this.fs, this.kind, this.#options);
    this.naive = this.committed.clone();
    this.#hasChanged = false;
    return true;
  }

  async #snapshot(id: number): Promise<boolean> {
    if (!this.kind.prunable) return false;
    const name = `00000000000${id}`;
    await this.#folder.writeSnapshot(name);
    this.#snapshots.set(name, this.naive.unspentPositions1());
    return true;
  }

  #useSnapshot(id: number): boolean {
    const name = `00000000000${id}`;
    const unspent = this.#snapshots.get(name);
    if (unspent === undefined) return false;
    const leaves = unspent.map((pos1) => this.naive.leafAt(pos1 - 1));
    const fits = leaves.every((leaf) => leaf !== undefined && !this.naive.isPruned(leaf));
    if (!fits) {
      mustThrow("PMMR_DAMAGED", () => this.#folder.useSnapshot(name));
      return false;
    }
    this.#folder.useSnapshot(name);
    this.naive.useUnspent(new Set(leaves));
    this.#hasChanged = true;
    return true;
  }

  #settle(): boolean {
    this.committed = this.naive.clone();
    this.#hasChanged = false;
    return true;
  }
}

export async function openKind(
  fs: FileSystem,
  kind: Kind,
  options: Partial<OpenPmmrOptions<Uint8Array, Uint8Array>> = {},
): Promise<PmmrFolder<Uint8Array, Uint8Array>> {
  const codec = kind.variable ? variableCodec : fixedCodec;
  return openPmmr(fs, { codec, prunable: kind.prunable, ...options });
}

/** The code of what an action throws must be this one. */
export function mustThrow(code: string, action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === code) return;
    throw error;
  }
  throw new Error(`${code} was not thrown`);
}

export type { MmrHashing };
