import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type GraphCommit, graphText } from "../../src/render/index.ts";
import { CRISS_CROSS, edgesOf, histories } from "./histories.ts";

/** Ways out of each character of the box style. */
const WAYS: ReadonlyMap<string, string> = new Map([
  ["│", "ud"],
  ["─", "lr"],
  ["├", "udr"],
  ["╮", "ld"],
  ["╯", "lu"],
]);

/** Follows the lines of a drawing downwards from each commit, as an eye would, and tells which commits they reach. */
function edgesSeen(text: string): string[] {
  const grid = text.split("\n").map((line) => Array.from(line));
  const edges: string[] = [];
  for (const [row, cells] of grid.entries()) {
    const column = cells.indexOf("●");
    if (column === -1) continue;
    for (const parent of reached(grid, row, column)) edges.push(`${idAt(grid, row)}>${parent}`);
  }
  return edges.toSorted();
}

function reached(grid: readonly string[][], row: number, column: number): Set<number> {
  const found = new Set<number>();
  /** Each: a place, and the way by which it was entered. */
  const places: [row: number, column: number, entered: "u" | "l" | "r"][] = [
    [row + 1, column, "u"],
  ];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const [at, across, entered] = place;
    const character = grid[at]?.[across] ?? " ";
    if (character === "●" && entered === "u") found.add(idAt(grid, at));
    if (character === "┼") places.push(onwards(at, across, entered));
    const ways = WAYS.get(character) ?? "";
    if (!ways.includes(entered)) continue;
    if (ways.includes("d")) places.push([at + 1, across, "u"]);
    if (ways.includes("r") && entered !== "r") places.push([at, across + 1, "l"]);
    if (ways.includes("l") && entered !== "l") places.push([at, across - 1, "r"]);
  }
  return found;
}

/** Lines go straight over one another. */
function onwards(
  row: number,
  column: number,
  entered: "u" | "l" | "r",
): [number, number, "u" | "l" | "r"] {
  if (entered === "u") return [row + 1, column, "u"];
  return [row, entered === "l" ? column + 1 : column - 1, entered];
}

function idAt(grid: readonly string[][], row: number): number {
  return Number(/\d+/.exec((grid[row] ?? []).join(""))?.[0]);
}

/** The same commits in another order. */
function shuffled(commits: readonly GraphCommit[]): GraphCommit[] {
  return commits.toSorted((a, b) => ((a.id * 7919) % 101) - ((b.id * 7919) % 101));
}

describe("graph as text", () => {
  test("each commit stands once, and the lines lead from it to its parents and nowhere else", () => {
    fc.assert(
      fc.property(histories, (commits) => {
        const text = graphText({ commits }, { style: "box" });
        const ids = text.split("\n").flatMap((line) => (line.includes("●") ? [line] : []));
        expect(ids.map((line) => Number(/\d+/.exec(line)?.[0]))).toEqual(
          commits.map(({ id }) => id).toReversed(),
        );
        expect(edgesSeen(text)).toEqual(edgesOf(commits));
      }),
      { numRuns: 400 },
    );
  });

  test("the order in which commits are given makes no difference, and both styles have one shape", () => {
    fc.assert(
      fc.property(histories, (commits) => {
        const text = graphText({ commits });
        expect(graphText({ commits: shuffled(commits) })).toBe(text);
        const boxed = graphText({ commits }, { style: "box" });
        expect(boxed.split("\n").length).toBe(text.split("\n").length);
      }),
    );
  });

  test("a criss-cross, drawn with slashes", () => {
    expect(`\n${graphText(CRISS_CROSS)}\n`).toMatchInlineSnapshot(`
      "
      * 7 (<right>)
      | * 6 (main, tag: v1) both
      | |\\
      |_|/
      * | 5 right takes left
      |-|\\
      | * | 4 left takes right
      | |-|\\
      |_|_|/
      | |/
      * | 3 right
      | * 2 left
      |/
      * 1 first
      "
    `);
  });

  test("a criss-cross, drawn with boxes", () => {
    expect(`\n${graphText(CRISS_CROSS, { style: "box" })}\n`).toMatchInlineSnapshot(`
      "
      ● 7 (<right>)
      │ ● 6 (main, tag: v1) both
      │ ├─╮
      ├─┼─╯
      ● │ 5 right takes left
      ├─┼─╮
      │ ● │ 4 left takes right
      │ ├─┼─╮
      ├─┼─┼─╯
      │ ├─╯
      ● │ 3 right
      │ ● 2 left
      ├─╯
      ● 1 first
      "
    `);
  });

  test("a branch that is merged, as git shows it", () => {
    const commits = [
      { id: 1, parents: [], message: "start" },
      { id: 2, parents: [1], message: "feature" },
      { id: 3, parents: [1], message: "fix" },
      { id: 4, parents: [3, 2], message: "merge" },
    ];
    const names = [{ kind: "branch", name: "main", commit: 4 }] as const;
    expect(graphText({ commits, names }).split("\n")).toEqual([
      "* 4 (main) merge",
      "|\\",
      "* | 3 fix",
      "| * 2 feature",
      "|/",
      "* 1 start",
    ]);
  });

  test("lines over a distance go over those between", () => {
    const commits = [
      { id: 1, parents: [] },
      { id: 2, parents: [1] },
      { id: 3, parents: [2] },
      { id: 4, parents: [1] },
      { id: 5, parents: [2, 4] },
      { id: 6, parents: [3, 1] },
      { id: 7, parents: [5, 6] },
    ];
    expect(`\n${graphText({ commits })}\n`).toMatchInlineSnapshot(`
      "
      * 7
      |\\
      | * 6
      | |\\
      * | | 5
      |-|-|\\
      | | | * 4
      | | |/
      | * | 3
      |/  |
      *   | 2
      |__/
      * 1
      "
    `);
    expect(`\n${graphText({ commits }, { style: "box" })}\n`).toMatchInlineSnapshot(`
      "
      ● 7
      ├─╮
      │ ● 6
      │ ├─╮
      ● │ │ 5
      ├─┼─┼─╮
      │ │ │ ● 4
      │ │ ├─╯
      │ ● │ 3
      ├─╯ │
      ●   │ 2
      ├───╯
      ● 1
      "
    `);
  });

  test("histories that have nothing in common do not touch", () => {
    const commits = [
      { id: 1, parents: [] },
      { id: 2, parents: [] },
      { id: 3, parents: [1] },
    ];
    expect(graphText({ commits }).split("\n")).toEqual(["* 3", "| * 2", "* 1"]);
    const single = [
      { id: 1, parents: [] },
      { id: 2, parents: [] },
    ];
    expect(graphText({ commits: single }).split("\n")).toEqual(["* 2", "  * 1"]);
  });

  test("a line to a commit that is not drawn goes on to the end", () => {
    const commits = [
      { id: 7, parents: [6] },
      { id: 8, parents: [7, 5] },
      { id: 9, parents: [8] },
    ];
    expect(graphText({ commits }).split("\n")).toEqual(["* 9", "* 8", "|\\", "* | 7"]);
  });

  test("names and messages cannot break the drawing or speak to a terminal", () => {
    const message = `\u001b[31mred\u202e\ud800\u0007\nsecond line`;
    const names = [{ kind: "branch", name: "a\nb", commit: 1 }] as const;
    expect(graphText({ commits: [{ id: 1, parents: [], message }], names })).toBe(
      "* 1 (a) \ufffd[31mred\ufffd\ufffd\ufffd",
    );
    const long = graphText({ commits: [{ id: 1, parents: [], message: "😀".repeat(100) }] });
    expect(long).toBe(`* 1 ${"😀".repeat(71)}…`);
  });

  test("nothing is drawn of nothing", () => {
    expect(graphText({ commits: [] })).toBe("");
  });

  test.each([
    ["an id twice", [1, 1], []],
    ["an id of 0", [0], []],
    ["a fraction", [1.5], []],
    ["a parent that is not older", [1], [1]],
    ["a parent twice", [5], [2, 2]],
    ["a parent of 0", [5], [0]],
  ])("%s is the caller's mistake", (_, ids, parents) => {
    expect(() => graphText({ commits: ids.map((id) => ({ id, parents })) })).toThrow(RangeError);
  });

  test("a style that there is not is the caller's mistake", () => {
    expect(() => graphText({ commits: [] }, { style: "toString" as "box" })).toThrow(TypeError);
  });
});
