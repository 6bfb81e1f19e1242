import { VerMapError } from "../errors.ts";
import { isAncestor } from "../graph/ancestry.ts";
import { type WriteOptions } from "../map/committing.ts";
import { type MapInternals } from "../map/map-internals.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { syncOf } from "../map/working.ts";
import { AnchorKind, decodeAnchor } from "../records/anchor-record.ts";
import { type Repository } from "../repository/repository.ts";
import { type AnchorChange, type BranchChange, type WritePlan } from "../repository/write-plan.ts";
import { reflogAnchor, type ReflogEntry, reflogEntryOf, reflogName } from "./reflog-record.ts";

/** See {@link reflog}. */
export interface ReflogOptions {
  /** How long what was lost is kept, in microseconds. Default: 30 days. */
  readonly gracePeriod?: number;
}

/** See {@link Reflog.restore}. */
export interface RestoreOptions extends WriteOptions {
  /** Default: the one it had. */
  readonly name?: string;
}

const GRACE_PERIOD = 30 * 24 * 60 * 60 * 1_000_000;
/** Entries that one write removes at most on the side. */
const EXPIRED_COUNT_MAX = 64;

/** What a reflog needs of its map. */
type ReflogMap = Pick<MapInternals<unknown, unknown>, "repository" | "clock">;

let makeReflog: (internals: ReflogMap, gracePeriod: number) => Reflog;

/**
 * A record of what branches lost: of deleted branches, and of heads that were moved away by a rollback, a reset or a squash.
 * An entry is part of the batch that it is about, and keeps the commits and the working state as long as the grace period
 * says. Batches that add an entry remove up to 64 whose time is over; what only those kept is collected.
 *
 * Uncommitted work is kept as far as it was written: not what was in memory only, nor what `discard` or another write replaced.
 */
export class Reflog {
  readonly #repository: Repository;
  readonly #clock: () => number;
  readonly #gracePeriod: number;
  readonly #stop: () => void;

  static {
    makeReflog = (internals, gracePeriod) => new Reflog(internals, gracePeriod);
  }

  private constructor({ repository, clock }: ReflogMap, gracePeriod: number) {
    this.#repository = repository;
    this.#clock = clock;
    this.#gracePeriod = gracePeriod;
    this.#stop = repository.amend((plan) => this.#amended(plan));
  }

  /**
   * What can be restored, oldest first.
   *
   * @yields entries
   */
  async *entries(): AsyncGenerator<ReflogEntry, undefined, undefined> {
    this.#repository.assertOpen();
    const { store, keys } = this.#repository;
    for await (const [, value] of store.iterator(keys.anchors(AnchorKind.reflog)))
      yield reflogEntryOf(decodeAnchor(value));
    return undefined;
  }

  /**
   * Makes a branch of what an entry keeps, uncommitted work included, and removes the entry.
   *
   * @returns the id of the branch, which is a new one
   * @throws VerMapError VERMAP_BRANCH_EXISTS; VERMAP_REFLOG_EXPIRED if the entry is no more
   */
  restore(entry: ReflogEntry, options: RestoreOptions = {}): Promise<number> {
    const repository = this.#repository;
    return repository.exclusive(async () => {
      const bytes = await repository.store.get(
        repository.keys.anchor(AnchorKind.reflog, reflogName(entry)),
      );
      if (bytes === undefined)
        throw new VerMapError("VERMAP_REFLOG_EXPIRED", "the entry of the reflog is no more");
      const { branchName, head, root } = reflogEntryOf(decodeAnchor(bytes));
      const { name = branchName } = options;
      const owner = repository.branches.find(name);
      if (owner !== undefined)
        throw new VerMapError("VERMAP_BRANCH_EXISTS", `branch ${owner.id} has that name`, {
          branchId: owner.id,
        });
      const id = repository.nextBranchId;
      await repository.write({
        branches: [{ id, to: { name, head, root } }],
        anchors: [removal(entry)],
        ...syncOf(options),
      });
      return id;
    });
  }

  /**
   * Removes all entries whose grace period is over, or, if told so, all there are. What only they kept is collected.
   *
   * @returns how many
   */
  expire(options: WriteOptions & { readonly all?: boolean } = {}): Promise<number> {
    return this.#repository.exclusive(async () => {
      const gone = await this.#removals(options.all === true ? Infinity : this.#deadline());
      if (gone.length > 0) await this.#repository.write({ anchors: gone, ...syncOf(options) });
      return gone.length;
    });
  }

  /** Stops recording. What is recorded stays. */
  close(): void {
    this.#stop();
  }

  /** Entries of before are over. */
  #deadline(): number {
    return this.#clock() - this.#gracePeriod;
  }

  async #removals(before: number, countMax = Infinity): Promise<AnchorChange[]> {
    const gone: AnchorChange[] = [];
    for await (const entry of this.entries()) {
      if (gone.length === countMax) break;
      if (entry.time < before) gone.push(removal(entry));
    }
    return gone;
  }

  async #amended(plan: WritePlan): Promise<WritePlan> {
    const added: AnchorChange[] = [];
    for (const change of plan.branches ?? []) {
      const entry = await this.#entryOf(plan, change);
      if (entry !== undefined)
        added.push({ kind: AnchorKind.reflog, name: reflogName(entry), to: reflogAnchor(entry) });
    }
    if (added.length === 0) return plan;
    const gone = await this.#removals(this.#deadline(), EXPIRED_COUNT_MAX);
    return { ...plan, anchors: [...(plan.anchors ?? []), ...added, ...gone] };
  }

  /** What the plan takes from a branch, if it does. Only what is stored can be kept. */
  async #entryOf(plan: WritePlan, { id, to }: BranchChange): Promise<ReflogEntry | undefined> {
    const repository = this.#repository;
    const before = repository.branches.find(id)?.stored;
    if (before === undefined || (before.head === 0 && before.root === 0)) return undefined;
    if (to !== undefined && (await this.#goesOn(plan, before.head, to.head))) return undefined;
    return {
      sequence: repository.sequence + 1,
      branchId: id,
      branchName: before.name,
      event: to === undefined ? "deleted" : "moved",
      time: this.#clock(),
      head: before.head,
      root: before.root,
    };
  }

  /** Whether the old head is in the history of the new one. */
  async #goesOn({ commits = [] }: WritePlan, from: number, to: number): Promise<boolean> {
    if (from === to || from === 0) return true;
    const made = commits.find(({ id }) => id === to);
    const { commits: table } = this.#repository;
    for (const head of made?.parents ?? [to])
      if (await this.#repository.run(isAncestor(table, from, head))) return true;
    return false;
  }
}

/**
 * Keeps a reflog of a map from now on: one at a time for each open map. Entries of earlier sessions are there as well.
 *
 * @throws RangeError if the grace period is no number of microseconds
 */
export function reflog<K, V>(map: VerMap<K, V>, options: ReflogOptions = {}): Reflog {
  const { gracePeriod = GRACE_PERIOD } = options;
  if (!Number.isSafeInteger(gracePeriod) || gracePeriod < 0)
    throw new RangeError(`gracePeriod is ${gracePeriod}, not microseconds`);
  const { repository, clock } = internalsOf(map);
  return makeReflog({ repository, clock }, gracePeriod);
}

function removal(entry: Pick<ReflogEntry, "sequence" | "branchId">): AnchorChange {
  return { kind: AnchorKind.reflog, name: reflogName(entry), to: undefined };
}
