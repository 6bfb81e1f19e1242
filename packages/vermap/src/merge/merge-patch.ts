import { type Difference, EMPTY_ROOT, type NodePool } from "@x/btree";
import { compareBytes } from "@x/store/adapter";

/** What a key holds somewhere; `undefined`: it is not there. */
export type KeyState = Uint8Array | undefined;

/** One key in which the source differs from a base. */
export interface PatchEntry {
  readonly key: Uint8Array;
  readonly source: KeyState;
  /** What it held in each base, in their order. */
  readonly bases: readonly KeyState[];
}

/**
 * What a merge brings into its target: every key in which the source differs from one of the bases at least, in order. Costs
 * what differs. Where there is no base, everything in the source is new.
 *
 * @param bases - their roots
 * @yields keys, ascending
 */
export async function* mergePatch(
  pool: NodePool,
  bases: readonly number[],
  sourceRoot: number,
): AsyncGenerator<PatchEntry, undefined, undefined> {
  const roots = bases.length === 0 ? [EMPTY_ROOT] : [...new Set(bases)];
  const places = (bases.length === 0 ? [EMPTY_ROOT] : bases).map((root) => roots.indexOf(root));
  const sides = roots.map((root) => new Side(pool, root, sourceRoot));
  try {
    for (const side of sides) await side.advance();
    for (;;) {
      const key = leastKey(sides);
      if (key === undefined) return undefined;
      const differences = sides.map(({ head }) =>
        head !== undefined && compareBytes(head.key, key) === 0 ? head : undefined,
      );
      const source = sourceOf(differences);
      // A base without a difference has what the source has.
      const states = differences.map((one) => (one === undefined ? source : oldOf(one)));
      for (const [i, side] of sides.entries())
        if (differences[i] !== undefined) await side.advance();
      yield { key, source, bases: places.map((place) => states[place]) };
    }
  } finally {
    for (const side of sides) await side.end();
  }
}

/** The differences of one base, the next one at hand. */
class Side {
  head: Difference | undefined;
  readonly #differences: AsyncIterator<Difference, undefined>;

  constructor(pool: NodePool, base: number, source: number) {
    const snapshot = pool.snapshot(base);
    this.#differences = snapshot.diff(source);
    snapshot.release();
  }

  async advance(): Promise<void> {
    this.head = (await this.#differences.next()).value;
  }

  async end(): Promise<void> {
    await this.#differences.return?.();
  }
}

function leastKey(sides: readonly Side[]): Uint8Array | undefined {
  let least: Uint8Array | undefined;
  for (const { head } of sides)
    if (head !== undefined && (least === undefined || compareBytes(head.key, least) < 0))
      least = head.key;
  return least;
}

/** All of them are differences to the same source. */
function sourceOf(differences: readonly (Difference | undefined)[]): KeyState {
  const one = differences.find((difference) => difference !== undefined);
  return one === undefined || one.type === "removed" ? undefined : one.value;
}

function oldOf(difference: Difference): KeyState {
  return difference.type === "added" ? undefined : difference.oldValue;
}
