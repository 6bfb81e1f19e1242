import { type Operation, type StopSignal, type Store } from "@x/store";
import { keyText, textKey } from "@x/store/adapter";

import { PATH_SIZE } from "../path.ts";
import { decodeRuns, encodeRuns, RUNS_KEY_SIZE, runsKey } from "../tree/layout.ts";
import { boundsOfPart, type Part } from "./marks.ts";

/** A record that should not be there, or not be like this. */
export interface Finding {
  /** `garbage`: no root needs the node. `run-count`: the count is another. */
  readonly kind: "garbage" | "run-count";
  /** The node. */
  readonly hash: Uint8Array<ArrayBuffer>;
  /** What makes it right. */
  readonly repair: Operation;
  /** Bytes that the repair frees, of key and value. */
  readonly byteCount: number;
}

/** What a walk over a part's records saw. */
export interface SweepTotals {
  nodeCount: number;
  /** Bytes of keys and values of all nodes seen. */
  byteCount: number;
  /** Run counts that are as they should be, or will be. */
  runCountCount: number;
}

/**
 * Compares the records of a part with its marks, in the order of the hashes.
 *
 * @param runs - from a marking of the same part
 * @yields what differs
 * @throws the signal's reason
 */
export async function* sweepPart(
  store: Pick<Store, "iterator">,
  part: Part,
  runs: ReadonlyMap<string, number>,
  { totals, signal }: { readonly totals: SweepTotals; readonly signal: StopSignal | undefined },
): AsyncGenerator<Finding, void, undefined> {
  const counted = new Set<string>();
  const { gte, lt } = boundsOfPart(part);
  const range = { ...(gte === undefined ? {} : { gte }), ...(lt === undefined ? {} : { lt }) };
  for await (const [key, value] of store.iterator(range)) {
    if (signal?.aborted === true) throw signal.reason;
    const isCount = key.length === RUNS_KEY_SIZE && key[PATH_SIZE] === 0;
    if (key.length !== PATH_SIZE && !isCount) continue;
    const hash = key.slice(0, PATH_SIZE);
    const text = keyText(hash);
    const expected = runs.get(text);
    const byteCount = key.length + value.length;
    if (isCount) {
      counted.add(text);
      if ((expected ?? 0) > 1) totals.runCountCount++;
      if (expected !== countIn(value)) yield countFinding(hash, expected ?? 0, byteCount);
    } else {
      totals.nodeCount++;
      totals.byteCount += byteCount;
      if (expected === undefined)
        yield {
          kind: "garbage",
          hash,
          repair: { type: "del", key },
          byteCount,
        };
    }
  }
  for (const [text, expected] of runs) {
    if (expected < 2 || counted.has(text)) continue;
    totals.runCountCount++;
    yield countFinding(textKey(text), expected, 0);
  }
}

/** A malformed count is no count at all: any other is right. */
function countIn(value: Uint8Array): number | undefined {
  try {
    return decodeRuns(value);
  } catch {
    return undefined;
  }
}

function countFinding(hash: Uint8Array<ArrayBuffer>, expected: number, byteCount: number): Finding {
  const key = runsKey(hash);
  if (expected < 2)
    return {
      kind: "run-count",
      hash,
      repair: { type: "del", key },
      byteCount,
    };
  return {
    kind: "run-count",
    hash,
    repair: { type: "put", key, value: encodeRuns(expected) },
    byteCount: 0,
  };
}
