/** A commit as it is drawn. */
export interface GraphCommit {
  /** Positive, and above those of its parents. */
  readonly id: number;
  /** First the commit it continues, then what it merges. Those that are not drawn themselves may be among them. */
  readonly parents: readonly number[];
  /** Its first line is shown. Default: none. */
  readonly message?: string | undefined;
  /** Default: none. */
  readonly author?: string | undefined;
  /** Microseconds since 1970. Default: none. */
  readonly time?: number | undefined;
}

/** A name that is shown beside a commit. */
export interface GraphName {
  readonly kind: "branch" | "tag";
  readonly name: string;
  /** Id of the commit; names of commits that are not drawn are left out. */
  readonly commit: number;
}

/** What is drawn: plain lists, in any order. */
export interface CommitGraph {
  readonly commits: readonly GraphCommit[];
  /** Default: none. */
  readonly names?: readonly GraphName[];
}
