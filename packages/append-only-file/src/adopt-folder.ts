import { judge, planAdoption } from "./adoption.ts";
import { install, publish } from "./checkpoint.ts";
import { type JournalHeader } from "./journal-header.ts";
import { type BlobContent, groupNames, type GroupLayout } from "./layout.ts";
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
import { sideName } from "./own-names.ts";
import { restoreBlob } from "./recovery.ts";

/**
 * Opens a folder on the owner's word.
 *
 * @param before - the journal's header where there is one that can be read
 * @param reason - why the journal does not count, thrown again where the owner cannot help either
 */
export async function adoptFolder(
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
    const state = { meta: verdict.meta.slice(), sequence };
    if (options.readOnly) return adoptReadOnly(medium, layout, current, state, contents);
    removeLeftovers(medium, layout, current);
    const header = await install(medium, layout, {
      generation: (before?.generation ?? 0) + 1,
      clean: false,
      ...state,
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
    return { created: false, header, ...state, files, blobs };
  } finally {
    closeAll(plan.opened);
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
  state: Pick<OpenedFolder, "meta" | "sequence">,
  contents: readonly BlobContent[],
): OpenedFolder {
  const opened: MediumFile[] = [];
  try {
    const files = layout.files.map(({ name }) => {
      const below = names.has(name) ? medium.open(name, "existing") : undefined;
      if (below !== undefined) opened.push(below);
      const size = below?.size() ?? 0;
      const overlay = new OverlayFile(below, [], size);
      return { file: new MediumFile(medium.counts, name, overlay), size };
    });
    const blobs = contents.map((content) => ({ content, inHeader: undefined, changed: false }));
    return { created: false, header: undefined, ...state, files, blobs };
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** A crash before the last cut is finished by recovery: the header has the sizes. */
function cutToSize(opened: readonly MediumFile[], header: JournalHeader): OpenedFolder["files"] {
  try {
    return opened.map((file, i) => {
      const size = header.files[i]?.length ?? 0;
      if (file.size() > size) file.truncate(size);
      return { file, size };
    });
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}
