import { type StopSignal } from "@x/store";
import { keyText, sameBytes } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { type TreeHandle } from "../tree/handle.ts";
import { type TreeRecord } from "../tree/layout.ts";
import { type Collectable, type CollectEpoch } from "./collect.ts";
import { type Finding, type SweepTotals } from "./sweep.ts";

/** An open tree, to be collected beside its updates. */
export function collectableTree(handle: TreeHandle): Collectable {
  const { source } = handle;
  const quiet = { generation: handle.state.record.generation };
  return {
    store: handle.store,
    source: { ...source, context: { ...source.context, cache: undefined } },
    read: (reading, signal: StopSignal | undefined) => handle.readLong(reading, signal),
    // In the queue, so that no load is half done.
    begin: () => handle.queue.run(() => Promise.resolve(new TreeEpoch(handle, quiet))),
  };
}

/** The versions of one moment, pinned; and the nodes that were changed since. */
class TreeEpoch implements CollectEpoch {
  readonly roots: readonly (Uint8Array | undefined)[];
  readonly nodeCount: number;
  readonly #handle: TreeHandle;
  readonly #changed = new Set<string>();
  readonly #ends: (() => void)[] = [];
  readonly #reloadCount: number;
  /** The generation there is if nobody but this collection wrote since it began. */
  readonly #quiet: { generation: number };

  constructor(handle: TreeHandle, quiet: { generation: number }) {
    handle.assertOpen();
    const { record, versions } = handle.state;
    const { placeholder } = handle.options.scheme;
    this.#handle = handle;
    this.#quiet = quiet;
    this.#reloadCount = handle.reloadCount;
    this.nodeCount = record.nodeCount;
    this.roots = versions.map(({ root }) => (sameBytes(root, placeholder) ? undefined : root));
    for (const { sequence } of versions) {
      const pin = handle.pins.pin(sequence);
      this.#ends.push(() => pin.release());
    }
    this.#ends.push(handle.onNodeChanged((hash) => this.#changed.add(keyText(hash))));
  }

  async repair(findings: readonly Finding[]): Promise<readonly Finding[]> {
    return this.#handle.queue.run(async () => {
      this.#assertAlone();
      const own = findings.filter(({ hash }) => !this.#changed.has(keyText(hash)));
      if (own.length === 0) return own;
      const { record } = this.#handle.state;
      const change = own.reduce((sum, { countRecordChange }) => sum + countRecordChange, 0);
      // Where counts are kept, the record must not say that there are none.
      const countMin = own.some(({ repair }) => repair.type === "put") ? 1 : 0;
      const runCountCount = Math.max(countMin, record.runCountCount + change);
      await this.#write(
        own.map(({ repair }) => repair),
        { runCountCount },
      );
      return own;
    });
  }

  async settle({ nodeCount, runCountCount }: SweepTotals): Promise<void> {
    await this.#handle.queue.run(async () => {
      this.#assertAlone();
      const { record } = this.#handle.state;
      if (record.generation !== this.#quiet.generation) return;
      if (record.nodeCount === nodeCount && record.runCountCount === runCountCount) return;
      await this.#write([], { nodeCount, runCountCount });
    });
  }

  end(): void {
    for (const end of this.#ends) end();
  }

  /** What another writer has changed since is not known here. */
  #assertAlone(): void {
    if (this.#handle.reloadCount !== this.#reloadCount)
      throw new JellyfishError("JELLYFISH_CONFLICT", "another writer has changed the tree");
  }

  async #write(
    operations: Parameters<TreeHandle["repair"]>[0],
    counts: Partial<Pick<TreeRecord, "nodeCount" | "runCountCount">>,
  ): Promise<void> {
    const isQuiet = this.#handle.state.record.generation === this.#quiet.generation;
    await this.#handle.repair(operations, counts);
    if (isQuiet) this.#quiet.generation = this.#handle.state.record.generation;
  }
}
