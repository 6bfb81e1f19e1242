import { type StopSignal } from "@x/store";
import { keyText, sameBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { type TreeHandle } from "../tree/handle.ts";
import { type TreeRecord, type Version } from "../tree/layout.ts";
import { type Collectable, type CollectEpoch } from "./collect.ts";
import { type Finding, type SweepTotals } from "./sweep.ts";

/** An open tree, to be collected beside its updates. */
export function collectableTree(handle: TreeHandle): Collectable {
  const { source } = handle;
  return {
    store: handle.store,
    source: { ...source, context: { ...source.context, cache: undefined } },
    read: (reading, signal: StopSignal | undefined) => handle.readLong(reading, signal),
    // In the queue, so that no load is half done.
    begin: (quiet) => handle.queue.run(() => Promise.resolve(new TreeEpoch(handle, quiet))),
  };
}

/** The versions of one moment, pinned; and the nodes that were changed since. */
class TreeEpoch implements CollectEpoch {
  readonly roots: readonly (Uint8Array | undefined)[];
  readonly nodeCount: number;
  readonly #handle: TreeHandle;
  readonly #versions: readonly Version[];
  readonly #changed = new Set<string>();
  readonly #ends: (() => void)[] = [];
  readonly #reloadCount: number;
  /** The generation there is if nobody but this collection wrote since it began. */
  #quiet: number;

  constructor(handle: TreeHandle, quiet: number | undefined) {
    handle.assertOpen();
    const { record, versions } = handle.state;
    const { placeholder } = handle.options.scheme;
    this.#handle = handle;
    this.#quiet = quiet ?? record.generation;
    this.#reloadCount = handle.reloadCount;
    this.nodeCount = record.nodeCount;
    this.roots = versions.map(({ root }) => (sameBytes(root, placeholder) ? undefined : root));
    this.#versions = versions;
    for (const { sequence } of versions) {
      const pin = handle.pins.pin(sequence);
      this.#ends.push(() => pin.release());
    }
    this.#ends.push(handle.onNodeChanged((hash) => this.#changed.add(keyText(hash))));
  }

  get generation(): number {
    return this.#quiet;
  }

  get hasLostRoot(): boolean {
    const left = new Map(
      this.#handle.state.versions.map(({ sequence, root }) => [sequence, root] as const),
    );
    return this.#versions.some(({ sequence, root }) => !sameBytes(left.get(sequence), root));
  }

  async assertCurrent(cause: unknown): Promise<void> {
    this.#assertAlone();
    // In the queue, so that no write of its own is on its way.
    await this.#handle.queue.run(() => this.#handle.assertCurrent(cause));
  }

  async repair(findings: readonly Finding[]): Promise<readonly Finding[]> {
    return this.#handle.queue.run(async () => {
      this.#assertAlone();
      const own = findings.filter(({ hash }) => !this.#changed.has(keyText(hash)));
      if (own.length === 0) return own;
      const { record } = this.#handle.state;
      // Too many costs a read; too few would let nodes go that have a count. Settling makes it exact.
      const putCount = own.filter(({ repair }) => repair.type === "put").length;
      await this.#write(
        own.map(({ repair }) => repair),
        { runCountCount: record.runCountCount + putCount },
      );
      return own;
    });
  }

  async settle({ nodeCount, runCountCount }: SweepTotals): Promise<void> {
    await this.#handle.queue.run(async () => {
      this.#assertAlone();
      const { record } = this.#handle.state;
      if (record.generation !== this.#quiet) return;
      if (record.nodeCount === nodeCount && record.runCountCount === runCountCount) return;
      await this.#write([], { nodeCount, runCountCount });
    });
  }

  end(): void {
    for (const end of this.#ends) end();
  }

  /** What another writer has changed since is not known here. */
  #assertAlone(): void {
    if (this.#handle.reloadCount !== this.#reloadCount) throw conflict();
  }

  async #write(
    operations: Parameters<TreeHandle["repair"]>[0],
    counts: Partial<Pick<TreeRecord, "nodeCount" | "runCountCount">>,
  ): Promise<void> {
    const isQuiet = this.#handle.state.record.generation === this.#quiet;
    await this.#handle.repair(operations, counts);
    if (isQuiet) this.#quiet = this.#handle.state.record.generation;
  }
}

function conflict(): JellyfishError {
  return new JellyfishError("JELLYFISH_CONFLICT", "another writer has changed the tree");
}
