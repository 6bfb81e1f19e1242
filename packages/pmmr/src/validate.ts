import { equalBytes } from "@x/hash";
import type { ElementCodec } from "./codec.ts";
import { PmmrError } from "./errors.ts";
import type { MmrHashing } from "./hashing.ts";
import { digestAt, hashInners, hashLeaves, type InnerNode } from "./levels.ts";
import { family, heightOf } from "./position.ts";
import { endStep, type LongOptions } from "./progress.ts";

/** What is wrong at a position. */
export interface DamagedNode {
  readonly pos0: number;
  /**
   * - `"hash"`: an inner node's hash does not follow from its children
   * - `"element"`: a leaf's hash does not follow from its record
   * - `"unreadable"`: a record that the codec refuses
   * - `"missing-hash"`, `"missing-record"`: not stored, though it was not compacted away
   */
  readonly kind: "hash" | "element" | "unreadable" | "missing-hash" | "missing-record";
}

/** How to validate. Progress counts positions. */
export interface ValidateOptions extends LongOptions {
  /** Called for everything that is wrong, in packs. Default: the first finding ends the validation with PMMR_DAMAGED. */
  readonly onDamage?: (damaged: DamagedNode) => void;
}

/** What a validation covered. */
export interface ValidationReport {
  /** Inner nodes whose hash was recomputed. */
  readonly innerCount: number;
  /** Leaves whose hash was recomputed from the record. */
  readonly leafCount: number;
  /** Stored leaves whose record does not determine the hash, or is not kept. */
  readonly leafCountUnchecked: number;
  readonly damagedCount: number;
}

/** What is validated. */
export interface ValidateSource {
  /** Nodes to look at. */
  readonly size: number;
  readonly codec: Pick<ElementCodec<never, unknown>, "load" | "storedHashForm">;
  readonly hashing: MmrHashing;
  hashAt(pos0: number): Uint8Array | undefined;
  recordAt(pos0: number): Uint8Array | undefined;
  /** Also of nodes beyond `size`: a subtree that was compacted as a whole may reach further than a view does. */
  isCompacted(pos0: number): boolean;
}

/** An inner node whose hash and both children are stored. */
interface StoredInner extends InnerNode {
  readonly hash: Uint8Array;
}

/** Positions looked at between two turns. */
const STEP_POSITIONS = 2048;

/**
 * Recomputes every stored hash; see `PmmrView.validate`. Positions are visited in ascending order with the hashes of complete
 * subtrees on a stack, so every hash is read once and memory stays at one step and one hash per height.
 *
 * @param hashOnly - whether records are not kept
 */
export async function validateNodes(
  source: ValidateSource,
  hashOnly: boolean,
  options: ValidateOptions,
): Promise<ValidationReport> {
  const walk = new Walk(source, hashOnly);
  const { size } = source;
  await endStep(options, 0, size);
  let damagedCount = 0;
  for (let pos0 = 0; pos0 < size;) {
    pos0 = walk.step(pos0, Math.min(size, pos0 + STEP_POSITIONS));
    for (const damaged of walk.takeDamaged()) {
      damagedCount++;
      if (options.onDamage === undefined) throw damage(damaged);
      options.onDamage(damaged);
    }
    await endStep(options, Math.min(pos0, size), size);
  }
  const { innerCount, leafCount, leafCountUnchecked } = walk;
  return { innerCount, leafCount, leafCountUnchecked, damagedCount };
}

/** One pass over the positions of a range. */
class Walk {
  innerCount = 0;
  leafCount = 0;
  leafCountUnchecked = 0;
  readonly #source: ValidateSource;
  readonly #hashOnly: boolean;
  /** Hash of each complete subtree that has no parent yet; `undefined` where it is missing. */
  readonly #subtrees: (Uint8Array | undefined)[] = [];
  #leaves: { readonly pos0: number; readonly hash: Uint8Array; readonly hashForm: Uint8Array }[] =
    [];
  #inners: StoredInner[] = [];
  #damaged: DamagedNode[] = [];
  /** For damaged nodes whose parent is still to be checked: what their hash should be. */
  readonly #recomputed = new Map<number, Uint8Array>();

  constructor(source: ValidateSource, hashOnly: boolean) {
    this.#source = source;
    this.#hashOnly = hashOnly;
  }

  /** Checks the positions in `[begin, end)` and those under a compacted root that begins there; where to go on. */
  step(begin: number, end: number): number {
    let pos0 = begin;
    while (pos0 < end) {
      if (heightOf(pos0) !== 0) {
        this.#visitInner(pos0);
      } else {
        const root = this.#compactedRoot(pos0);
        if (root === pos0) this.#visitLeaf(pos0);
        else if (root < this.#source.size) this.#subtrees.push(this.#hashAt(root));
        pos0 = root;
      }
      pos0++;
    }
    this.#checkLeaves();
    this.#checkInners();
    for (const damaged of this.#recomputed.keys()) {
      if (family(damaged).parent < pos0) this.#recomputed.delete(damaged);
    }
    return pos0;
  }

  /** What the last step found, by position. */
  takeDamaged(): DamagedNode[] {
    const damaged = this.#damaged.toSorted((a, b) => a.pos0 - b.pos0);
    this.#damaged = [];
    return damaged;
  }

  /** The root of the compacted subtree that begins with this leaf, maybe beyond the end; the leaf itself if there is none. */
  #compactedRoot(leaf: number): number {
    let root = leaf;
    if (!this.#source.isCompacted(leaf)) return root;
    for (;;) {
      const { parent } = family(root);
      if (!this.#source.isCompacted(parent)) return root;
      root = parent;
    }
  }

  #visitLeaf(pos0: number): void {
    const hash = this.#hashAt(pos0);
    this.#subtrees.push(hash);
    if (hash === undefined) return;
    const record = this.#source.recordAt(pos0);
    if (record === undefined) {
      if (this.#hashOnly) this.leafCountUnchecked++;
      else this.#damaged.push({ pos0, kind: "missing-record" });
      return;
    }
    const hashForm = this.#hashForm(pos0, record);
    if (hashForm !== undefined) this.#leaves.push({ pos0, hash, hashForm });
  }

  #hashForm(pos0: number, record: Uint8Array): Uint8Array | undefined {
    const { codec } = this.#source;
    try {
      const hashForm = codec.storedHashForm(codec.load(record));
      if (hashForm === undefined) this.leafCountUnchecked++;
      return hashForm;
    } catch {
      this.#damaged.push({ pos0, kind: "unreadable" });
      return undefined;
    }
  }

  #visitInner(pos0: number): void {
    const right = this.#subtrees.pop();
    const left = this.#subtrees.pop();
    const hash = this.#hashAt(pos0);
    this.#subtrees.push(hash);
    if (hash === undefined || left === undefined || right === undefined) return;
    this.#inners.push({ pos0, hash, left, right });
  }

  #hashAt(pos0: number): Uint8Array | undefined {
    const hash = this.#source.hashAt(pos0);
    if (hash === undefined) this.#damaged.push({ pos0, kind: "missing-hash" });
    return hash;
  }

  #checkLeaves(): void {
    const positions = this.#leaves.map((leaf) => leaf.pos0);
    const forms = this.#leaves.map((leaf) => leaf.hashForm);
    const digests = hashLeaves(this.#source.hashing, positions, forms);
    for (const [i, { pos0, hash }] of this.#leaves.entries()) {
      const digest = digestAt(digests, i);
      if (equalBytes(digest, hash)) continue;
      this.#damaged.push({ pos0, kind: "element" });
      this.#recomputed.set(pos0, digest);
    }
    this.leafCount += this.#leaves.length;
    this.#leaves = [];
  }

  #checkInners(): void {
    const digests = hashInners(this.#source.hashing, this.#inners);
    for (const [i, inner] of this.#inners.entries()) {
      const digest = digestAt(digests, i);
      if (equalBytes(digest, inner.hash) || this.#followsOtherwise(inner)) continue;
      this.#damaged.push({ pos0: inner.pos0, kind: "hash" });
      this.#recomputed.set(inner.pos0, digest);
    }
    this.innerCount += this.#inners.length;
    this.#inners = [];
  }

  /**
   * Whether the hash follows from what a damaged child should be. Then the child alone is wrong, and naming its parent too
   * would mislead.
   */
  #followsOtherwise({ pos0, hash, left, right }: StoredInner): boolean {
    const leftPos0 = pos0 - 2 ** heightOf(pos0);
    const lefts = [left, this.#recomputed.get(leftPos0) ?? left];
    const rights = [right, this.#recomputed.get(pos0 - 1) ?? right];
    return lefts.some((l) =>
      rights.some((r) => equalBytes(this.#source.hashing.hashInner(pos0, l, r), hash)),
    );
  }
}

function damage({ pos0, kind }: DamagedNode): PmmrError {
  const what = {
    hash: "does not follow from its children",
    element: "does not follow from its record",
    unreadable: "has a record that cannot be read",
    "missing-hash": "has no hash",
    "missing-record": "has no record",
  };
  return new PmmrError("PMMR_DAMAGED", `node at position ${pos0} ${what[kind]}`);
}
