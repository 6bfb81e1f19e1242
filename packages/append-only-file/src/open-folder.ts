import { adoptFolder } from "./adopt-folder.ts";
import { install, publish, SwitchError } from "./checkpoint.ts";
import { AofError } from "./errors.ts";
import { readHeader, type ReadHeader } from "./journal-reader.ts";
import { groupNames, type GroupLayout } from "./layout.ts";
import { closeAll, type Medium, MediumFile } from "./medium.ts";
import {
  blobsOf,
  checkSequence,
  type OpenedFolder,
  type OpenFolderOptions,
  openFiles,
  removeLeftovers,
} from "./opened-folder.ts";
import { OverlayFile } from "./overlay-file.ts";
import { journalName } from "./own-names.ts";
import { carryOut, planRecovery, type Recovery, restoreBlob } from "./recovery.ts";

/** Codes that `repair` may answer with the owner's judgement instead of the journal's. */
const REPAIRABLE: ReadonlySet<string> = new Set([
  "AOF_DAMAGED",
  "AOF_FOREIGN_CHANGE",
  "AOF_JOURNAL_DAMAGED",
  "AOF_MISSING",
  "AOF_TRUNCATED",
]);

/** How often opening for reading starts over when somebody writes meanwhile. */
const ATTEMPTS_MAX = 5;

/**
 * Brings a folder to its last committed state: recovers, creates, adopts or repairs. The lock is the caller's.
 *
 * Every decision is made by reading, and everything is checked, before the first change.
 */
export async function openFolder(
  medium: Medium,
  layout: GroupLayout,
  options: OpenFolderOptions,
): Promise<OpenedFolder> {
  if (options.readOnly) return openBesideWriter(medium, layout, options);
  try {
    return await openAny(medium, layout, options);
  } catch (error) {
    throw error instanceof SwitchError ? error.cause : error;
  }
}

/**
 * Opens without the lock. A journal that is the same before and after says that nothing was switched or cut meanwhile; otherwise
 * what was read may be a mixture, and so may be an error.
 */
async function openBesideWriter(
  medium: Medium,
  layout: GroupLayout,
  options: OpenFolderOptions,
): Promise<OpenedFolder> {
  for (let attempt = 1; ; attempt++) {
    const before = journalMark(medium, layout);
    let opened: OpenedFolder | undefined;
    let failure: unknown;
    try {
      opened = await openAny(medium, layout, options);
    } catch (error) {
      failure = error;
    }
    const same = journalMark(medium, layout) === before;
    if (opened !== undefined && same) return opened;
    closeAll((opened?.files ?? []).map(({ file }) => file));
    if (failure !== undefined && same) throw failure;
    if (attempt === ATTEMPTS_MAX) {
      throw new AofError("AOF_LOCKED", `the folder was written to during ${attempt} attempts`);
    }
  }
}

/** Differs whenever the journal was switched or a commit was added. */
function journalMark(medium: Medium, layout: GroupLayout): string {
  const name = journalName(layout.prefix);
  if (!medium.names().has(name)) return "none";
  const head = new Uint8Array(MARK_BYTES);
  return medium.withFile(name, (file) => {
    file.readSome(0, head);
    return `${file.size()} ${head.join(" ")}`;
  });
}

/** The header up to the end of its salt, which differs between any two journals. */
const MARK_BYTES = 40;

async function openAny(
  medium: Medium,
  layout: GroupLayout,
  options: OpenFolderOptions,
): Promise<OpenedFolder> {
  const names = medium.names();
  if (names.has(journalName(layout.prefix))) return openWithJournal(medium, layout, names, options);
  if (groupNames(layout).some((name) => names.has(name))) {
    return adoptFolder(medium, layout, names, undefined, options);
  }
  checkSequence(0, options);
  if (options.readOnly) throw new AofError("AOF_MISSING", "the folder holds no such group");
  return createFolder(medium, layout, names, options);
}

async function openWithJournal(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  options: OpenFolderOptions,
): Promise<OpenedFolder> {
  let start: ReadHeader | undefined;
  let recovery: Recovery;
  try {
    recovery = medium.withFile(journalName(layout.prefix), (file) => {
      start = readHeader(file, layout, (parts) => medium.sha256(parts));
      return planRecovery(medium, layout, names, { file, start }, options);
    });
  } catch (error) {
    if (!mayAdopt(error, layout, options, start)) throw error;
    return adoptFolder(medium, layout, names, start?.header, options, error);
  }
  checkSequence(recovery.sequence, options);
  return options.readOnly
    ? overlayFolder(medium, recovery)
    : recoverFolder(medium, layout, recovery);
}

async function recoverFolder(
  medium: Medium,
  layout: GroupLayout,
  recovery: Recovery,
): Promise<OpenedFolder> {
  const opened = await carryOut(medium, layout, recovery);
  const { meta, sequence } = recovery;
  const files = opened.map((file, i) => ({ file, size: recovery.files[i]?.size ?? 0 }));
  try {
    if (!recovery.dirty) {
      // An earlier sync of the folder may have failed after the journal's name was seen to change.
      await medium.syncFolder();
      return {
        created: false,
        header: recovery.header,
        meta,
        sequence,
        files,
        blobs: recovery.blobs,
      };
    }
    const header = await install(medium, layout, {
      generation: recovery.header.generation + 1,
      clean: false,
      sequence,
      meta,
      files: files.map(({ size }) => ({ kind: "kept", length: size })),
      blobs: recovery.blobs.map(({ changed, content, inHeader }) =>
        changed ? { kind: "replaced", write: content } : { kind: "kept", content: inHeader },
      ),
      sync: opened,
    });
    publish(medium, layout, header);
    return {
      created: false,
      header,
      meta,
      sequence,
      files,
      blobs: blobsOf(header, recovery.blobs),
    };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** The same for reading only: what recovery would do is done in memory. */
function overlayFolder(medium: Medium, recovery: Recovery): OpenedFolder {
  const opened: MediumFile[] = [];
  try {
    const files = recovery.files.map(({ name, source, ranges, size }) => {
      const below = medium.open(source, "existing");
      opened.push(below);
      const overlay = new OverlayFile(below, ranges, size);
      return { file: new MediumFile(medium.counts, name, overlay), size };
    });
    const { header, meta, sequence, blobs } = recovery;
    return { created: false, header, meta, sequence, files, blobs };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

async function createFolder(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  options: OpenFolderOptions,
): Promise<OpenedFolder> {
  const contents = layout.blobs.map((spec) => restoreBlob(spec, undefined, []));
  removeLeftovers(medium, layout, names);
  const header = await install(medium, layout, {
    generation: 1,
    clean: false,
    sequence: 0,
    meta: options.initialMeta,
    files: layout.files.map(() => ({ kind: "replaced", write: async () => 0 })),
    blobs: contents.map((write) => ({ kind: "replaced", write })),
    sync: [],
  });
  publish(medium, layout, header);
  const files = openFiles(medium, layout).map((file) => ({ file, size: 0 }));
  const blobs = blobsOf(
    header,
    contents.map((content) => ({ content })),
  );
  return { created: true, header, meta: options.initialMeta, sequence: 0, files, blobs };
}

function mayAdopt(
  error: unknown,
  layout: GroupLayout,
  options: OpenFolderOptions,
  start: ReadHeader | undefined,
): boolean {
  if (!(error instanceof AofError) || layout.adopt === undefined) return false;
  if (error.code === "AOF_FOREIGN_CHANGE") {
    // Without a header the journal is that of other files.
    return start !== undefined && (options.adopt || options.repair);
  }
  return options.repair && REPAIRABLE.has(error.code);
}
