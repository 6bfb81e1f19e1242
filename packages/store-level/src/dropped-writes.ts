import { type Folder } from "./folder.ts";
import { type Finding, lostWrites } from "./log-check.ts";
import { readDropped, writeDropped } from "./own-files.ts";

/** What LevelDB writes to its LOG when it leaves out a part of a log, or goes on in spite of an error. */
const DROPPING = /dropping \d+ bytes|Ignoring error/;
/** The name of the log in such a line, where it has one. */
const LOG_NAME = /(\d+\.log): dropping/;
/** LevelDB replays its logs first, so what it says about them is at the beginning of its LOG. */
const LOG_SIZE_MAX = 2 ** 20;
/** What is remembered at most: LevelDB says a few lines about one opening. */
const REMEMBERED_COUNT_MAX = 1000;

/** Before LevelDB replays logs that end in a write that was cut short: remembers that dropping it is no loss. */
export async function expectTorn(folder: Folder, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const dropped = await readDropped(folder);
  const torn = [...new Set([...dropped.torn, ...names])].slice(-REMEMBERED_COUNT_MAX);
  await writeDropped(folder, { ...dropped, torn });
}

/**
 * Finds what LevelDB dropped, in the LOG of its last opening, and remembers it: LevelDB overwrites that LOG at the next.
 *
 * Called before every opening and after it. Then no crash between the two loses what was said.
 *
 * @param allowed - what was dropped is accepted
 * @throws StoreError STORE_LOST_WRITES
 */
export async function checkDropped(folder: Folder, allowed: boolean): Promise<void> {
  const { lines, torn, accepted } = await readDropped(folder);
  const news = (await droppedLines(folder)).filter(
    (line) => !lines.includes(line) && !torn.includes(logNameIn(line) ?? ""),
  );
  const dropped = {
    lines: [...lines, ...news].slice(-REMEMBERED_COUNT_MAX),
    torn,
    accepted: allowed || (accepted && news.length === 0),
  };
  if (news.length > 0 || dropped.accepted !== accepted) await writeDropped(folder, dropped);
  if (!dropped.accepted) throw lostWrites(toFinding(dropped.lines[0] ?? ""));
}

async function droppedLines(folder: Folder): Promise<string[]> {
  const bytes = await folder.readStart("LOG", LOG_SIZE_MAX);
  if (bytes === undefined) return [];
  return new TextDecoder()
    .decode(bytes)
    .split("\n")
    .filter((line) => DROPPING.test(line));
}

function logNameIn(line: string): string | undefined {
  return LOG_NAME.exec(line)?.[1];
}

function toFinding(line: string): Finding {
  return { file: logNameIn(line) ?? "LOG", offset: 0, reason: DROPPING.exec(line)?.[0] ?? line };
}
