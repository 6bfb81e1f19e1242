import { type Operation, type Reading } from "@x/store";
import { keyText } from "@x/store/adapter";

import { JellyfishError } from "../errors.ts";
import { hexStart } from "../load.ts";
import { decodeRuns, encodeRuns, runsKey } from "../tree/layout.ts";

/** How many runs each node gains or loses by one change of the chain. */
export class RunChanges {
  readonly #changes = new Map<string, MutableChange>();

  /**
   * Adds to a node's change. Arguments are kept, not copied.
   *
   * @param bytes - the node's record, where it may not be stored yet
   */
  add(hash: Uint8Array, change: 1 | -1, bytes?: Uint8Array): void {
    const text = keyText(hash);
    const known = this.#changes.get(text);
    if (known === undefined) this.#changes.set(text, { hash, change, bytes });
    else {
      known.change += change;
      known.bytes ??= bytes;
    }
  }

  /** The nodes whose count does change. */
  settled(): Readonly<MutableChange>[] {
    return [...this.#changes.values()].filter(({ change }) => change !== 0);
  }
}

interface MutableChange {
  readonly hash: Uint8Array;
  change: number;
  bytes: Uint8Array | undefined;
}

/** What is known before reading; each spares reads. */
export interface LedgerKnowledge {
  /** No node that gains runs is stored yet. */
  readonly gainsAreNew: boolean;
  /** No run count is stored: every stored node has one run. */
  readonly countsAreOne: boolean;
}

/** What a change of the chain writes. */
export interface LedgerEntries {
  readonly operations: Operation[];
  /** By how much the stored nodes grow or shrink. */
  readonly nodeCountChange: number;
  readonly runCountCountChange: number;
  /** Nodes that are written, and bytes of their records. */
  readonly writtenCount: number;
  readonly writtenByteCount: number;
  readonly deletedCount: number;
}

/**
 * Turns changes of runs into operations: nodes that get their first run are written, nodes that lose their last are
 * deleted, counts other than 1 are kept beside the node. One read of the records that are not known.
 *
 * @throws JellyfishError JELLYFISH_MISSING_NODE if a node that loses runs is not stored with as many, or a node that gains its
 *   first has no record
 * @yields keys of nodes and of run counts
 */
export function* settleRuns(
  changes: RunChanges,
  knowledge: LedgerKnowledge,
): Reading<LedgerEntries> {
  const settled = changes.settled();
  const known = yield* readCounts(settled, knowledge);
  const operations: Operation[] = [];
  const sum = { nodes: 0, counts: 0, written: 0, bytes: 0, deleted: 0 };
  for (const [index, { hash, change, bytes }] of settled.entries()) {
    const before = known[index] as number;
    const after = before + change;
    if (after < 0) throw missing(hash, "has fewer runs than it loses");
    if (before === 0) {
      if (bytes === undefined) throw missing(hash, "is neither stored nor new");
      operations.push({ type: "put", key: hash, value: bytes });
      sum.nodes++;
      sum.written++;
      sum.bytes += bytes.length;
    }
    if (after === 0) {
      operations.push({ type: "del", key: hash });
      sum.nodes--;
      sum.deleted++;
    }
    if (after > 1) operations.push({ type: "put", key: runsKey(hash), value: encodeRuns(after) });
    else if (before > 1) operations.push({ type: "del", key: runsKey(hash) });
    sum.counts += Number(after > 1) - Number(before > 1);
  }
  return {
    operations,
    nodeCountChange: sum.nodes,
    runCountCountChange: sum.counts,
    writtenCount: sum.written,
    writtenByteCount: sum.bytes,
    deletedCount: sum.deleted,
  };
}

// Runs each node has now. A node that loses runs is stored; one that gains some may be.
function* readCounts(
  settled: readonly { readonly hash: Uint8Array; readonly change: number }[],
  { gainsAreNew, countsAreOne }: LedgerKnowledge,
): Reading<number[]> {
  const mayBeNew = settled.map(({ change }) => change > 0 && !gainsAreNew);
  const nodeKeys = settled.flatMap(({ hash }, index) => (mayBeNew[index] === true ? [hash] : []));
  const countKeys = countsAreOne
    ? []
    : settled.flatMap(({ hash, change }) => (change < 0 || !gainsAreNew ? [runsKey(hash)] : []));
  const values = nodeKeys.length + countKeys.length === 0 ? [] : yield [...nodeKeys, ...countKeys];
  let nodeAt = 0;
  let countAt = nodeKeys.length;
  return settled.map(({ change }, index) => {
    if (change > 0 && gainsAreNew) return 0;
    const count = countsAreOne ? 1 : decodeRuns(values[countAt++]);
    return mayBeNew[index] === true && values[nodeAt++] === undefined ? 0 : count;
  });
}

function missing(hash: Uint8Array, found: string): JellyfishError {
  return new JellyfishError("JELLYFISH_MISSING_NODE", `node ${hexStart(hash)}… ${found}`);
}
