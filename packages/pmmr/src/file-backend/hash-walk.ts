import { equalBytes, toHex } from "@x/hash";
import type { ElementCodec } from "../codec.ts";
import type { PmmrProblem } from "../errors.ts";
import { bagPeaks, type MmrHashing } from "../hashing.ts";
import { heightOf, leftmostLeaf } from "../position.ts";
import { HASH_SIZE } from "../wire.ts";
import { reasonOf } from "./folder.ts";
import { DATA_FILE, HASH_FILE } from "./names.ts";
import type { PruneList } from "./prune-list.ts";

/**
 * Recomputes every stored hash and tells which stored record is wrong, not only where something does not fit.
 *
 * When a hash and what it should be made of disagree, either may be the damaged one. The parent knows: its own hash is made by
 * the right one of the two. So a node in doubt carries both readings upward, each with the damage it would mean, until a hash
 * above confirms one of them; for peaks that is the root. A node whose own making cannot be recomputed (a pruned root, or a
 * leaf whose record does not determine its hash) is the one to blame when everything else about its parent holds.
 *
 * One damaged record is always found exactly. Where several are damaged next to each other, at least one of them is named.
 * Nodes are visited in ascending order; memory is one entry per height.
 */
export class HashWalk {
  readonly #input: WalkInput;
  readonly #stack: Node[] = [];
  #found: PmmrProblem[] = [];
  /** Nodes of which everything that can be recomputed was. */
  hashCount = 0;
  recordCount = 0;

  constructor(input: WalkInput) {
    this.#input = input;
  }

  /** Problems found since the last call, in the order in which they became certain. */
  takeFound(): PmmrProblem[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** Whether some node waits for a hash above it to say what is wrong. */
  get isInDoubt(): boolean {
    return this.#stack.some((node) => node.readings.length > 1);
  }

  /**
   * Visits the next stored node.
   *
   * @param hash - its stored hash; kept
   * @param hashRecord - number of that in the hash file
   * @param element - the stored record, where the node is a leaf that has one
   */
  visit(pos0: number, hash: Uint8Array, hashRecord: number, element?: StoredElement): void {
    this.hashCount++;
    const height = heightOf(pos0);
    const place = { pos0, height, hashRecord };
    if (this.#input.prune.isRoot(pos0) && height > 0) {
      this.#push(place, [{ hash, problems: [] }], true);
    } else if (height === 0) {
      this.#visitLeaf(place, hash, element);
    } else {
      this.#visitInner(place, hash);
    }
  }

  /**
   * Ends the walk: what is still in doubt is settled by the root.
   *
   * @param root - what the root should be; `undefined` where nothing says so
   */
  finish(size: number, root: Uint8Array | undefined): void {
    const peaks = this.#stack.splice(0);
    if (root === undefined) {
      // Nothing confirms either reading: the records below speak against the one hash.
      for (const peak of peaks) this.#found.push(...(peak.readings.at(-1)?.problems ?? []));
      return;
    }
    for (const choice of choices(peaks)) {
      const hashes = choice.map(({ hash }) => hash);
      if (!equalBytes(bagPeaks(this.#input.hashing, size, hashes), root)) continue;
      for (const { problems } of choice) this.#found.push(...problems);
      return;
    }
    this.#blamePeaks(peaks, root, size);
  }

  #visitLeaf(place: Place, hash: Uint8Array, element: StoredElement | undefined): void {
    const stored = { hash, problems: [] };
    if (element === undefined) return this.#push(place, [stored], true);
    this.recordCount++;
    const made = this.#hashOfRecord(place, element);
    if (made === undefined) return this.#push(place, [stored], true);
    if (equalBytes(made, hash)) return this.#push(place, [stored], false);
    const recordWrong: PmmrProblem = {
      kind: "record",
      file: DATA_FILE,
      offset: element.offset,
      position1: place.pos0 + 1,
      expected: toHex(hash),
      found: toHex(made),
      message: `record of the leaf at position ${place.pos0 + 1} does not make its hash`,
    };
    return this.#push(
      place,
      [
        { hash, problems: [recordWrong] },
        { hash: made, problems: [hashWrong(place, hash, made)] },
      ],
      false,
    );
  }

  /** What a record's leaf hash should be; `undefined` if the record does not say, or is itself not readable. */
  #hashOfRecord(place: Place, element: StoredElement): Uint8Array | undefined {
    const { codec, hashing } = this.#input;
    try {
      const hashForm = codec.storedHashForm(codec.load(element.bytes));
      return hashForm === undefined ? undefined : hashing.hashLeaf(place.pos0, hashForm);
    } catch (error) {
      this.#found.push({
        kind: "record",
        file: DATA_FILE,
        offset: element.offset,
        position1: place.pos0 + 1,
        message: `record of the leaf at position ${place.pos0 + 1} cannot be read: ${reasonOf(error)}`,
      });
      return undefined;
    }
  }

  #visitInner(place: Place, hash: Uint8Array): void {
    const right = this.#stack.pop() as Node;
    const left = this.#stack.pop() as Node;
    const readings: Reading[] = [];
    for (const [l, r] of choices([left, right]) as Iterable<[Reading, Reading]>) {
      const made = this.#input.hashing.hashInner(place.pos0, l.hash, r.hash);
      const problems = [...l.problems, ...r.problems];
      if (equalBytes(made, hash)) {
        this.#found.push(...problems);
        return this.#push(place, [{ hash, problems: [] }], false);
      }
      readings.push({ hash: made, problems: [...problems, hashWrong(place, hash, made)] });
    }
    readings.sort((a, b) => a.problems.length - b.problems.length);
    const below = { hash, problems: this.#blameChildren(place, left, right) };
    return this.#push(place, [below, ...readings.slice(0, READINGS_MAX - 1)], false);
  }

  /** What is wrong below a node, if its own hash is right. */
  #blameChildren(place: Place, left: Node, right: Node): PmmrProblem[] {
    const blind = [left, right].filter((child) => child.isBlind);
    const blamed = blind.length > 0 ? blind : [left, right].filter((c) => c.readings.length > 1);
    const first = blamed[0] ?? left;
    const both = `hashes at positions ${left.pos0 + 1} and ${right.pos0 + 1} do`;
    const one = `hash at position ${first.pos0 + 1} does`;
    const subject = blamed.length === 1 ? one : both;
    const message = `${subject} not make the parent at ${place.pos0 + 1}`;
    return [{ ...hashWrong(first, first.readings[0]?.hash), message }];
  }

  #blamePeaks(peaks: readonly Node[], root: Uint8Array, size: number): void {
    const doubtful = peaks.filter((peak) => peak.readings.length > 1);
    for (const peak of doubtful) this.#found.push(...(peak.readings.at(-1)?.problems ?? []));
    if (doubtful.length > 0) return;
    const blind = peaks.filter((peak) => peak.isBlind);
    const [only] = blind;
    if (only !== undefined && blind.length === 1) {
      this.#found.push({
        ...hashWrong(only, only.readings[0]?.hash),
        message: `hash at position ${only.pos0 + 1} does not make the root`,
      });
      return;
    }
    const hashes = peaks.map((peak) => peak.readings[0]?.hash ?? new Uint8Array(HASH_SIZE));
    this.#found.push({
      kind: "root",
      file: HASH_FILE,
      expected: toHex(root),
      found: toHex(bagPeaks(this.#input.hashing, size, hashes)),
      message: `the peaks of ${size} nodes do not make the committed root`,
    });
  }

  #push(place: Place, readings: readonly Reading[], isBlind: boolean): void {
    this.#stack.push({ ...place, readings, isBlind });
  }
}

/** What a walk goes by. */
export interface WalkInput {
  readonly hashing: MmrHashing;
  readonly prune: PruneList;
  readonly codec: Pick<ElementCodec<never, unknown>, "load" | "storedHashForm">;
}

/** A record and where it was read. */
export interface StoredElement {
  readonly bytes: Uint8Array;
  /** Byte in the data file. */
  readonly offset: number;
}

interface Place {
  readonly pos0: number;
  readonly height: number;
  readonly hashRecord: number;
}

/** A hash that a node may have, and what is damaged if it does. */
interface Reading {
  readonly hash: Uint8Array;
  readonly problems: readonly PmmrProblem[];
}

interface Node extends Place {
  /** At least one; the stored hash comes first. */
  readonly readings: readonly Reading[];
  /** Whether nothing below says what its hash should be. */
  readonly isBlind: boolean;
}

/** Readings that a node carries upward at most. */
const READINGS_MAX = 3;
/** Combinations that are tried at most; more than so many mean damage all over. */
const CHOICES_MAX = 256;

/**
 * One reading of each node, in all combinations, the likeliest first.
 *
 * @yields as many readings as there are nodes
 */
function* choices(nodes: readonly Node[]): Generator<Reading[], void, undefined> {
  const total = Math.min(
    CHOICES_MAX,
    nodes.reduce((product, node) => product * node.readings.length, 1),
  );
  for (let number = 0; number < total; number++) {
    let rest = number;
    yield nodes.map((node) => {
      const reading = node.readings[rest % node.readings.length] as Reading;
      rest = Math.floor(rest / node.readings.length);
      return reading;
    });
  }
}

function hashWrong(
  place: Place,
  found: Uint8Array | undefined,
  expected?: Uint8Array,
): PmmrProblem {
  return {
    kind: "hash",
    file: HASH_FILE,
    offset: HASH_SIZE * place.hashRecord,
    position1: place.pos0 + 1,
    ...(expected === undefined ? {} : { expected: toHex(expected) }),
    ...(found === undefined ? {} : { found: toHex(found) }),
    message: `hash at position ${place.pos0 + 1} is not made by what is below it`,
  };
}

/** The first stored position at or after `pos0`: what lies strictly below a root is passed over. */
export function nextStored(prune: PruneList, pos0: number): number {
  const rank = prune.rank(pos0);
  if (rank === prune.count || prune.isRoot(pos0)) return pos0;
  const root = prune.root1At(rank) - 1;
  return leftmostLeaf(root) <= pos0 ? root : pos0;
}
