/** What is wrong with a record, or with what others say of it. */
export type MapFaultKind =
  /** Its bytes are not what a writer would have written. */
  | "corrupt"
  /** Something mentions it, and it is not there. */
  | "missing"
  /** Nothing leads to it. */
  | "orphan"
  /** It is mentioned more or less often than its count says. */
  | "mention-count"
  /** Its id was not given out yet. */
  | "id"
  /** Another branch has its name. */
  | "name"
  /** The tree of entries has a fault, or its pool; see `detail`. */
  | "tree";

/** Which record. */
export type MapRecordNoun =
  | "format"
  | "state"
  | "commit"
  | "mentions"
  | "branch"
  | "anchor"
  | "pool"
  | "node";

/** One thing that is wrong. Says nothing of keys and values. */
export interface MapFault {
  readonly kind: MapFaultKind;
  readonly at: MapRecordNoun;
  /** Of the commit, the branch or the node; 0 of records without. */
  readonly id: number;
  /** Offset in the record, where the damage was seen in its bytes. */
  readonly offset?: number;
  readonly expected?: number;
  readonly found?: number;
  /** Of a node: what the tree's own check calls it, and the ids from the root down to it. */
  readonly detail?: string;
  readonly path?: readonly number[];
}
