/**
 * What a group of files consists of: append files (records that can be rewound), blobs (small files replaced whole), and the
 * group's own files beside them.
 */

import { checkFileName } from "./file-name.ts";
import { FILES_MAX } from "./journal-header.ts";
import { isOwnName, sideName } from "./own-names.ts";

/** Names and shapes of a group's files. The same layout must be passed at every opening. */
export interface GroupLayout {
  /** Starts the name of every file the group adds for itself: `<prefix>_journal.bin` and so on. */
  readonly prefix: string;
  /** Append files, at most 8. `recordSize` is in bytes; 0 for records of varying size. */
  readonly files: readonly AppendFileSpec[];
  /** Small files that are replaced whole, at most 8. */
  readonly blobs: readonly BlobSpec[];
  /**
   * Judges a folder that holds some of the files but no journal. It only reads. Without it such a folder is refused with
   * `AOF_FOREIGN_CHANGE`. An exception means the folder is damaged.
   */
  readonly adopt?: (folder: AdoptView, options: { readonly repair: boolean }) => Adoption;
}

/** One append file. */
export interface AppendFileSpec {
  readonly name: string;
  readonly recordSize: number;
}

/** One small file that checkpoints replace as a whole. */
export interface BlobSpec {
  readonly name: string;
  /**
   * Rebuilds the owner's state. An opening that starts over calls it again; the last call counts.
   *
   * @param bytes - content of the file, `undefined` when it is absent; the owner may keep it
   * @param deltas - the deltas of later commits, in order; the owner may keep them
   * @returns what writes that state out again
   * @throws anything: the file counts as damaged and the group does not open
   */
  restore(bytes: Uint8Array | undefined, deltas: readonly Uint8Array[]): BlobContent;
}

/**
 * Bytes of a blob for the state it was passed with, whatever happened since. Called at checkpoints, perhaps more than once;
 * the result is not kept.
 */
export type BlobContent = () => Uint8Array;

/** What {@link GroupLayout.adopt} may look at. Reading beyond the end of a file gives fewer bytes. */
export interface AdoptView {
  /** Names in the folder, the group's own files left out. */
  names(): string[];
  /** Bytes of a file, or `undefined` when there is none. */
  size(name: string): number | undefined;
  /** Fresh bytes, at most `length`. */
  read(name: string, at: number, length: number): Uint8Array<ArrayBuffer>;
}

/** The verdict over a folder without a journal. */
export type Adoption =
  | { readonly kind: "accept"; readonly meta: Uint8Array }
  | {
      readonly kind: "damaged";
      readonly problems: readonly string[];
      readonly repairable: boolean;
    }
  | AdoptionRepair;

/** How to make a damaged folder consistent. Only taken when the caller asked for repair. */
export interface AdoptionRepair {
  readonly kind: "repair";
  readonly meta: Uint8Array;
  /** New size in bytes of each append file: at most what it, `takeFrom` or `content` holds. */
  readonly sizes: readonly number[];
  /** Per append file: the name of a file whose content is copied instead. The source stays. */
  readonly takeFrom?: readonly (string | undefined)[];
  /** Per append file: bytes to use instead. */
  readonly content?: readonly (Uint8Array | undefined)[];
  /** New content of each blob; `undefined` leaves it as it is. */
  readonly blobs: readonly (Uint8Array | undefined)[];
}

/** Names of the append files, then of the blobs: the order of the header. */
export function groupNames(layout: GroupLayout): string[] {
  return [...layout.files, ...layout.blobs].map((spec) => spec.name);
}

/**
 * Refuses a layout that could not be kept.
 *
 * @throws TypeError for a name no file may have, one used twice, or one that is the group's own; RangeError for too many files
 *   or a record size that is no unsigned 32-bit integer
 */
export function checkLayout(layout: GroupLayout): void {
  const { prefix, files, blobs } = layout;
  if (files.length > FILES_MAX || blobs.length > FILES_MAX) {
    throw new RangeError(
      `a group has at most ${FILES_MAX} files and ${FILES_MAX} blobs, got ${files.length} and ${blobs.length}`,
    );
  }
  if (files.length + blobs.length === 0) throw new RangeError("a group has at least one file");
  const names = groupNames(layout);
  for (const name of names) {
    checkFileName(name);
    if (isOwnName(prefix, name)) throw new TypeError(`${name} is a name of the group itself`);
    // The longest of the group's own names must be a name too.
    checkFileName(sideName(prefix, Number.MAX_SAFE_INTEGER, name));
  }
  if (new Set(names).size !== names.length) throw new TypeError("a group uses each name once");
  for (const { name, recordSize } of files) {
    if (!Number.isInteger(recordSize) || recordSize < 0 || recordSize > 0xffff_ffff) {
      throw new RangeError(`record size of ${name} must be a u32, got ${recordSize}`);
    }
  }
}
