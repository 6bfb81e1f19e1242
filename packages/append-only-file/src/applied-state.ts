import { EMPTY } from "./bytes.ts";
import { type SealedCommit } from "./call-queue.ts";
import { install, SwitchError, type Target } from "./checkpoint.ts";
import { type LayeredFile } from "./group-file.ts";
import { Journal } from "./journal.ts";
import { type HeaderBlob, type JournalHeader } from "./journal-header.ts";
import { type BlobContent, groupNames, type GroupLayout } from "./layout.ts";
import { type Medium } from "./medium.ts";
import { journalName, sideName } from "./own-names.ts";

/** A blob: its content, and whether the journal's header counts on an older one. */
export interface AppliedBlob {
  readonly content: BlobContent;
  readonly inHeader: HeaderBlob["content"];
  readonly changed: boolean;
}

/** What a new journal shall be about. */
export interface NextState {
  readonly clean: boolean;
  readonly sequence: number;
  readonly meta: Uint8Array;
  readonly files: Target["files"];
  /** Per blob: its content from then on, `undefined` when that stays. */
  readonly contents: readonly (BlobContent | undefined)[];
}

/**
 * The state of a group as its folder has it: files, blobs, the open journal, and how they go from one state to the next.
 *
 * Invariant: what the journal's header describes, with the journal's records carried out, is this state.
 */
export class AppliedState {
  readonly #medium: Medium;
  readonly #layout: GroupLayout;
  readonly files: readonly LayeredFile[];
  #blobs: readonly AppliedBlob[];
  #journal: Journal;
  #meta: Uint8Array;

  constructor(
    medium: Medium,
    layout: GroupLayout,
    files: readonly LayeredFile[],
    opened: {
      readonly header: JournalHeader;
      readonly meta: Uint8Array;
      readonly blobs: readonly AppliedBlob[];
    },
  ) {
    this.#medium = medium;
    this.#layout = layout;
    this.files = files;
    this.#blobs = opened.blobs;
    this.#meta = opened.meta;
    this.#journal = this.#openJournal(opened.header);
  }

  get journal(): Journal {
    return this.#journal;
  }

  /** `meta` of the last commit recorded. */
  get meta(): Uint8Array {
    return this.#meta;
  }

  /**
   * A commit's record, ready to be written.
   *
   * @param direct - whether its bytes are synced in the files already, and left out
   */
  encode(commit: SealedCommit, direct: boolean): Uint8Array {
    const files = this.files.map((file, i) => {
      const { base, bytes } = commit.layers[i] ?? { base: file.applied, bytes: EMPTY };
      return { base, length: bytes.length, bytes: direct && bytes.length > 0 ? undefined : bytes };
    });
    return this.#journal.encode({ files, deltas: commit.deltas, meta: commit.meta });
  }

  /** Adds a commit's record to the journal: from now on the commit exists. */
  record(commit: SealedCommit, record: Uint8Array): void {
    this.#journal.append(record);
    this.#meta = commit.meta;
    this.#blobs = this.#blobs.map((blob, i) => {
      const content = commit.contents[i];
      return content === undefined ? blob : { ...blob, content, changed: true };
    });
  }

  /** Hands a commit's bytes to the files. */
  write(commit: SealedCommit): void {
    for (const [i, file] of this.files.entries()) {
      const layer = commit.layers[i];
      if (layer !== undefined) file.write(layer);
    }
  }

  /** A commit's bytes are in the files, and its record in the journal: cuts what it cuts. */
  settle(commit: SealedCommit): void {
    for (const [i, file] of this.files.entries()) {
      const layer = commit.layers[i];
      if (layer !== undefined) file.settle(layer);
    }
  }

  /** Removes what a commit without a record put into the files. */
  cutBack(commit: SealedCommit): void {
    for (const [i, file] of this.files.entries()) {
      if (commit.layers[i] !== undefined) file.cutBack();
    }
  }

  /** The same state under an empty journal. */
  checkpoint(clean: boolean): Promise<void> {
    return this.switchTo({
      clean,
      sequence: this.#journal.sequence,
      meta: this.#meta,
      files: this.files.map((file) => ({ kind: "kept", length: file.applied })),
      contents: this.#blobs.map(() => undefined),
    });
  }

  /**
   * Installs a journal for another state, gives what was prepared its names, and goes on with it.
   *
   * @param onSwitched - called at the moment when the state has changed
   * @throws SwitchError when it cannot be undone; every other error leaves everything as it was
   */
  async switchTo(next: NextState, onSwitched: () => void = () => undefined): Promise<void> {
    const { clean, sequence, meta, files } = next;
    const header = await install(
      this.#medium,
      this.#layout,
      {
        generation: this.#journal.header.generation + 1,
        clean,
        sequence,
        meta,
        files,
        blobs: this.#blobs.map((blob, i) => {
          const content = next.contents[i] ?? (blob.changed ? blob.content : undefined);
          return content === undefined
            ? { kind: "kept", content: blob.inHeader }
            : { kind: "replaced", write: content };
        }),
        sync: this.files.map(({ file }) => file),
      },
      () => this.#journal.close(),
    );
    try {
      this.#publish(header);
      this.#journal = this.#openJournal(header);
    } catch (cause) {
      throw new SwitchError("the files were being switched", { cause });
    }
    this.#blobs = this.#blobs.map((blob, i) => ({
      content: next.contents[i] ?? blob.content,
      inHeader: header.blobs[i]?.content,
      changed: false,
    }));
    this.#meta = meta;
    onSwitched();
  }

  close(): void {
    this.#journal.close();
  }

  /**
   * Gives prepared contents their names and goes on with those files. Nothing is read in between. What cannot be renamed is read
   * under the name it has: the next opening renames it.
   */
  #publish(header: JournalHeader): void {
    let failure: { readonly error: unknown } | undefined;
    const attempt = (action: () => void): boolean => {
      try {
        action();
        return true;
      } catch (error) {
        failure ??= { error };
        return false;
      }
    };
    const entries = [...header.files, ...header.blobs];
    for (const [i, name] of groupNames(this.#layout).entries()) {
      if (entries[i]?.pending !== true) continue;
      const file = this.files[i];
      const side = sideName(this.#layout.prefix, header.generation, name);
      if (file !== undefined) attempt(() => file.file.close());
      const renamed = attempt(() => this.#medium.rename(side, name));
      const length = header.files[i]?.length;
      if (file === undefined || length === undefined) continue;
      // A file that cannot be opened stays closed: reading it fails, and never shows old bytes as new ones.
      let next = file.file;
      attempt(() => {
        next = this.#medium.open(renamed ? name : side, "existing");
      });
      file.replace(next, length);
    }
    if (failure !== undefined) throw failure.error;
  }

  #openJournal(header: JournalHeader): Journal {
    const file = this.#medium.open(journalName(this.#layout.prefix), "existing");
    try {
      return new Journal(this.#medium, file, header);
    } catch (error) {
      file.close();
      throw error;
    }
  }
}
