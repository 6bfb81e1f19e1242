import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { graphSvg } from "../../src/render/index.ts";
import { LANE_COLOURS, TEXT_COLOUR } from "../../src/render/svg.ts";
import { CRISS_CROSS, edgesOf, histories } from "./histories.ts";

const LINE = /<path d="([^"]*)"[^>]*><title>(\d+) → (\d+)<\/title><\/path>/g;
const DOT = /<circle cx="(\d+)" cy="(\d+)"[^>]*><title>commit (\d+)/g;

/** Where the circle of each commit is. */
function dotsOf(svg: string): Map<string, string> {
  return new Map([...svg.matchAll(DOT)].map(([, x, y, id]) => [id ?? "", `${x} ${y}`]));
}

/** Relative luminance and contrast, as WCAG 2 defines them. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

describe("graph as SVG", () => {
  test("each commit is a circle, and each line begins and ends at one", () => {
    fc.assert(
      fc.property(histories, (commits) => {
        const svg = graphSvg({ commits });
        const dots = dotsOf(svg);
        expect([...dots.keys()]).toEqual(commits.map(({ id }) => String(id)).toReversed());
        expect(new Set(dots.values()).size).toBe(commits.length);
        const lines = [...svg.matchAll(LINE)];
        expect(lines.map(([, , child, parent]) => `${child}>${parent}`).toSorted()).toEqual(
          edgesOf(commits),
        );
        for (const [, path = "", child = "", parent = ""] of lines) {
          expect(path.startsWith(`M${dots.get(child)}`)).toBe(true);
          expect(endOf(path)).toBe(dots.get(parent));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("no line goes through the circle of a third commit", () => {
    fc.assert(
      fc.property(histories, (commits) => {
        const svg = graphSvg({ commits });
        const dots = dotsOf(svg);
        for (const [, path = "", child, parent] of svg.matchAll(LINE)) {
          const touched = [...dots].filter(([, place]) => passes(path, place)).map(([id]) => id);
          expect(new Set(touched)).toEqual(new Set([child, parent]));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("a criss-cross is the picture it was", async () => {
    await expect(graphSvg(CRISS_CROSS)).toMatchFileSnapshot("criss-cross.svg");
  });

  test("the order in which commits are given makes no difference", () => {
    const { commits, names = [] } = CRISS_CROSS;
    const other = { commits: commits.toReversed(), names: names.toReversed() };
    expect(graphSvg(other)).toBe(graphSvg(CRISS_CROSS));
  });

  test("text is text, whatever it holds", () => {
    const evil = `</text><script>alert("1")</script>&\u0000\ud800'`;
    const svg = graphSvg(
      {
        commits: [{ id: 1, parents: [], message: evil, author: evil, time: 0 }],
        names: [{ kind: "tag", name: evil, commit: 1 }],
      },
      { title: evil },
    );
    expect(svg).not.toContain("<script");
    expect(svg).toContain("&lt;script&gt;alert(&quot;1&quot;)");
    expect(svg).not.toMatch(/\p{Surrogate}/u);
    expect(svg).not.toContain("\u0000");
    expect(svg.match(/</g)?.length).toBe(svg.match(/>/g)?.length);
    expect(svg).toContain("1970-01-01T00:00:00Z");
  });

  test("a time that no calendar has is left out", () => {
    const svg = graphSvg({ commits: [{ id: 1, parents: [], time: 1e19 }] });
    expect(svg).toContain("<title>commit 1</title>");
  });

  test("a line to a commit that is not drawn is dashed", () => {
    const svg = graphSvg({ commits: [{ id: 3, parents: [2] }] });
    expect(svg.match(/stroke-dasharray/g)?.length).toBe(1);
  });

  test("nothing is an empty picture", () => {
    expect(graphSvg({ commits: [] })).toMatch(
      /^<svg [^>]*>\n<title>Commit graph<\/title>\n<\/svg>\n$/,
    );
  });

  test("colours stand out from a light and from a dark background", () => {
    for (const background of ["#ffffff", "#000000"]) {
      for (const colour of LANE_COLOURS) expect(contrast(colour, background)).toBeGreaterThan(4);
      expect(contrast(TEXT_COLOUR, background)).toBeGreaterThan(4.5);
    }
  });
});

/** The last place of a path, all of whose commands are absolute. */
function endOf(path: string): string {
  return stepsOf(path).at(-1) ?? "";
}

/** The places that the commands of a path lead to. */
function stepsOf(path: string): string[] {
  const places: string[] = [];
  let x = "";
  for (const [, command, numbers = ""] of path.matchAll(/([MVC])([^MVC]*)/g)) {
    const values = numbers.trim().split(" ");
    if (command === "V") places.push(`${x} ${values[0]}`);
    else {
      x = values.at(-2) ?? "";
      places.push(`${x} ${values.at(-1)}`);
    }
  }
  return places;
}

/** Whether a path goes over a place: at the end of a command, or straight through it. */
function passes(path: string, place: string): boolean {
  const [x, y = Number.NaN] = place.split(" ").map(Number);
  const steps = stepsOf(path).map((step) => step.split(" ").map(Number));
  return steps.some(([toX, toY = 0], index) => {
    const [fromX, fromY = 0] = steps[index - 1] ?? [];
    if (toX === x && toY === y) return true;
    return toX === x && fromX === x && fromY < y && y < toY;
  });
}
