import { AofError, type FileGroup, type FileSystem } from "@x/append-only-file";
import { PmmrError, type PmmrProblem } from "../errors.ts";
import { PmmrFileBackend } from "./backend.ts";
import { JOURNAL_FILE } from "./names.ts";
import { openGroup, type OpenPmmrOptions, shapeOf } from "./open.ts";
import { openView } from "./pmmr-folder.ts";
import { decodeStateMeta } from "./state-meta.ts";
import { verifyFolder, type VerifyOptions, type VerifyReport } from "./verify.ts";

/**
 * Looks at everything in a folder, whoever wrote it and whatever its state, without touching it: no lock, no recovery, no
 * repair. What a journal holds is applied in memory. Also reports on folders that `openPmmr` refuses.
 *
 * Without a journal nothing says what the root was, unless `expect` does: then a hash that disagrees with a record at a peak
 * cannot be told from the record being wrong.
 *
 * @throws PmmrError PMMR_ABORTED
 * @throws AofError for what is not damage: `AOF_IO`, `AOF_MISSING` for an empty folder, `AOF_LOCKED` when somebody writes
 *   without pause
 */
export async function verifyPmmr<E, S = E>(
  fs: FileSystem,
  options: OpenPmmrOptions<E, S> & VerifyOptions,
): Promise<VerifyReport> {
  const shape = shapeOf(options);
  const { readOnly: _, repair: __, snapshot: ___, expect, ...rest } = options;
  let group: FileGroup | undefined;
  try {
    const opened = await openGroup(fs, shape, { ...rest, readOnly: true });
    group = opened.group;
    const { codec } = options;
    const backendShape = { ...shape, codec, checkReads: false };
    const backend = new PmmrFileBackend(group, backendShape, opened.state);
    const committed = decodeStateMeta(group.meta);
    const known = opened.isAdopted ? undefined : committed.root;
    const expected = expect?.size === committed.size ? expect.root : undefined;
    const view = openView(group.files, backend);
    return await verifyFolder(view, { ...shape, codec }, known ?? expected, options);
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === undefined) throw error;
    const listed = options.all === true ? problems : problems.slice(0, 1);
    return { ok: false, problems: listed, size: undefined, hashCount: 0, recordCount: 0 };
  } finally {
    await group?.close();
  }
}

/** Codes that say something about what is stored, and not about reading it. */
const DAMAGE: ReadonlySet<string> = new Set([
  "AOF_FOREIGN_CHANGE",
  "AOF_JOURNAL_DAMAGED",
  "AOF_NOT_A_FILE",
  "AOF_TRUNCATED",
]);

/** The damage that an error reports, or `undefined` if it is about something else. */
function problemsOf(error: unknown): readonly PmmrProblem[] | undefined {
  if (error instanceof PmmrError && error.code === "PMMR_DAMAGED") return error.problems;
  if (!(error instanceof AofError) || !DAMAGE.has(error.code)) return undefined;
  const named = /^pmmr_[a-z_.]+/.exec(error.message)?.[0] ?? "";
  const file = error.code === "AOF_JOURNAL_DAMAGED" ? JOURNAL_FILE : named;
  return [{ kind: "state", file, message: `${error.message} (${error.code})` }];
}
