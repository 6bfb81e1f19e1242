/** One block of code in a Markdown file. */
export interface Fence {
  /** Line of the Markdown file on which the code starts, counted from 1. */
  readonly line: number;
  /** What follows the language, word by word: `needs=roaring` in a fence that opens with `ts needs=roaring`. */
  readonly words: readonly string[];
  /** The code, without the fence. */
  readonly code: string;
}

/**
 * Finds the blocks of one language, in order. Fences are runs of three or more backticks or tildes at the start of a
 * line, closed by a run at least as long, as in CommonMark; indented fences (inside lists) lose their indentation.
 *
 * @param markdown - the whole file
 * @param language - the first word after the opening fence
 * @throws Error if a fence is never closed
 */
export function findFences(markdown: string, language: string): Fence[] {
  const fences: Fence[] = [];
  const lines = markdown.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const opening = /^( *)(`{3,}|~{3,})\s*([^`]*)$/.exec(lines[i] ?? "");
    if (opening === null) continue;
    const [, indentation = "", fence = "", info = ""] = opening;
    const closing = new RegExp(`^ *${fence.charAt(0)}{${fence.length},}\\s*$`);
    const start = i + 1;
    do i++;
    while (i < lines.length && !closing.test(lines[i] ?? ""));
    if (i >= lines.length) throw new Error(`the fence on line ${start} is never closed`);
    const [first, ...words] = info.trim().split(/\s+/);
    if (first !== language) continue;
    const code = lines
      .slice(start, i)
      .map((line) => (line.startsWith(indentation) ? line.slice(indentation.length) : line))
      .join("\n");
    fences.push({ line: start + 1, words, code });
  }
  return fences;
}
