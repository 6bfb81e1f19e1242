import { CommitFrontier } from "../history/key-walk.ts";
import { internalsOf, type VerMap } from "../map/ver-map.ts";
import { type Commit } from "../records/commit-record.ts";
import { type Repository } from "../repository/repository.ts";
import { tags } from "../tag/tags.ts";
import { type CommitGraph, type GraphName } from "./graph.ts";
import { graphSvg, type GraphSvgOptions } from "./svg.ts";
import { graphText, type GraphTextOptions } from "./text.ts";

/** See {@link renderGraph}. */
export interface RenderGraphOptions extends GraphTextOptions, GraphSvgOptions {
  /** Default: text. */
  readonly format?: "text" | "svg";
  /** Most commits drawn, those with the greatest ids. Default: 1,000. */
  readonly limit?: number;
}

const LIMIT = 1000;

/**
 * The commit graph of a map, newest first: all branches and tags, and what leads to them. As text, as `git log --graph` shows
 * it, or as an SVG document; see {@link graphText} and {@link graphSvg}. Reads the commits it draws.
 *
 * @throws TypeError, RangeError if an option is malformed
 */
export async function renderGraph<K, V>(
  map: VerMap<K, V>,
  options: RenderGraphOptions = {},
): Promise<string> {
  const { format = "text", limit = LIMIT } = options;
  if (format !== "text" && format !== "svg")
    throw new TypeError(`format is ${String(format)}, neither text nor svg`);
  if (!(Number.isSafeInteger(limit) && limit >= 0))
    throw new RangeError(`limit is ${limit}, not a count`);
  const graph = await commitGraph(map, limit);
  return format === "svg" ? graphSvg(graph, options) : graphText(graph, options);
}

async function commitGraph<K, V>(map: VerMap<K, V>, limit: number): Promise<CommitGraph> {
  const { repository } = internalsOf(map);
  const names: GraphName[] = [];
  for (const { name, head } of map.branches())
    if (head !== undefined) names.push({ kind: "branch", name, commit: head });
  for (const { name, commit } of await tags(map).list()) names.push({ kind: "tag", name, commit });
  const heads = names.map(({ commit }) => commit);
  return { commits: await commitsFrom(repository, heads, limit), names };
}

async function commitsFrom(
  repository: Repository,
  heads: readonly number[],
  limit: number,
): Promise<Commit[]> {
  const frontier = new CommitFrontier<true>();
  for (const head of heads) frontier.add(head, true, () => true);
  const commits: Commit[] = [];
  while (commits.length < limit) {
    const taken = frontier.take();
    if (taken === undefined) break;
    const commit = await repository.run(repository.commits.step(taken.id));
    commits.push(commit);
    for (const parent of commit.parents) frontier.add(parent, true, () => true);
  }
  return commits;
}
