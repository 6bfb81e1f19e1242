import { AofError } from "./errors.ts";
import { type JournalHeader } from "./journal-header.ts";
import { type BlobContent, type GroupLayout } from "./layout.ts";
import { closeAll, type Medium, type MediumFile } from "./medium.ts";
import { isLeftover } from "./own-names.ts";
import { type RecoveredBlob } from "./recovery.ts";

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
  readonly blobs: readonly RecoveredBlob[];
}

/** The part of the group's options that matters here. */
export interface OpenFolderOptions {
  readonly readOnly: boolean;
  readonly repair: boolean;
  readonly adopt: boolean;
  readonly sequenceMin: number;
  readonly initialMeta: Uint8Array;
}

/** Refuses a state that is older than its owner knows it was. */
export function checkSequence(found: number, { sequenceMin }: OpenFolderOptions): void {
  if (found < sequenceMin) {
    throw new AofError(
      "AOF_ROLLED_BACK",
      `the folder is at commit ${found}, expected at least ${sequenceMin}`,
    );
  }
}

/** Opens the append files; the caller closes them. */
export function openFiles(medium: Medium, layout: GroupLayout): MediumFile[] {
  const opened: MediumFile[] = [];
  try {
    for (const { name } of layout.files) opened.push(medium.open(name, "existing"));
    return opened;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

/** Removes what an interrupted run left behind. */
export function removeLeftovers(
  medium: Medium,
  layout: GroupLayout,
  names: ReadonlySet<string>,
): void {
  for (const name of names) if (isLeftover(layout.prefix, name)) medium.remove(name);
}

/** Blobs that a header was just written for. */
export function blobsOf(
  header: JournalHeader,
  blobs: readonly { readonly content: BlobContent }[],
): RecoveredBlob[] {
  return blobs.map(({ content }, i) => ({
    content,
    inHeader: header.blobs[i]?.content,
    changed: false,
  }));
}
