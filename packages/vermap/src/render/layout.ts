import { type GraphCommit } from "./graph.ts";

/**
 * Where commits and the lines between them stand.
 *
 * Commits are rows, the greatest id first, so that every commit comes before its parents. Lanes are columns. A lane waits
 * for one commit, and no two lanes for the same: what two children wait for is drawn once. The layout depends on the list
 * of commits alone, and not on its order.
 */
export interface GraphLayout {
  readonly rows: readonly GraphRow[];
  readonly edges: readonly GraphEdge[];
  readonly laneCount: number;
}

/** One commit, and what becomes of the lanes below it. */
export interface GraphRow {
  readonly commit: GraphCommit;
  readonly lane: number;
  /** Lanes with a line beside the commit; not the commit's own. */
  readonly passing: readonly number[];
  /** What happens between this row and the next, in this order. */
  readonly links: readonly GraphLink[];
}

/** `fork`: a second line leaves `left` and goes on in `right`. `join`: the line in `right` ends in `left`. */
export interface GraphLink {
  readonly kind: "fork" | "join";
  readonly left: number;
  readonly right: number;
  /** Lanes with a line above the link. */
  readonly occupied: readonly number[];
}

/** The line from a commit to a parent. */
export interface GraphEdge {
  readonly child: number;
  readonly parent: number;
  /** Whether the parent is drawn; if not, the line ends below the last row. */
  readonly isWhole: boolean;
  /** From the child to the parent: where the line is, at the rows where it changes its lane. */
  readonly points: readonly GraphPoint[];
}

/** Rows and lanes count from 0. */
export interface GraphPoint {
  readonly row: number;
  readonly lane: number;
}

interface Lane {
  /** Id of the commit that ends the lane. */
  readonly awaited: number;
  readonly edges: OpenEdge[];
}

interface OpenEdge {
  readonly child: number;
  readonly parent: number;
  readonly points: GraphPoint[];
}

/**
 * Lays out commits. O(commits × lanes).
 *
 * @throws RangeError if an id is no positive integer or occurs twice, or a parent is not below its child
 */
export function layoutGraph(commits: readonly GraphCommit[]): GraphLayout {
  const sorted = commits.toSorted((a, b) => b.id - a.id);
  for (const [index, commit] of sorted.entries()) checkCommit(commit, sorted[index - 1]?.id);
  const layout = new Layout();
  return layout.finish(sorted.map((commit, row) => layout.place(commit, row)));
}

function checkCommit({ id, parents }: GraphCommit, before: number | undefined): void {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`commit ${id} has no positive id`);
  if (id === before) throw new RangeError(`commit ${id} occurs twice`);
  for (const parent of parents) {
    if (Number.isSafeInteger(parent) && 0 < parent && parent < id) continue;
    throw new RangeError(`commit ${id} has the parent ${parent}`);
  }
  if (new Set(parents).size < parents.length)
    throw new RangeError(`commit ${id} has a parent twice`);
}

class Layout {
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #edges: GraphEdge[] = [];
  #laneCount = 0;
  /** The lane that ended at the row before: a new line right below would look like its continuation. */
  #ended: number | undefined;

  place(commit: GraphCommit, row: number): GraphRow {
    const awaited = this.#lanes.findIndex((lane) => lane?.awaited === commit.id);
    const lane = awaited === -1 ? this.#freeLane(0) : awaited;
    this.#ended = undefined;
    this.#laneCount = Math.max(this.#laneCount, lane + 1);
    this.#endEdges(this.#lanes[lane], { row, lane }, true);
    this.#lanes[lane] = undefined;
    const passing = this.#occupied();
    const links: GraphLink[] = [];
    const [first, ...others] = commit.parents;
    if (first === undefined) this.#ended = lane;
    else this.#open(lane, first, { row, lane }, commit.id);
    for (const parent of others) {
      const right = this.#freeLane(lane + 1);
      links.push({ kind: "fork", left: lane, right, occupied: this.#occupied() });
      this.#open(right, parent, { row, lane }, commit.id);
      this.#joinTwins(right, row, links);
    }
    if (first !== undefined) this.#joinTwins(lane, row, links);
    return { commit, lane, passing, links };
  }

  finish(rows: readonly GraphRow[]): GraphLayout {
    for (const [lane, open] of this.#lanes.entries()) {
      this.#endEdges(open, { row: rows.length, lane }, false);
    }
    const edges = this.#edges.toSorted((a, b) => b.child - a.child || b.parent - a.parent);
    return { rows, edges, laneCount: this.#laneCount };
  }

  #open(lane: number, awaited: number, from: GraphPoint, child: number): void {
    const points = [from];
    if (lane !== from.lane) points.push({ row: from.row + 1, lane });
    this.#lanes[lane] = { awaited, edges: [{ child, parent: awaited, points }] };
    this.#laneCount = Math.max(this.#laneCount, lane + 1);
  }

  /** Joins the other lane that waits for the same commit, if there is one, and lets the left one of the two go on. */
  #joinTwins(lane: number, row: number, links: GraphLink[]): void {
    const awaited = this.#lanes[lane]?.awaited;
    const twin = this.#lanes.findIndex((other, at) => at !== lane && other?.awaited === awaited);
    if (twin === -1) return;
    const [left, right] = [Math.min(lane, twin), Math.max(lane, twin)];
    links.push({ kind: "join", left, right, occupied: this.#occupied() });
    for (const edge of this.#lanes[right]?.edges ?? []) {
      // A line that has just left its commit goes straight to where it waits.
      if (edge.points.at(-1)?.row === row + 1) edge.points.pop();
      else if (edge.points.at(-1)?.row !== row) edge.points.push({ row, lane: right });
      edge.points.push({ row: row + 1, lane: left });
      this.#lanes[left]?.edges.push(edge);
    }
    this.#lanes[right] = undefined;
  }

  #endEdges(lane: Lane | undefined, at: GraphPoint, isWhole: boolean): void {
    for (const { child, parent, points } of lane?.edges ?? []) {
      const last = points.at(-1);
      if (last?.row !== at.row) points.push(at);
      this.#edges.push({ child, parent, isWhole, points });
    }
  }

  /** The first lane from `from` on that a line can begin in. */
  #freeLane(from: number): number {
    let lane = from;
    while (this.#lanes[lane] !== undefined || lane === this.#ended) lane++;
    return lane;
  }

  #occupied(): number[] {
    const occupied: number[] = [];
    for (const [lane, open] of this.#lanes.entries()) if (open !== undefined) occupied.push(lane);
    return occupied;
  }
}
