import { judge, planAdoption } from "./adoption.ts";
import { install, publish, SwitchError } from "./checkpoint.ts";
import { AofError } from "./errors.ts";
import { type JournalHeader } from "./journal-header.ts";
import { readHeader, type ReadHeader } from "./journal-reader.ts";
import { type BlobContent, groupNames, type GroupLayout } from "./layout.ts";
import { type Medium, MediumFile } from "./medium.ts";
import { OverlayFile } from "./overlay-file.ts";
import { isLeftover, journalName, sideName } from "./own-names.ts";
import {
  carryOut,
  planRecovery,
  type RecoveredBlob,
  type Recovery,
  restoreBlob,
} from "./recovery.ts";

/** A folder at one committed state, ready to be used. */
export interface OpenedFolder {
  /** Whether this opening created the group. */
  readonly created: boolean;
  /** `undefined` when a folder without a journal was opened for reading only. */
  readonly header: JournalHeader | undefined;
  readonly meta: Uint8Array;
  readonly sequence: number;
  /** Open append files, and how many of their bytes count. */
  readonly files: readonly { readonly file: MediumFile; readonly size: number }[];
  readonly blobs: readonly OpenedBlob[];
}

/** A blob: its content, and whether the header counts on an older one. */
export type OpenedBlob = RecoveredBlob;

/** The part of the group's options that matters here. */
export interface OpenFolderOptions {
  readonly readOnly: boolean;
  readonly repair: boolean;
  readonly adopt: boolean;
  readonly sequenceMin: number;
  readonly initialMeta: Uint8Array;
}

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
    for (const { file } of opened?.files ?? []) file.close();
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
    for (const file of opened) file.close();
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
    for (const file of opened) file.close();
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

/**
 * Opens a folder on the owner's word.
 *
 * @param before - the journal's header where there is one that can be read
 * @param reason - why the journal does not count, thrown again where the owner cannot help either
 */
async function adoptFolder(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  before: JournalHeader | undefined,
  options: OpenFolderOptions,
  reason?: unknown,
): Promise<OpenedFolder> {
  const sequence = before === undefined ? 0 : before.sequence + 1;
  checkSequence(sequence, options);
  const current = await publishBefore(medium, layout, names, before, options, reason);
  const verdict = judge(medium, layout, current, options.repair);
  const plan = planAdoption(medium, layout, current, verdict);
  try {
    const contents = layout.blobs.map((spec, i) => restoreBlob(spec, plan.blobBytes[i], []));
    if (options.readOnly) return adoptReadOnly(medium, layout, current, verdict.meta, contents);
    removeLeftovers(medium, layout, current);
    const header = await install(medium, layout, {
      generation: (before?.generation ?? 0) + 1,
      clean: false,
      sequence,
      meta: verdict.meta,
      files: plan.files,
      blobs: plan.blobs,
      sync: plan.opened,
    });
    publish(medium, layout, header);
    const files = cutToSize(openFiles(medium, layout), header);
    const blobs = blobsOf(
      header,
      contents.map((content) => ({ content })),
    );
    return { created: false, header, meta: verdict.meta.slice(), sequence, files, blobs };
  } finally {
    for (const file of plan.opened) file.close();
  }
}

/** Finishes the renames of the journal that is given up, so that the owner judges the content that counts. */
async function publishBefore(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  before: JournalHeader | undefined,
  options: OpenFolderOptions,
  reason: unknown,
): Promise<ReadonlySet<string>> {
  const sides = groupNames(layout).filter(
    (name) => before !== undefined && names.has(sideName(layout.prefix, before.generation, name)),
  );
  const unknown =
    reason !== undefined &&
    before === undefined &&
    [...names].some((name) => name.startsWith(`${layout.prefix}_next.`));
  // Without the header nobody knows which of them count.
  if (unknown || (sides.length > 0 && options.readOnly)) throw reason;
  if (sides.length > 0) await medium.syncFolder();
  for (const name of sides) {
    medium.rename(sideName(layout.prefix, before?.generation ?? 0, name), name);
  }
  return sides.length > 0 ? medium.names() : names;
}

function adoptReadOnly(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
  meta: Uint8Array,
  contents: readonly BlobContent[],
): OpenedFolder {
  const files = layout.files.map(({ name }) => {
    const below = names.has(name) ? medium.open(name, "existing") : undefined;
    const size = below?.size() ?? 0;
    const overlay = new OverlayFile(below, [], size);
    return { file: new MediumFile(medium.counts, name, overlay), size };
  });
  const blobs = contents.map((content) => ({ content, inHeader: undefined, changed: false }));
  return { created: false, header: undefined, meta: meta.slice(), sequence: 0, files, blobs };
}

/** A crash before the last cut is finished by recovery: the header has the sizes. */
function cutToSize(opened: readonly MediumFile[], header: JournalHeader): OpenedFolder["files"] {
  return opened.map((file, i) => {
    const size = header.files[i]?.length ?? 0;
    if (file.size() > size) file.truncate(size);
    return { file, size };
  });
}

function openFiles(medium: Medium, layout: GroupLayout): MediumFile[] {
  const opened: MediumFile[] = [];
  try {
    for (const { name } of layout.files) opened.push(medium.open(name, "existing"));
    return opened;
  } catch (error) {
    for (const file of opened) file.close();
    throw error;
  }
}

function removeLeftovers(medium: Medium, layout: GroupLayout, names: ReadonlySet<string>): void {
  for (const name of names) if (isLeftover(layout.prefix, name)) medium.remove(name);
}

function blobsOf(
  header: JournalHeader,
  blobs: readonly { readonly content: BlobContent }[],
): OpenedBlob[] {
  return blobs.map(({ content }, i) => ({
    content,
    inHeader: header.blobs[i]?.content,
    changed: false,
  }));
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

function checkSequence(found: number, { sequenceMin }: OpenFolderOptions): void {
  if (found < sequenceMin) {
    throw new AofError(
      "AOF_ROLLED_BACK",
      `the folder is at commit ${found}, expected at least ${sequenceMin}`,
    );
  }
}
