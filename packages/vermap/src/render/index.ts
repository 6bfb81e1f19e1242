export { renderGraph, type RenderGraphOptions } from "./render-graph.ts";
export { type CommitGraph, type GraphCommit, type GraphName } from "./graph.ts";
export { graphText, type GraphTextOptions } from "./text.ts";
export { graphSvg, type GraphSvgOptions } from "./svg.ts";
