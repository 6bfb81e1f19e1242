/** Contents of one state. Never changed once made. */
export type Contents = ReadonlyMap<string, string>;

/** A state, told apart from others with the same contents, as trees with other roots are. */
export interface State {
  readonly contents: Contents;
  /** 0: empty. */
  readonly token: number;
}

export interface ModelCommit {
  readonly id: number;
  readonly parents: readonly number[];
  readonly state: State;
  readonly message: string | undefined;
}

export interface ModelBranch {
  readonly id: number;
  name: string;
  head: number;
  working: State;
  /** The working state that a crash leaves. */
  stored: State;
}

export interface ModelConflict {
  readonly key: string;
  readonly bases: readonly (string | undefined)[];
  readonly source: string | undefined;
  readonly target: string | undefined;
}

export interface ModelMerge {
  readonly contents: Contents;
  readonly bases: readonly number[];
  readonly conflicts: readonly ModelConflict[];
  readonly changed: number;
}

const EMPTY: State = { contents: new Map(), token: 0 };

/** A versioned map by its definition: a plain map for every commit, everything found by looking at everything. */
export class MapModel {
  readonly commits: Map<number, ModelCommit> = new Map();
  readonly branches: Map<number, ModelBranch> = new Map();
  main = 1;
  nextCommit = 1;
  nextBranch = 2;
  #nextToken = 1;

  constructor() {
    this.branches.set(1, { id: 1, name: "main", head: 0, working: EMPTY, stored: EMPTY });
  }

  state(contents: Contents): State {
    return contents.size === 0 ? EMPTY : { contents, token: this.#nextToken++ };
  }

  /** The state after some changes; the same one where nothing changes. */
  changed(before: State, changes: readonly (readonly [string, string | undefined])[]): State {
    const contents = new Map(before.contents);
    for (const [key, value] of changes)
      if (value === undefined) contents.delete(key);
      else contents.set(key, value);
    return sameContents(contents, before.contents) ? before : this.state(contents);
  }

  headState({ head }: ModelBranch): State {
    return this.commits.get(head)?.state ?? EMPTY;
  }

  isDirty(branch: ModelBranch): boolean {
    return branch.working.token !== this.headState(branch).token;
  }

  addCommit(parents: readonly number[], state: State, message?: string): number {
    const id = this.nextCommit++;
    this.commits.set(id, { id, parents, state, message });
    return id;
  }

  /** A commit and all that it comes from. */
  ancestors(id: number): Set<number> {
    const found = new Set(this.commits.has(id) ? [id] : []);
    for (const one of found)
      for (const parent of this.commits.get(one)?.parents ?? []) found.add(parent);
    return found;
  }

  /** Best common ancestors by their definition, greatest id first. */
  bases(a: number, b: number): number[] {
    const fromB = this.ancestors(b);
    const common = [...this.ancestors(a)].filter((id) => fromB.has(id));
    const beaten = new Set<number>();
    for (const id of common)
      for (const other of this.ancestors(id)) if (other !== id) beaten.add(other);
    return common.filter((id) => !beaten.has(id)).toSorted((x, y) => y - x);
  }

  firstParents(id: number): number[] {
    const line: number[] = [];
    for (let at = this.commits.get(id); at !== undefined;) {
      line.push(at.id);
      at = this.commits.get(at.parents[0] ?? 0);
    }
    return line;
  }

  /** Removes what no branch leads to. */
  collect(): void {
    const kept = new Set<number>();
    for (const { head } of this.branches.values())
      for (const id of this.ancestors(head)) kept.add(id);
    for (const id of this.commits.keys()) if (!kept.has(id)) this.commits.delete(id);
  }

  /** Mentions of every commit, from scratch. */
  counts(): Map<number, number> {
    const counts = new Map<number, number>();
    const mention = (id: number): unknown => counts.set(id, (counts.get(id) ?? 0) + 1);
    for (const { head } of this.branches.values()) if (head !== 0) mention(head);
    for (const { parents } of this.commits.values()) for (const id of parents) mention(id);
    return counts;
  }

  /** The three-way rule, key by key over everything there is. */
  merge(
    source: ModelBranch,
    target: ModelBranch,
    decide: (conflict: ModelConflict) => string | undefined,
  ): ModelMerge {
    const bases = this.bases(source.head, target.head);
    const states = bases.map((id) => this.commits.get(id)?.state.contents ?? EMPTY.contents);
    if (states.length === 0) states.push(EMPTY.contents);
    const [s, t] = [source.working.contents, target.working.contents];
    const keys = new Set([...s.keys(), ...t.keys(), ...states.flatMap((one) => [...one.keys()])]);
    const contents = new Map<string, string>();
    const conflicts: ModelConflict[] = [];
    let changed = 0;
    for (const key of [...keys].toSorted()) {
      const olds = states.map((one) => one.get(key));
      let result = t.get(key);
      if (olds.some((old) => old !== s.get(key)) && s.get(key) !== result) {
        if (olds.every((old) => old === result)) result = s.get(key);
        else {
          const conflict = { key, bases: olds, source: s.get(key), target: result };
          conflicts.push(conflict);
          result = decide(conflict);
        }
      }
      if (result !== t.get(key)) changed++;
      if (result !== undefined) contents.set(key, result);
    }
    return { contents, bases, conflicts, changed };
  }
}

export function sameContents(a: Contents, b: Contents): boolean {
  return a.size === b.size && [...a].every(([key, value]) => b.get(key) === value);
}

export function sortedEntries(contents: Contents): [string, string][] {
  return [...contents].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
