import { VerMapError } from "../errors.ts";
import { type BranchRecord } from "../records/branch-record.ts";

/** A branch as it is now. */
export interface BranchState extends BranchRecord {
  readonly id: number;
  /** Root of its working state; unlike the record's it may be in memory only. */
  readonly root: number;
  /** Root of its head; 0 where it has none. */
  readonly headRoot: number;
  /** Its record as stored. */
  readonly stored: BranchRecord;
}

/** A branch by its name, by its id, or anything that has the id. */
export type BranchRef = string | number | { readonly id: number };

/** All branches of a map, by id and by name. */
export class BranchTable {
  readonly #byId = new Map<number, BranchState>();
  readonly #idsByName = new Map<string, number>();

  /** How many there are. */
  get count(): number {
    return this.#byId.size;
  }

  /** All of them, by ascending id. */
  list(): BranchState[] {
    return [...this.#byId.values()].toSorted((a, b) => a.id - b.id);
  }

  find(ref: BranchRef): BranchState | undefined {
    const id = this.idOf(ref);
    return id === undefined ? undefined : this.#byId.get(id);
  }

  /**
   * A branch that the caller names.
   *
   * @throws VerMapError VERMAP_BRANCH_NOT_FOUND
   * @throws TypeError if it is no reference to a branch
   */
  get(ref: BranchRef): BranchState {
    const branch = this.find(ref);
    if (branch !== undefined) return branch;
    const id = this.idOf(ref);
    throw id === undefined
      ? new VerMapError("VERMAP_BRANCH_NOT_FOUND", "there is no branch of that name")
      : new VerMapError("VERMAP_BRANCH_NOT_FOUND", `there is no branch ${id}`, { branchId: id });
  }

  /** The id that a reference stands for, whether there is such a branch or not; a name that is not there stands for none. */
  idOf(ref: BranchRef): number | undefined {
    if (typeof ref === "string") return this.#idsByName.get(ref);
    if (typeof ref === "number") return ref;
    if (typeof ref === "object" && ref !== null && typeof ref.id === "number") return ref.id;
    throw new TypeError(`a branch is a name, an id or a handle, not a ${typeof ref}`);
  }

  /** Of two branches with one name, which only damage makes, the lower id keeps it. */
  set(branch: BranchState): void {
    const before = this.#byId.get(branch.id);
    if (before !== undefined && before.name !== branch.name) this.#forgetName(before);
    this.#byId.set(branch.id, branch);
    const owner = this.#idsByName.get(branch.name);
    if (owner === undefined || owner > branch.id) this.#idsByName.set(branch.name, branch.id);
  }

  delete(id: number): void {
    const before = this.#byId.get(id);
    if (before === undefined) return;
    this.#byId.delete(id);
    this.#forgetName(before);
  }

  #forgetName({ id, name }: BranchState): void {
    if (this.#idsByName.get(name) !== id) return;
    this.#idsByName.delete(name);
    for (const other of this.#byId.values())
      if (other.id !== id && other.name === name) this.set(other);
  }
}
