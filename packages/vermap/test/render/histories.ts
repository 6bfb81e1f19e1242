import fc from "fast-check";
import { type CommitGraph, type GraphCommit } from "../../src/render/index.ts";

/** Histories of up to 40 commits, with merges, several first commits and several ends. */
export const histories: fc.Arbitrary<GraphCommit[]> = fc
  .array(fc.tuple(fc.nat(99), fc.nat(99), fc.nat(9)), { maxLength: 40 })
  .map((choices) => {
    const commits: GraphCommit[] = [];
    for (const [first, second, kind] of choices) {
      const id = commits.length + 1;
      // Parents are near, mostly: that is where lines meet.
      const near = (choice: number): number => id - 1 - Math.min(choice % 7, choice % (id - 1));
      const parents = new Set<number>();
      if (id > 1 && kind > 0) parents.add(near(first));
      if (id > 2 && kind > 5) parents.add(near(second));
      commits.push({ id, parents: [...parents] });
    }
    return commits;
  });

/** Two branches that were merged into one another, and a tag. */
export const CRISS_CROSS: CommitGraph = {
  commits: [
    { id: 1, parents: [], message: "first" },
    { id: 2, parents: [1], message: "left\n\nand a body" },
    { id: 3, parents: [1], message: "right", author: "Ada", time: 1_700_000_000_000_000 },
    { id: 4, parents: [2, 3], message: "left takes right" },
    { id: 5, parents: [3, 2], message: "right takes left" },
    { id: 6, parents: [4, 5], message: "both" },
    { id: 7, parents: [5] },
  ],
  names: [
    { kind: "tag", name: "v1", commit: 6 },
    { kind: "branch", name: "main", commit: 6 },
    { kind: "branch", name: "<right>", commit: 7 },
    { kind: "branch", name: "gone", commit: 99 },
  ],
};

/** Edges as text, in order. */
export function edgesOf(commits: readonly GraphCommit[]): string[] {
  const edges = commits.flatMap(({ id, parents }) => parents.map((parent) => `${id}>${parent}`));
  return edges.toSorted();
}
