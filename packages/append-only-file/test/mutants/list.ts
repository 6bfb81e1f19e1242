/** One place of the source and what a mistaken hand would have written there. */
export interface Patch {
  /** File name in `src/`. */
  readonly file: string;
  /** Occurs exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** A mistake that costs durability and that no ordinary test notices. */
export interface Mutant {
  readonly id: string;
  readonly what: string;
  readonly patches: readonly Patch[];
}

const REWIND = `    this.#record(commit, record);
    await this.journal.sync();
    this.#queue.acknowledge();
    this.#state.write(commit);
    this.#state.settle(commit);`;

/** Mistakes of the commit protocol, the checkpoint and recovery. Every one must be caught. */
export const MUTANTS: readonly Mutant[] = [
  {
    id: "early-acknowledge",
    what: "commits are acknowledged before the journal is synced",
    patches: [
      {
        file: "writer.ts",
        find: "    if (sync) await this.journal.sync();\n    this.#queue.acknowledge();",
        replace: "    this.#queue.acknowledge();\n    if (sync) await this.journal.sync();",
      },
    ],
  },
  {
    id: "early-rewind",
    what: "a rewind takes effect before its record is durable",
    patches: [
      {
        file: "writer.ts",
        find: REWIND,
        replace: `    this.#record(commit, record);
    this.#state.write(commit);
    this.#state.settle(commit);
    await this.journal.sync();
    this.#queue.acknowledge();`,
      },
    ],
  },
  {
    id: "no-clipping",
    what: "recovery writes every step in full, over later direct ones",
    patches: [
      {
        file: "clip.ts",
        find: "Math.min(step.base + step.length, limit)",
        replace: "step.base + step.length",
      },
    ],
  },
  {
    id: "checkpoint-without-files",
    what: "a checkpoint does not sync the append files its header counts on",
    patches: [{ file: "checkpoint.ts", find: "await syncAll(target.sync);", replace: "" }],
  },
  {
    id: "no-folder-sync-before-switch",
    what: "the prepared names are not durable when the journal is renamed",
    patches: [
      {
        file: "checkpoint.ts",
        find: "    await medium.syncFolder();\n    beforeSwitch();",
        replace: "    beforeSwitch();",
      },
    ],
  },
  {
    id: "no-folder-sync-after-switch",
    what: "the journal's new name is not durable when it is used",
    patches: [
      {
        file: "checkpoint.ts",
        find: "journalName(prefix));\n    await medium.syncFolder();",
        replace: "journalName(prefix));",
      },
    ],
  },
  {
    id: "side-files-not-synced",
    what: "prepared contents are not synced",
    patches: [
      {
        file: "checkpoint.ts",
        find: "await side.sync();",
        replace: 'if (name.endsWith("_journal.tmp")) await side.sync();',
      },
    ],
  },
  {
    id: "header-not-synced",
    what: "the next journal is not synced before it is renamed",
    patches: [
      {
        file: "checkpoint.ts",
        find: "await side.sync();",
        replace: 'if (!name.endsWith("_journal.tmp")) await side.sync();',
      },
    ],
  },
  {
    id: "no-checksum",
    what: "a record's checksum is not verified",
    patches: [
      {
        file: "journal-record.ts",
        find: "if (!sameBytes(checksum.subarray(0, CHECKSUM_BYTES), bytes.subarray(checksumAt, end))) {",
        replace: "if (checksum.length === 0) {",
      },
    ],
  },
  {
    id: "direct-without-sync",
    what: "a direct commit's bytes are not synced before its record",
    patches: [
      {
        file: "writer.ts",
        find: "if (direct) await syncAll(changed.map(({ file }) => file));",
        replace: "void changed;",
      },
    ],
  },
  {
    id: "surplus-kept",
    what: "recovery leaves what lies beyond the end of a file",
    patches: [
      {
        file: "recovery.ts",
        find: "if (file.size() !== size) file.truncate(size);",
        replace: "",
      },
    ],
  },
  {
    id: "clean-open-without-folder-sync",
    what: "an opening with nothing to recover does not sync the folder",
    patches: [
      {
        file: "open-folder.ts",
        find: "      await medium.syncFolder();\n      return {",
        replace: "      return {",
      },
    ],
  },
  {
    id: "no-poisoning",
    what: "writing goes on after a failed sync",
    patches: [{ file: "writer.ts", find: "this.#poison ??= { error };", replace: "" }],
  },
  {
    id: "unsynced-rewind",
    what: "a rewind without sync takes effect without its record being durable",
    patches: [
      {
        file: "writer.ts",
        find: REWIND,
        replace: REWIND.replace("await this", "if (commit.sync) await this"),
      },
    ],
  },
  {
    id: "replay-skips-equal",
    what: "recovery does not write bytes that look right already",
    patches: [
      {
        file: "recovery.ts",
        find: "if (bytes !== undefined) file.write(at, bytes);",
        replace: `{
        if (bytes === undefined) continue;
        const there = new Uint8Array(bytes.length);
        if (file.readSome(at, there) < bytes.length || !sameBytes(there, bytes)) file.write(at, bytes);
      }`,
      },
    ],
  },
  {
    id: "no-checkpoint-after-recovery",
    what: "recovery goes on with the journal it found",
    patches: [
      {
        file: "open-folder.ts",
        find: "if (!recovery.dirty) {",
        replace: "if (recovery.publish.length + recovery.leftovers.length === 0) {",
      },
      {
        file: "open-folder.ts",
        find: "header: recovery.header,\n",
        replace: "header: { ...recovery.header, sequence },\n",
      },
    ],
  },
];

/** Mistakes beyond the list, found while building: kept for the same reason. */
export const MORE_MUTANTS: readonly Mutant[] = [
  {
    id: "publish-before-folder-sync",
    what: "recovery renames what a journal prepared before that journal's name is durable",
    patches: [
      {
        file: "recovery.ts",
        find: "if (recovery.publish.length > 0) await medium.syncFolder();",
        replace: "",
      },
    ],
  },
  {
    id: "replay-before-journal-sync",
    what: "recovery applies records that were found but may not be durable",
    patches: [
      {
        file: "recovery.ts",
        find: "if (recovery.raw.bytes.length > 0) await makeDurable(medium, layout, recovery);",
        replace: "",
      },
    ],
  },
  {
    id: "journal-synced-not-rewritten",
    what: "recovery trusts a sync to make durable what an earlier sync has lost",
    patches: [{ file: "recovery.ts", find: "journal.write(raw.at, raw.bytes);", replace: "" }],
  },
  {
    id: "clean-mark-kept",
    what: "commits are written under a journal that says it was closed",
    patches: [
      {
        file: "writer.ts",
        find: "if (this.journal.header.clean || this.#isDue()) {",
        replace: "if (this.#isDue()) {",
      },
    ],
  },
  {
    id: "no-refusal",
    what: "a commit called before its maker heard that the one before was undone is taken",
    patches: [{ file: "writer.ts", find: "      this.#refusal = { error };\n", replace: "" }],
  },
];

/** The source of a file with a mutant's patches applied. */
export function applyPatches(mutant: Mutant, file: string, source: string): string {
  let text = source;
  for (const { find, replace } of mutant.patches.filter((patch) => patch.file === file)) {
    const parts = text.split(find);
    if (parts.length !== 2) {
      throw new Error(`mutant ${mutant.id} matches ${parts.length - 1} times in ${file}, not once`);
    }
    text = parts.join(replace);
  }
  return text;
}
